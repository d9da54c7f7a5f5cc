"""The baseline: sound and a masked face straight to a mouth, the Wav2Lip recipe.

Only to be compared with (`manage.py evaluate`): no lip code between sound and picture,
one reference taken at random, no choosing, no bending. Sound joins the picture where it
is smallest, and the way back up sees what the way down saw (Prajwal et al. 2020,
section 4). About as many weights as neural.renderer.Renderer, and trained on the same
clips, so that a difference is the design's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from synthesis.neural.mel import MEL_BANDS, MEL_RATE_HZ, resampled

FOLD = 4
"""The first convolution sees squares of 4 x 4 pixels as channels."""


@dataclass(frozen=True)
class BaselineConfig:
    """Everything that fixes the shapes of the weights."""

    width: int = 112
    height: int = 96
    """Crop size in pixels; both divide by 16."""
    px_per_eyes: float = 67.0
    channels: tuple[int, int, int] = (80, 136, 192)
    """On a quarter, an eighth and a sixteenth of the crop."""
    voice: int = 160
    """Width of what is heard around a frame."""
    heard: int = 10
    """Steps of log-mel to either side of the frame: 0.2 s in all."""


class Residual(nn.Module):
    """Two 3x3 convolutions around a residual, (B, C, H, W) -> (B, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        with torch.no_grad():
            self.second.weight.mul_(0.3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(F.leaky_relu(self.first(x), 0.1))
        return F.leaky_relu(x + y, 0.1)


class MaskedUNet(nn.Module):
    """See the module's first lines."""

    def __init__(self, config: BaselineConfig) -> None:
        super().__init__()
        self.config = config
        c0, c1, c2 = config.channels
        wide, steps = config.voice, 2 * config.heard + 1
        self.voice = nn.Sequential(
            nn.Conv1d(MEL_BANDS, wide, 3, padding=1), nn.LeakyReLU(0.1),
            nn.Conv1d(wide, wide, 3, stride=2, padding=1), nn.LeakyReLU(0.1),
            nn.Flatten(), nn.Linear(wide * ((steps + 1) // 2), wide),
        )  # fmt: skip
        self.front = nn.Conv2d(FOLD**2 * 7, c0, 3, padding=1)
        self.down0 = Residual(c0)
        self.to1 = nn.Conv2d(c0, c1, 3, stride=2, padding=1)
        self.down1 = Residual(c1)
        self.to2 = nn.Conv2d(c1, c2, 3, stride=2, padding=1)
        self.join = nn.Conv2d(c2 + wide, c2, 1)
        self.deep = nn.Sequential(Residual(c2), Residual(c2))
        self.from2 = nn.Conv2d(c2 + c1, c1, 3, padding=1)
        self.up1 = Residual(c1)
        self.from1 = nn.Conv2d(c1 + c0, c0, 3, padding=1)
        self.up0 = Residual(c0)
        self.finish = nn.Conv2d(c0, FOLD**2 * 3, 3, padding=1)

    def forward(
        self, target: Tensor, hole: Tensor, reference: Tensor, mel: Tensor
    ) -> Tensor:
        """Draw the mouth that is heard.

        target, reference (B, 3, H, W) RGB 0..1; hole (H, W), 1 where target is hidden;
        mel (B, 2 heard + 1, 80) of mel_windows. Returns (B, 3, H, W) 0..1, the target
        itself outside the hole.
        """
        batch, _, height, width = target.shape
        hidden = hole.expand(batch, 1, height, width)
        stack = torch.cat([target * (1 - hidden), hidden, reference], 1)
        folded = F.pixel_unshuffle(stack, FOLD)
        level0 = self.down0(_leaky(self.front(folded)))  # (B, c0, H/4, W/4)
        level1 = self.down1(_leaky(self.to1(level0)))
        x = _leaky(self.to2(level1))
        voice = self.voice(mel.transpose(1, 2))[:, :, None, None]
        voice = voice.expand(-1, -1, *x.shape[2:])
        x = self.deep(_leaky(self.join(torch.cat([x, voice], 1))))
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        x = self.up1(_leaky(self.from2(torch.cat([x, level1], 1))))
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        x = self.up0(_leaky(self.from1(torch.cat([x, level0], 1))))
        drawn = F.pixel_shuffle(self.finish(x), FOLD).sigmoid()
        return drawn * hidden + target * (1 - hidden)


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.1)


def mel_windows(
    mel: NDArray[np.float32], times_s: NDArray[np.floating], config: BaselineConfig
) -> NDArray[np.float32]:
    """Return (n, 2 heard + 1, 80): normalised log-mel (frames, 80) around each time.

    Beyond the sound, its first and last frames are repeated.
    """
    steps = np.arange(-config.heard, config.heard + 1)
    at = times_s[:, None] * MEL_RATE_HZ + steps
    return resampled(mel, at.ravel()).reshape(*at.shape, -1)
