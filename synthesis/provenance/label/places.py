"""Where a label may stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
Middle = Literal["top-centre", "bottom-centre"]
Place = Corner | Middle
CORNERS: tuple[Corner, ...] = get_args(Corner)
MIDDLES: tuple[Middle, ...] = get_args(Middle)
PLACES: tuple[Place, ...] = (*CORNERS, *MIDDLES)

SAFE_MARGIN = 0.05
"""Share of each side kept free: the title safe area of SMPTE ST 2046-1 is 90 %."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; right and bottom are outside it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def meets(self, other: Box) -> bool:
        """Whether the two share a pixel."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def shared_px(self, boxes: NDArray[np.integer]) -> int:
        """Pixels shared with boxes (n, 4) of left, top, right, bottom, added up."""
        if not len(boxes):
            return 0
        left, top, right, bottom = np.asarray(boxes, np.int64).T
        across = np.minimum(right, self.right) - np.maximum(left, self.left)
        down = np.minimum(bottom, self.bottom) - np.maximum(top, self.top)
        return int(np.sum(np.clip(across, 0, None) * np.clip(down, 0, None)))

    def safe(self) -> Box:
        """The part of it that every screen shows."""
        across, down = (round(SAFE_MARGIN * side) for side in (self.width, self.height))
        return Box(
            self.left + across, self.top + down, self.right - across, self.bottom - down
        )

    def place(self, place: Place, width: int, height: int) -> Box:
        """A smaller rectangle put into a place of this one, on even pixels: a halved
        colour plane's pixel ends where it does."""
        lowest = max(self.bottom - height, self.top)
        left = {
            "left": self.left,
            "right": max(self.right - width, self.left),
            "centre": max(self.left + (self.width - width) // 2, self.left),
        }[place.rpartition("-")[2]]
        top = self.top if place.startswith("top") else lowest
        # Inwards, so that it stays in what is safe.
        left += left % 2 if left + left % 2 + width <= self.right else -(left % 2)
        top += top % 2 if top + top % 2 + height <= self.bottom else -(top % 2)
        return Box(left, top, left + width, top + height)
