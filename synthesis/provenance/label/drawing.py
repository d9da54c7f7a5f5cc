"""The visible label: tells everybody who watches that the picture was changed."""

from __future__ import annotations

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.errors import SynthesisError
from synthesis.provenance.label.lettering import (
    DRAWN_CAPITAL_PX,
    SHIPPED,
    FloatPlane,
    Fonts,
    Lettering,
    lettering,
)
from synthesis.provenance.label.places import Box, Place
from synthesis.provenance.label.wording import ENGLISH, WORDINGS

TEXT = WORDINGS[ENGLISH]
CAPITALS = 0.055
"""Height of a capital letter as a share of the short side."""
LEAST_CAPITALS = 0.0505
"""The same where room is scarce. GB 45438-2025 wants 5 %; the rest is for rounding."""
WIDEST = 0.4
"""Share of the picture's width from which a wording goes into several lines."""
PLATE = 0.8
"""Opacity of the dark plate behind the text."""
GROUND = 0.06
"""Light of the plate, 0 black to 1 white."""
PRESENT = 0.5
"""Least correlation between the label as drawn and the picture under it."""
DOES_NOT_FIT = "label-does-not-fit"

Transfer = Literal["sdr", "pq", "hlg"]
INK: dict[Transfer, float] = {"sdr": 0.94, "pq": 0.58, "hlg": 0.75}
"""Light of the text. In HDR that of paper white, 203 cd/m2 (ITU-R BT.2408), as the
curve codes it: full white would be a lamp of up to 10,000 cd/m2."""

Plane = NDArray[np.uint8] | NDArray[np.uint16]


class Label:
    """A label for pictures of one size; drawn once, then blended into each frame.

    box: where it is, inside the title safe area of the picture.
    """

    def __init__(
        self,
        width: int,
        height: int,
        *,
        text: str = TEXT,
        place: Place = "top-left",
        capitals: float = CAPITALS,
        active: Box | None = None,
        fonts: Fonts = SHIPPED,
        full_range: bool = False,
        transfer: Transfer = "sdr",
    ) -> None:
        """Prepare a label for frames of width x height px.

        capitals: height of a capital as a share of the short side. active: the picture
        without black bars, None for all of it. full_range: luma 0..255 rather than
        16..235 of 255. Raises SynthesisError where the wording cannot be written, or
        is too long for the picture (label-does-not-fit).
        """
        self.width, self.height = width, height
        drawn = letters_for(width, height, text=text, active=active, fonts=fonts)
        size = _size(width, height, drawn, capitals)
        safe = _area(width, height, active).safe()
        if size[0] > max(safe.width, 2) or size[1] > max(safe.height, 2):
            raise SynthesisError(
                DOES_NOT_FIT,
                "The label's wording is too long for this picture, in letters of the"
                " height that the law asks for. Shorten it.",
            )
        self.box = safe.place(place, *size)
        self._ink = _fitted(drawn.ink, size)
        plate = PLATE * _fitted(drawn.plate, size)
        # y * keep + add: plate over picture, then text over plate.
        self._keep = (1 - self._ink) * (1 - plate)
        self._light = (1 - self._ink) * plate * GROUND + self._ink * INK[transfer]
        self._full_range = full_range
        self._contrast = 0.25 * 219 * INK[transfer] / INK["sdr"]
        self._add: dict[int, FloatPlane] = {}

    def apply(self, y: Plane, u: Plane, v: Plane) -> None:
        """Draw into the planes of one frame, in place: uint8, or uint16 holding 10-bit
        values 0..1023.

        y is (height, width); u and v are of that size, or of half of it rounded up in
        one direction or both.
        """
        if y.shape != (self.height, self.width):
            raise ValueError(f"frame is {y.shape}, the label expects another size")
        box = self.box
        unit = 1 if y.dtype == np.uint8 else 4
        luma = y[box.top : box.bottom, box.left : box.right]
        luma[...] = luma * self._keep + self._added(unit)
        grey = 128.0 * unit
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
            colour[...] = (colour - grey) * keep + (grey + 0.5)

    def _added(self, unit: int) -> FloatPlane:
        if unit not in self._add:
            black, span = (0, 256 * unit - 1) if self._full_range else (16, 219)
            if not self._full_range:
                black, span = black * unit, span * unit
            cover = 1 - self._keep
            self._add[unit] = self._light * span + cover * black + 0.5
        return self._add[unit]

    def present(self, y: Plane) -> bool:
        """Whether the label can be read on a decoded luma plane (height, width), uint8
        or uint16 of 10 bits.

        Compares the picture with the label as drawn: the letters must stand out from
        their plate as drawn, in shape and in at least a quarter of the contrast.
        """
        if y.shape != (self.height, self.width):
            return False
        box = self.box
        seen = y[box.top : box.bottom, box.left : box.right].astype(np.float32)
        if y.dtype != np.uint8:
            seen /= 4
        drawn = self._ink
        if seen.size < 2 or float(drawn.std()) == 0.0:
            return False
        shape = drawn - drawn.mean()
        rest = seen - seen.mean()
        common = float(np.sum(shape * rest))
        power = float(np.sum(shape * shape))
        strength = float(np.sqrt(power * np.sum(rest * rest)))
        correlation = common / strength if strength > 0 else 0.0
        return correlation >= PRESENT and common / power >= self._contrast


def label_box(
    width: int,
    height: int,
    place: Place,
    *,
    text: str = TEXT,
    capitals: float = CAPITALS,
    active: Box | None = None,
    fonts: Fonts = SHIPPED,
) -> Box:
    """Where Label would be, without drawing it there."""
    drawn = letters_for(width, height, text=text, active=active, fonts=fonts)
    size = _size(width, height, drawn, capitals)
    return _area(width, height, active).safe().place(place, *size)


def letters_for(
    width: int, height: int, *, text: str, active: Box | None, fonts: Fonts
) -> Lettering:
    """The wording in as many lines as suit a picture."""
    area = _area(width, height, active)
    capital = CAPITALS * max(min(width, height), 1)
    return lettering(text, fonts=fonts, widest=round(WIDEST * area.width / capital, 3))


def _area(width: int, height: int, active: Box | None) -> Box:
    return active or Box(0, 0, width, height)


def _size(
    width: int, height: int, drawn: Lettering, capitals: float
) -> tuple[int, int]:
    scale = capitals * min(width, height) / DRAWN_CAPITAL_PX
    across, down = (_even(side * scale) for side in drawn.ink.shape[::-1])
    return across, down


def _even(length: float) -> int:
    """Up to an even number: the letters must not come out lower than they shall."""
    whole = int(np.ceil(length - 1e-6))
    return whole + whole % 2 if whole > 2 else max(whole, 1)


def _fitted(drawn: FloatPlane, size: tuple[int, int]) -> FloatPlane:
    how = cv2.INTER_AREA if size[0] <= drawn.shape[1] else cv2.INTER_CUBIC
    fitted: Any = cv2.resize(drawn, size, interpolation=how)
    return np.asarray(np.clip(fitted, 0.0, 1.0), np.float32)
