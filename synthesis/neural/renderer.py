"""The renderer: a lip code and four pictures of the same mouth -> the new mouth.

It sees the lower face with the mouth cut out, four references and how far each one's
lip code is from the wanted one. It bends the references coarsely (a flow each), mixes
them (a softmax weight each), and corrects the mix: what can be copied is copied, so
skin and teeth stay the actor's own. The work is done on a quarter or an eighth of the
crop's size with many channels: dense convolutions there are what a CPU does best.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synthesis.neural.lipcode import CODE_SIZE

LAYERS_BEHIND_MIX = 4
"""3x3 convolutions from the mix to the picture: each looks one cell further."""


@dataclass(frozen=True)
class RendererConfig:
    """Everything that fixes the shapes of the weights."""

    width: int = 112
    height: int = 96
    """Crop size in pixels; both divide by 4 x step x 4."""
    px_per_eyes: float = 67.0
    """Crop pixels across the outer eye corners."""
    step: int = 1
    """1: the trunk works on a quarter of the crop; 2: on an eighth (large crops)."""
    references: int = 4
    """Two near the wanted code, two of like pose and unlike mouth."""
    code: int = CODE_SIZE
    channels: tuple[int, int, int] = (96, 144, 208)
    """Of the trunk's three levels, each half the size of the one before."""
    detail: int = 80
    """Channels of the last layers, on a quarter of the crop."""
    condition: int = 160
    """Width of the vector every block is steered by."""
    reach: float = 0.12
    """Flow per unit of network output, as a share of half the crop."""


class Block(nn.Module):
    """Two 3x3 convolutions around a residual, steered by the condition (FiLM)."""

    def __init__(self, channels: int, condition: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.steer = nn.Linear(condition, 2 * channels)
        nn.init.zeros_(self.steer.bias)
        with torch.no_grad():
            self.second.weight.mul_(0.3)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.steer(condition)[:, :, None, None].chunk(2, dim=1)
        y = F.leaky_relu(self.first(x) * (1 + scale) + shift, 0.1)
        return F.leaky_relu(x + self.second(y), 0.1)


class Renderer(nn.Module):
    """See the module's first lines."""

    def __init__(self, config: RendererConfig) -> None:
        super().__init__()
        self.config = config
        c0, c1, c2 = config.channels
        k, wide = config.references, config.condition
        self.condition = nn.Sequential(
            nn.Linear(config.code * (1 + k), wide), nn.LeakyReLU(0.1),
            nn.Linear(wide, wide), nn.LeakyReLU(0.1),
        )  # fmt: skip
        pictures = 16 * (3 + 1 + 3 * k)
        self.front = nn.Conv2d(pictures, c0, 3, stride=config.step, padding=1)
        self.down0 = Block(c0, wide)
        self.to1 = nn.Conv2d(c0, c1, 3, stride=2, padding=1)
        self.down1 = Block(c1, wide)
        self.to2 = nn.Conv2d(c1, c2, 3, stride=2, padding=1)
        self.deep = nn.ModuleList([Block(c2, wide), Block(c2, wide)])
        self.from2 = nn.Conv2d(c2 + c1, c1, 3, padding=1)
        self.up1 = Block(c1, wide)
        self.from1 = nn.Conv2d(c1 + c0, c0, 3, padding=1)
        self.up0 = Block(c0, wide)
        self.flow = nn.Conv2d(c0, 3 * k, 3, padding=1)
        _silence(self.flow)
        self.expand = nn.Conv2d(c0, 48 * config.step**2, 3, padding=1)
        self.detail0 = nn.Conv2d(48 + 48, config.detail, 3, padding=1)
        self.detail1 = Block(config.detail, wide)
        self.finish = nn.Conv2d(config.detail, 16 * 4, 3, padding=1)
        _silence(self.finish)

    def forward(
        self, target: Tensor, hole: Tensor, references: Tensor,
        code: Tensor, reference_codes: Tensor, large: Tensor | None = None,
        inside: bool = False,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """Draw the mouth that code asks for.

        target (B, 3, H, W) RGB 0..1; hole (H, W) 1 where it is hidden; references
        (B, K, 3, H, W); code (B, C); reference_codes (B, K, C). Returns the whole
        crop (B, 3, H, W), not clamped, and the logit of "is face" (B, 1, H, W).

        large: the same references (B, K, 3, H', W') with more pixels. Then the picture
        is H' x W', right inside the hole alone: their detail is bent and mixed as the
        small ones were, only the correction is enlarged. What is not in a photograph
        is not made up.

        inside: spare the work on what lies far off the hole. In it, and 4 pixels
        around it, the result is the same; farther off it is no picture.
        """
        batch, _, _, height, width = references.shape
        wanted = (code[:, None] - reference_codes).flatten(1)  # (B, K * C)
        condition = self.condition(torch.cat([code, wanted], 1))
        hidden = hole.expand(batch, 1, height, width)
        pictures = (target * (1 - hidden), hidden, *references.unbind(1))
        features = self._trunk(_unshuffled(*pictures), condition)
        flow = self.flow(features)
        cells = _cells_around(hole if inside else torch.ones_like(hole))
        part = (_times4(cells[0]), _times4(cells[1]))
        mix = self._mix(flow, references, part)
        near = F.pixel_shuffle(self.expand(features), self.config.step)
        near = near[:, :, cells[0], cells[1]]
        near = torch.cat([near, _unshuffled(mix)], 1)  # (B, 96, H/4, W/4)
        near = F.leaky_relu(self.detail0(near), 0.1)
        last = F.pixel_shuffle(self.finish(self.detail1(near, condition)), 4)
        mix, last = (_set_back(x, part, (height, width)) for x in (mix, last))
        correction, face = last[:, :3], last[:, 3:]
        if large is not None:
            part = _reach_of(hole, large.shape[-2:])
            mix = _set_back(self._mix(flow, large, part), part, large.shape[-2:])
            correction = F.interpolate(
                correction, size=large.shape[-2:], mode="bilinear", align_corners=False
            )
        return mix + correction, face

    def _trunk(self, x: Tensor, condition: Tensor) -> Tensor:
        """Return (B, c0, h, w), h = H / (4 step)."""
        level0 = self.down0(F.leaky_relu(self.front(x), 0.1), condition)
        level1 = self.down1(F.leaky_relu(self.to1(level0), 0.1), condition)
        x = F.leaky_relu(self.to2(level1), 0.1)
        for block in self.deep:
            x = block(x, condition)
        x = F.interpolate(x, scale_factor=2.0, mode="nearest")
        x = F.leaky_relu(self.from2(torch.cat([x, level1], 1)), 0.1)
        x = F.interpolate(self.up1(x, condition), scale_factor=2.0, mode="nearest")
        x = F.leaky_relu(self.from1(torch.cat([x, level0], 1)), 0.1)
        out: Tensor = self.up0(x, condition)
        return out

    def _mix(
        self, flow: Tensor, references: Tensor, part: tuple[slice, slice]
    ) -> Tensor:
        """Bend each reference by its flow and mix them: (B, 3, h, w), these rows and
        columns of the picture."""
        batch, k, _, height, width = references.shape
        flow = F.interpolate(
            flow, size=(height, width), mode="bilinear", align_corners=False
        ).view(batch, k, 3, height, width)
        grid = _identity_grid(height, width, flow)[part]
        flow = flow[:, :, :, part[0], part[1]]
        shift = (flow[:, :, :2] * self.config.reach).permute(0, 1, 3, 4, 2)
        bent = F.grid_sample(
            references.flatten(0, 1), (grid + shift).flatten(0, 1),
            mode="bilinear", padding_mode="border", align_corners=False,
        ).view(batch, k, 3, *grid.shape[:2])  # fmt: skip
        weights = flow[:, :, 2:].softmax(1)  # (B, K, 1, H, W)
        mixed = bent[:, 0] * weights[:, 0]
        for row in range(1, k):
            mixed = torch.addcmul(mixed, bent[:, row], weights[:, row])
        return mixed


def _reach_of(hole: Tensor, size: torch.Size) -> tuple[slice, slice]:
    """Return the rows and columns of a picture of that size that the hole (H, W)
    reaches into."""
    spans = []
    for axis, wanted in enumerate(size):
        inside = hole.amax(1 - axis).nonzero()
        scale = wanted / hole.shape[axis]
        first, last = int(inside.min()), int(inside.max()) + 1
        spans.append(slice(int(first * scale), min(wanted, math.ceil(last * scale))))
    return spans[0], spans[1]


def _cells_around(hole: Tensor) -> tuple[slice, slice]:
    """Return the rows and columns of a picture's 4 x 4 cells that decide what comes
    out in the hole (H, W): its own, one more, and one for each layer behind the mix."""
    spans = []
    for axis, size in enumerate(hole.shape):
        inside = hole.amax(1 - axis).nonzero()
        first, last = int(inside.min()) // 4, int(inside.max()) // 4 + 1
        edge = 1 + LAYERS_BEHIND_MIX
        spans.append(slice(max(0, first - edge), min(size // 4, last + edge)))
    return spans[0], spans[1]


def _times4(cells: slice) -> slice:
    return slice(4 * cells.start, 4 * cells.stop)


def _set_back(
    picture: Tensor, part: tuple[slice, slice], size: tuple[int, int] | torch.Size
) -> Tensor:
    """Return (B, C, *size), 0 around a picture that is part of it."""
    if picture.shape[-2:] == torch.Size(size):
        return picture
    (top, bottom), (left, right) = (
        (span.start, whole - span.stop) for span, whole in zip(part, size, strict=True)
    )
    return F.pad(picture, (left, right, top, bottom))


def _silence(layer: nn.Conv2d) -> None:
    """Start at zero: before training, the output is the plain mix of references."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)


def _unshuffled(*pictures: Tensor) -> Tensor:
    """Fold pictures, each (B, C, H, W), to (B, 16 x all C, H/4, W/4) in the order of
    pixel_unshuffle, channels last: convolutions are twice as fast so. Each is copied
    once, however it lies: at large crops copies cost as much as layers."""
    parts = []
    for some in pictures:
        batch, channels, height, width = some.shape
        tiles = some.reshape(batch, channels, height // 4, 4, width // 4, 4)
        parts.append(tiles.permute(0, 2, 4, 1, 3, 5))  # (B, H/4, W/4, C, 4, 4)
    return torch.cat(parts, 3).flatten(3).permute(0, 3, 1, 2)


def _identity_grid(height: int, width: int, like: Tensor) -> Tensor:
    """Return (H, W, 2): where each pixel's centre is, -1..1, x first."""
    y = (torch.arange(height, dtype=like.dtype, device=like.device) + 0.5) / height
    x = (torch.arange(width, dtype=like.dtype, device=like.device) + 0.5) / width
    return torch.stack(torch.meshgrid(2 * x - 1, 2 * y - 1, indexing="xy"), -1)
