"""The critic of the renderer's last stage: is each patch of these two neighbouring
frames of a mouth film? It sees how the mouth looks and how it moves."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


class MouthCritic(nn.Module):
    """Patch discriminator on the mouth box; hands out its features for matching."""

    def __init__(self, channels: tuple[int, ...] = (48, 96, 128)) -> None:
        super().__init__()
        widths = (24, *channels)  # pixel_unshuffle(2) of two RGB frames: 24
        self.layers = nn.ModuleList(
            spectral_norm(nn.Conv2d(before, after, 4, stride=2, padding=1))
            for before, after in zip(widths, channels, strict=False)
        )
        self.verdict = spectral_norm(nn.Conv2d(channels[-1], 1, 3, padding=1))

    def forward(self, mouth: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Judge mouths (B, 2, 3, h, w) 0..1: verdicts (B, 1, h/16, w/16), features."""
        x = F.pixel_unshuffle(mouth.flatten(1, 2) * 2 - 1, 2)
        features = []
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
            features.append(x)
        return self.verdict(x), features
