"""What the native engine must beat: the same crops, masks and blending, other pixels.

Only what is drawn into the hole differs, so a difference in the figures is one of the
drawing. For evaluation; no render of a production uses these.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from synthesis.engines.base import ShotFace
from synthesis.engines.native import NativeEngine, Tier, _Plan
from synthesis.engines.pictures import Pictures
from synthesis.faces.align import CropSpec
from synthesis.neural import masks
from synthesis.neural.baseline import mel_windows
from synthesis.neural.mel import log_mel, normalised
from synthesis.neural.references import APART_FRAMES
from synthesis.neural.weights import WeightFolder


class RetrievalEngine(NativeEngine):
    """Pastes the reference whose lip code is nearest, in the target's pose and light.

    References, their choice in time and their colour gain are the native engine's. Of
    the jaw line it has no opinion, so the filmed one stands.
    """

    name = "retrieval"
    finishes = False

    def _draw(
        self,
        crops: NDArray[np.uint8],
        references: NDArray[np.float32],
        codes: NDArray[np.float32],
        reference_codes: NDArray[np.float32],
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """See NativeEngine."""
        pasted = references[:, 0].round().clip(0, 255).astype(np.uint8)
        return pasted, np.zeros(crops.shape[:3], np.float32)


class UNetEngine(NativeEngine):
    """Draws with the masked U-Net: from sound to picture, one reference, no code.

    An actor's weights change nothing: the recipe adapts to nobody.
    """

    name = "unet"
    finishes = False

    def __init__(
        self,
        general: WeightFolder,
        actor: WeightFolder | None,
        tier: Tier = "final",
        threads: int = 1,
    ) -> None:
        """Load networks; prefer `load`. Raises WeightsError without a baseline.

        threads: not looked at. It takes the sound in the order it draws.
        """
        super().__init__(general, None, tier)
        self._network = general.baseline()
        config = self._network.config
        self._spec = CropSpec(config.width, config.height, config.px_per_eyes)
        self._heard = np.zeros(0, np.float32)
        """Windows of the sound around the frames still to be drawn, in order."""

    def _spec_for(self, eyes_px: float) -> CropSpec:
        return self._spec

    def _plan(self, face: ShotFace) -> _Plan:
        plan = super()._plan(face)
        heard = normalised(log_mel(face.sound))
        times_s = np.asarray(face.times_s, np.float64)[plan.wanted]
        self._heard = mel_windows(heard, times_s, self._network.config)
        return plan

    def _choose(
        self,
        plan: _Plan,
        wanted: NDArray[np.float32],
        pictures: Pictures,
        light: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """One picture all along; for frames near it, another from far off."""
        at = np.arange(len(wanted))
        frames = pictures.bank.frames
        middle = len(frames) // 2
        apart = np.abs(at[:, None] - frames[None])
        rows = np.where(apart[:, middle] > APART_FRAMES, middle, apart.argmax(axis=1))
        return rows[:, None].astype(np.int64)

    @torch.inference_mode()
    def _draw(
        self,
        crops: NDArray[np.uint8],
        references: NDArray[np.float32],
        codes: NDArray[np.float32],
        reference_codes: NDArray[np.float32],
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """See NativeEngine; codes are not looked at."""
        count = len(crops)
        now, self._heard = self._heard[:count], self._heard[count:]
        made = self._network(
            torch.from_numpy(crops).movedim(-1, 1).float() / 255,
            torch.from_numpy(masks.hole(self._spec)),
            torch.from_numpy(references[:, 0]).movedim(-1, 1) / 255,
            torch.from_numpy(now),
        )
        rgb = (made.clamp(0, 1) * 255).round().to(torch.uint8).movedim(1, -1)
        return rgb.contiguous().numpy(), np.zeros(crops.shape[:3], np.float32)
