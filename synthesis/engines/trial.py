"""An engine on a file, without queue or encode: for evaluation and for looking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.composite import composite, warped
from synthesis.engines.base import Controls, Engine, MouthPatch, ShotFace
from synthesis.faces.align import filled
from synthesis.faces.finder import FaceFinder
from synthesis.faces.tracks import find_tracks
from synthesis.media.frames import Planes, read_frames
from synthesis.media.probe import Probe, probe
from synthesis.media.sound import scene_origin_s, sound_mono_16k
from synthesis.neural.articulation import words_beside
from synthesis.neural.footage import FootageError
from synthesis.neural.listening import voiced_s
from synthesis.neural.material import Material, Painted
from synthesis.neural.pieces import MIN_VOICED_S
from synthesis.neural.speaker import speaker

KEPT_BYTES = 256 << 20
"""A clip whose frames take less is decoded once and kept while it is judged."""
MASK_MARGIN_PX = 3
"""Of the patch: how far cubic resampling may carry its edge."""


class Reel:
    """The first frames of a clip as the product reads them, again and again."""

    def __init__(self, path: Path, facts: Probe, count: int) -> None:
        self._path, self._facts, self._count = path, facts, count
        self._kept: list[Planes] | None = None

    def __call__(self) -> Iterator[Planes]:
        """Yield every frame; the planes belong to the caller."""
        if self._kept is not None:
            return (planes.copy() for planes in self._kept)
        return self._read()

    def _read(self) -> Iterator[Planes]:
        pixels = self._facts.width * self._facts.height * self._count
        kept: list[Planes] | None = [] if 1.5 * pixels <= KEPT_BYTES else None
        for planes in read_frames(self._path, self._facts, 0, self._count):
            if kept is not None:
                kept.append(planes.copy())
            yield planes
        self._kept = kept

    def forget(self) -> None:
        """Let go of the frames; they can be read again."""
        self._kept = None


@dataclass(frozen=True)
class Opened:
    """A clip to judge, and the reel its frames come from."""

    material: Material
    reel: Reel


def open_material(path: Path, finder: FaceFinder, longest_s: float) -> Opened:
    """Read a clip's first longest_s seconds, and the face that speaks in them.

    Raises SynthesisError where it cannot be judged: unreadable, no or silent sound,
    no face, two faces of which either may speak, too small or too short.
    """
    facts = probe(path)
    times_s = facts.times_s()
    count = int((times_s < longest_s).sum())
    if not facts.sounds:
        raise FootageError("no-sound", f"{path.name} has no sound.")
    end_s = min(float(times_s[count - 1]) + 1.0, float(facts.duration))
    sound = sound_mono_16k(path, 0.0, end_s, origin_s=scene_origin_s(facts))
    if voiced_s(sound) < MIN_VOICED_S:
        raise FootageError("silent", f"{path.name} holds no speech.")
    reel = Reel(path, facts, count)
    rgb = (planes.rgb() for planes in reel())
    tracks = list(find_tracks(rgb, [(0, count)], finder=finder))
    track = speaker(tracks, path.name)
    last = track.start + len(track.landmarks)
    material = Material(
        f"{path.parent.name}-{path.stem}",
        path.parent.name,
        lambda: islice(reel(), track.start, last),
        times_s[track.start : last],
        sound,
        filled(track.landmarks),
        words_beside(path),
    )
    return Opened(material, reel)


class Trial:
    """Dubs clips with an engine and lays the mouths in as a render does; a Dub."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __call__(
        self,
        material: Material,
        sound: NDArray[np.float32],
        codes: NDArray[np.float32] | None,
    ) -> Iterator[Painted]:
        """Yield every frame of the material, its mouth redrawn; see neural.material."""
        face = ShotFace(
            lambda: (planes.rgb() for planes in material.planes()),
            material.landmarks.astype(np.float32),
            material.times_s,
            sound,
        )
        patches = self._engine.mouths(face, Controls(codes=codes))
        for planes, patch in zip(material.planes(), patches, strict=True):
            if patch is None:
                yield Painted(planes.rgb())
                continue
            before = planes.copy()
            composite(planes, patch)
            yield Painted(planes.rgb(), strayed(before, planes, patch))


def strayed(before: Planes, after: Planes, patch: MouthPatch) -> int:
    """Return how many samples of Y, U and V changed off the patch's visible box.

    Told from the frames alone, not from what composite says it touched.
    """
    ys, xs = patch.rgba[..., 3].nonzero()
    mask = np.zeros(before.y.shape, np.uint8)
    if len(xs):
        left, right = xs.min() - MASK_MARGIN_PX, xs.max() + MASK_MARGIN_PX
        top, bottom = ys.min() - MASK_MARGIN_PX, ys.max() + MASK_MARGIN_PX
        corners = np.array(
            [[left, top, 1], [right, top, 1], [right, bottom, 1], [left, bottom, 1]]
        )
        placed = np.round(corners @ patch.to_frame.T).astype(np.int32)
        cv2.fillConvexPoly(mask, placed, 1)
    pixels, (height, width) = before.pixels, before.u.shape
    coarse = mask.reshape(height, pixels.down, width, pixels.across).max(axis=(1, 3))
    return sum(
        int(((a != b) & (where == 0)).sum())
        for a, b, where in (
            (before.y, after.y, mask),
            (before.u, after.u, coarse),
            (before.v, after.v, coarse),
        )
    )


def painted(frame: NDArray[np.uint8], patch: MouthPatch | None) -> NDArray[np.uint8]:
    """Return RGB frame (H, W, 3) with the patch over it; for looking, not delivery.

    Warped as composite does, blended in RGB.
    """
    if patch is None:
        return frame
    box, over = warped(patch, frame.shape[1], frame.shape[0])
    made = frame.copy()
    if box.empty:
        return made
    under = made[box.y0 : box.y1, box.x0 : box.x1]
    alpha = over[..., 3:]
    mixed = under * (1 - alpha) + over[..., :3]
    np.copyto(under, np.round(mixed).clip(0, 255).astype(np.uint8), where=alpha > 0)
    return made
