"""Planar YUV layouts: how deep the samples are, and how much of the colour is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

_STEPS = {"420": (2, 2), "422": (2, 1), "444": (1, 1)}
_NAME = re.compile(r"yuv(420|422|444)p(10le)?")


@dataclass(frozen=True)
class Pixels:
    """across, down: luma samples to one of chroma. depth: bits a sample, 8 or 10."""

    across: int
    down: int
    depth: int

    @property
    def name(self) -> str:
        """As FFmpeg calls it: 'yuv420p', 'yuv422p10le'."""
        steps = (self.across, self.down)
        kind = next(name for name, known in _STEPS.items() if known == steps)
        return f"yuv{kind}p" + ("10le" if self.depth == 10 else "")

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16]:
        """uint8, or uint16 with values 0..1023."""
        return np.dtype(np.uint8) if self.depth == 8 else np.dtype("<u2")

    def chroma_shape(self, width: int, height: int) -> tuple[int, int]:
        """(rows, columns) of u and v for a picture of width x height."""
        return height // self.down, width // self.across

    def fits(self, width: int, height: int) -> bool:
        """Whether the picture's sides are whole numbers of chroma samples."""
        return width % self.across == 0 and height % self.down == 0


def pixels_named(name: str) -> Pixels:
    """The layout FFmpeg calls so. Raises ValueError for one that is not used here."""
    found = _NAME.fullmatch(name)
    if not found:
        raise ValueError(f"{name} is no layout of ours")
    return Pixels(*_STEPS[found[1]], 10 if found[2] else 8)


def even_pixels(width: int, height: int, depth: int = 8) -> Pixels:
    """4:2:0 where both sides are even, else 4:4:4."""
    step = 1 if width % 2 or height % 2 else 2
    return Pixels(step, step, depth)
