"""From sound to lip code: the audio encoder and the control network on top of it.

Both run at 50 steps a second. The audio encoder is temporal convolutions and hears half
a second around each step; the control network turns what was heard into lip codes in
the manner of one actor (style vector). It is recurrent, both ways: a mouth at a sound
depends on the word around it, and on how clearly this voice has spoken so far.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthesis.neural.lipcode import CODE_SIZE
from synthesis.neural.mel import MEL_BANDS, MEL_RATE_HZ

CONTROL_RATE_HZ = MEL_RATE_HZ // 2


@dataclass(frozen=True)
class ControlConfig:
    """Everything that fixes the shapes of the weights."""

    width: int = 160
    """Channels everywhere."""
    heard: int = 96
    """What the audio encoder says about each step."""
    code: int = CODE_SIZE
    style: int = 8
    talkers: int = 1
    """Rows of the style table; row 0 stands for an unknown actor."""
    dilations: tuple[int, ...] = (1, 2, 4, 1, 2)
    """Of the encoder's blocks: it hears about half a second around each step."""
    recurrent_layers: int = 2
    """Of the control network; each reads forwards and backwards."""


class TemporalBlock(nn.Module):
    """A residual of two convolutions along time, (B, C, T) -> (B, C, T)."""

    def __init__(self, width: int, dilation: int, dropout: float = 0.2) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(1, width)
        self.first = nn.Conv1d(
            width, width, 5, padding=2 * dilation, dilation=dilation, groups=4
        )
        self.second = nn.Conv1d(width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(self.dropout(F.gelu(self.first(self.norm(x)))))
        return x + y


class AudioEncoder(nn.Module):
    """Normalised log-mel (B, T, 80) at 100 Hz -> (B, heard, ceil(T / 2)) at 50 Hz."""

    def __init__(self, config: ControlConfig) -> None:
        super().__init__()
        self.front = nn.Conv1d(MEL_BANDS, config.width, 5, padding=2)
        self.halve = nn.Conv1d(config.width, config.width, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(
            *(TemporalBlock(config.width, d) for d in config.dilations)
        )
        self.heard = nn.Conv1d(config.width, config.heard, 1)

    def forward(self, mel: Tensor) -> Tensor:
        x = F.gelu(self.front(mel.transpose(1, 2)))
        heard: Tensor = self.heard(self.blocks(F.gelu(self.halve(x))))
        return heard


class LipEncoder(nn.Module):
    """Codes (B, code, T) at 50 Hz -> (B, heard, T); for contrastive training only."""

    def __init__(self, config: ControlConfig) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv1d(config.code, config.width, 5, padding=2), nn.GELU(),
            TemporalBlock(config.width, 1), TemporalBlock(config.width, 2),
            nn.Conv1d(config.width, config.heard, 1),
        )  # fmt: skip

    def forward(self, codes: Tensor) -> Tensor:
        seen: Tensor = self.layers(codes)
        return seen


class ControlNetwork(nn.Module):
    """What was heard (B, heard, T) and a style -> lip codes (B, code, T)."""

    def __init__(self, config: ControlConfig) -> None:
        super().__init__()
        width = config.width
        self.styles = nn.Embedding(config.talkers, config.style)
        nn.init.normal_(self.styles.weight, std=0.1)
        self.front = nn.Conv1d(config.heard, width, 3, padding=1)
        self.steer = nn.Linear(config.style, 2 * width)
        self.recurrent = nn.GRU(
            width, width // 2, config.recurrent_layers,
            batch_first=True, bidirectional=True, dropout=0.3,
        )  # fmt: skip
        self.dropout = nn.Dropout(0.2)
        self.codes = nn.Conv1d(2 * width, config.code, 3, padding=1)

    def forward(self, heard: Tensor, style: Tensor) -> Tensor:
        """Return codes (B, code, T) for heard (B, heard, T), style (B, style)."""
        scale, shift = self.steer(style)[:, :, None].chunk(2, dim=1)
        x = F.gelu(self.front(heard) * (1 + scale) + shift)
        said, _ = self.recurrent(self.dropout(x.movedim(1, 2)))
        codes: Tensor = self.codes(torch.cat([x, self.dropout(said.movedim(2, 1))], 1))
        return codes


class SoundToLips(nn.Module):
    """Audio encoder and control network together, as used in a render."""

    def __init__(self, config: ControlConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = AudioEncoder(config)
        self.control = ControlNetwork(config)

    def forward(self, mel: Tensor, style: Tensor) -> Tensor:
        """Return codes (B, code, T / 2) for normalised log-mel (B, T, 80)."""
        codes: Tensor = self.control(self.encoder(mel), style)
        return codes

    @torch.no_grad()
    def hear(self, mel: Tensor) -> Tensor:
        """Run the frozen encoder."""
        heard: Tensor = self.encoder(mel)
        return heard
