"""The visible label: tells everybody, on every frame, that the picture was changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
CORNERS: tuple[Corner, ...] = ("top-left", "top-right", "bottom-left", "bottom-right")

TEXT = "AI MODIFIED"
SAFE_MARGIN = 0.05
"""Share of each side kept free: the title safe area of SMPTE ST 2046-1 is 90 %."""
CAPITALS = 0.055
"""Height of a capital letter as a share of the short side (GB 45438-2025: >= 5 %)."""
PLATE = 0.72
"""Opacity of the dark plate behind the text."""
INK, GROUND = 0.94, 0.06
"""Light of text and plate, 0 black to 1 white."""
PRESENT = 0.5
"""Least correlation between the label as drawn and the picture under it."""

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_DRAWN_CAPITAL_PX = 96
# The rest of the drawing, as shares of a capital's height.
_STROKE, _TRACKING, _SPACE, _PADDING = 0.16, 0.16, 0.42, 0.52

Plane = NDArray[np.uint8]
FloatPlane = NDArray[np.float32]


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels; right and bottom are outside it."""

    left: int
    top: int
    right: int
    bottom: int

    def meets(self, other: Box) -> bool:
        """Whether the two share a pixel."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


class Label:
    """A label for pictures of one size; drawn once, then blended into each frame.

    box: where it is. The wording is drawn with plain strokes, so it is ASCII only.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        text: str = TEXT,
        corner: Corner = "top-left",
        full_range: bool = False,
        bt709: bool = True,
    ) -> None:
        """Prepare a label for frames of width x height px.

        full_range: luma 0..255 rather than 16..235. bt709 is taken so that a coloured
        label may come; grey is the same in every matrix. Raises ValueError for a text
        that is empty or not printable ASCII.
        """
        if not text.strip() or not (text.isascii() and text.isprintable()):
            raise ValueError("the label's text is empty or not printable ASCII")
        self.width, self.height, self.bt709 = width, height, bt709
        self.box, ink, plate = _artwork(width, height, text, corner)
        black, span = (0.0, 255.0) if full_range else (16.0, 219.0)
        # y * keep + add: plate over picture, then text over plate.
        self._keep = (1 - ink) * (1 - PLATE * plate)
        light = (1 - ink) * PLATE * plate * GROUND + ink * INK
        cover = 1 - self._keep
        self._add = light * span + cover * black + 0.5
        self._pattern = ink

    def apply(self, y: Plane, u: Plane, v: Plane) -> None:
        """Draw into the planes of one frame, uint8, in place.

        y is (height, width); u and v are of that size or half of it, rounded up.
        """
        if y.shape != (self.height, self.width):
            raise ValueError(f"frame is {y.shape}, the label expects another size")
        box = self.box
        if box.right <= box.left or box.bottom <= box.top:
            return
        luma = y[box.top : box.bottom, box.left : box.right]
        luma[...] = luma * self._keep + self._add
        for chroma in (u, v):
            down = 1 if chroma.shape[0] == self.height else 2
            across = 1 if chroma.shape[1] == self.width else 2
            top, left = box.top // down, box.left // across
            colour = chroma[
                top : -(-box.bottom // down), left : -(-box.right // across)
            ]
            keep = cv2.resize(
                self._keep, colour.shape[::-1], interpolation=cv2.INTER_AREA
            )
            colour[...] = (colour - 128.0) * keep + 128.5

    def present(self, y: Plane) -> bool:
        """Whether the label is on a decoded luma plane, uint8 (height, width)."""
        return label_present(y, self)


def label_present(y: Plane, label: Label) -> bool:
    """Whether `label` can be read on the luma plane `y`, uint8 (height, width).

    Compares the picture with the label as drawn: the letters must stand out from
    their plate as drawn, in shape and in at least a quarter of the contrast.
    """
    if y.shape != (label.height, label.width):
        return False
    box = label.box
    seen = y[box.top : box.bottom, box.left : box.right].astype(np.float32)
    drawn = label._pattern
    if seen.size < 2 or float(drawn.std()) == 0.0:
        return False
    shape = drawn - drawn.mean()
    rest = seen - seen.mean()
    common = float(np.sum(shape * rest))
    power = float(np.sum(shape * shape))
    strength = float(np.sqrt(power * np.sum(rest * rest)))
    correlation = common / strength if strength > 0 else 0.0
    return correlation >= PRESENT and common / power >= 0.25 * 219


def pick_corner(
    width: int, height: int, avoid: Iterable[Box], *, text: str = TEXT
) -> Corner:
    """The first corner where the label meets none of the boxes to `avoid`.

    If it meets one everywhere, the corner that covers the least of them.
    """
    boxes = list(avoid)

    def covered(corner: Corner) -> int:
        place, _, _ = _artwork(width, height, text, corner)
        return sum(_shared_area(place, box) for box in boxes)

    return min(CORNERS, key=covered)


def _shared_area(one: Box, other: Box) -> int:
    across = min(one.right, other.right) - max(one.left, other.left)
    down = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(across, 0) * max(down, 0)


def _artwork(
    width: int, height: int, text: str, corner: Corner
) -> tuple[Box, FloatPlane, FloatPlane]:
    """Return the label's box, and cover of text and of plate in it, float32 0..1."""
    ink, plate = _drawing(text)
    room_x, room_y = round(width * SAFE_MARGIN), round(height * SAFE_MARGIN)
    capital = max(CAPITALS * min(width, height), 1.0)
    scale = capital / _DRAWN_CAPITAL_PX
    scale = min(
        scale,
        (width - 2 * room_x) / ink.shape[1],
        (height - 2 * room_y) / ink.shape[0],
    )
    size = _even(round(ink.shape[1] * scale)), _even(round(ink.shape[0] * scale))
    left = room_x if corner.endswith("left") else width - room_x - size[0]
    top = room_y if corner.startswith("top") else height - room_y - size[1]
    # On even pixels, so that the plate ends where a halved colour plane's pixel ends.
    left, top = left - left % 2, top - top % 2
    box = Box(left, top, left + size[0], top + size[1])
    return box, _fitted(ink, size), _fitted(plate, size)


def _even(length: int) -> int:
    return length - length % 2 if length > 2 else max(length, 1)


def _fitted(drawn: FloatPlane, size: tuple[int, int]) -> FloatPlane:
    how = cv2.INTER_AREA if size[0] <= drawn.shape[1] else cv2.INTER_CUBIC
    fitted = cv2.resize(drawn, size, interpolation=how)
    return np.asarray(np.clip(fitted, 0.0, 1.0), np.float32)


def _drawing(text: str) -> tuple[FloatPlane, FloatPlane]:
    """The text and its rounded plate, drawn large, float32 0..1 of one shape."""
    gap = np.zeros((1, round(_TRACKING * _DRAWN_CAPITAL_PX)), np.uint8)
    letters = [_letter(letter) for letter in text]
    height = letters[0].shape[0]
    spaced = [part for letter in letters for part in (letter, gap.repeat(height, 0))]
    line = np.concatenate(spaced[:-1], axis=1)
    rows = np.flatnonzero(line.any(axis=1))
    pad = round(_PADDING * _DRAWN_CAPITAL_PX)
    ink = np.pad(line[rows[0] : rows[-1] + 1], pad)
    edge = pad // 2
    core = np.zeros_like(ink)
    core[edge:-edge, edge:-edge] = 255
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * edge + 1, 2 * edge + 1))
    plate = cv2.dilate(core, disc)
    return np.asarray(ink / 255, np.float32), np.asarray(plate / 255, np.float32)


def _letter(letter: str) -> Plane:
    """One letter with no room at its sides, uint8, always of the same height."""
    tall = 2 * _DRAWN_CAPITAL_PX
    if letter == " ":
        return np.zeros((tall, round(_SPACE * _DRAWN_CAPITAL_PX)), np.uint8)
    stroke = round(_STROKE * _DRAWN_CAPITAL_PX)
    scale = cv2.getFontScaleFromHeight(_FONT, _DRAWN_CAPITAL_PX - stroke, 1)
    sheet = np.zeros((tall, 3 * tall), np.uint8)
    start = (tall, tall * 3 // 4)
    cv2.putText(sheet, letter, start, _FONT, scale, (255,), stroke, cv2.LINE_AA)
    columns = np.flatnonzero(sheet.any(axis=0))
    return sheet[:, columns[0] : columns[-1] + 1]
