"""Reference pictures of an actor's mouth: the scene's own, and learned ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec, cut_face
from synthesis.neural.dataset import FAR
from synthesis.neural.references import Bank
from synthesis.neural.weights import WeightFolder


@dataclass(frozen=True)
class Pictures:
    """Reference pictures in memory: uint8 (m, H, W, 3), with their description."""

    crops: NDArray[np.uint8]
    bank: Bank

    def joined(self, other: Pictures) -> Pictures:
        """Return both collections as one."""
        crops = np.concatenate([self.crops, other.crops])
        return Pictures(crops, self.bank.joined(other.bank))


def stored_pictures(actor: WeightFolder) -> tuple[Pictures, CropSpec]:
    """Return what stages.reference_pictures wrote, and the crop it was cut with."""
    arrays = actor.arrays("references")
    height, width = arrays["crops"].shape[1:3]
    # Spaced apart, so that two of them never count as neighbours.
    frames = FAR + 100 * np.arange(len(arrays["codes"]), dtype=np.int64)
    bank = Bank(
        arrays["codes"].astype(np.float32),
        arrays["turns"].astype(np.float64),
        frames,
        arrays["light"].astype(np.float32),
        arrays["places"].astype(np.float64),
    )
    spec = CropSpec(width, height, float(arrays["px_per_eyes"][0]))
    return Pictures(arrays["crops"], bank), spec


def resized(pictures: Pictures, spec: CropSpec, wanted: CropSpec) -> Pictures:
    """Return the pictures, cut to spec, as if cut to wanted."""
    if spec == wanted:
        return pictures
    scale = spec.px_per_eyes / wanted.px_per_eyes
    to_crop = np.array(
        [[scale, 0, (spec.width - scale * wanted.width) / 2], [0, scale, 0]]
    )
    crops = [cut_face(crop, to_crop, wanted) for crop in pictures.crops]
    return replace(pictures, crops=np.stack(crops))
