"""A wording as a drawing: real letters of any script that a font at hand can write."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise

import cv2
import numpy as np
import uharfbuzz
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, features

from consent.fonts import BOLD
from synthesis.errors import SynthesisError

DRAWN_CAPITAL_PX = 144
"""Height of a capital in the drawing, which is then made smaller: 6 % of 2160 lines."""
FONT_SETTING = "LIPWEB_LABEL_FONT"
MOST_LINES = 3

_TRIAL_PX = 1000
# The rest of the drawing, as shares of a capital's height.
_GAP, _PADDING = 0.4, 0.52
_JOINERS = "\u200c\u200d"
# Scripts whose letters change with their neighbours, or run from right to left: drawn
# letter by letter they would be wrong.
_NEED_SHAPING = (
    *("ARABIC", "HEBREW", "SYRIAC", "THAANA", "NKO", "DEVANAGARI", "BENGALI"),
    *("GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM"),
    *("SINHALA", "THAI", "LAO", "TIBETAN", "MYANMAR", "KHMER", "MONGOLIAN"),
)

FloatPlane = NDArray[np.float32]


@dataclass(frozen=True)
class Lettering:
    """Cover of the letters and of the plate behind them, float32 0..1, of one shape:
    drawn large, with capitals of DRAWN_CAPITAL_PX."""

    ink: FloatPlane
    plate: FloatPlane


@dataclass(frozen=True)
class Fonts:
    """The fonts at hand, the first that has all letters of a wording writes it."""

    paths: tuple[str, ...] = (str(BOLD),)

    @classmethod
    def with_own(cls, own: str | os.PathLike[str] = "") -> Fonts:
        """The font that ships, and after it the house's own where one is named."""
        return cls((str(BOLD), str(own))) if str(own) else cls()

    def writing(self, text: str) -> str:
        """Path of the font for a wording. Raises SynthesisError label-font-unusable,
        label-letters-missing, label-script-unsupported."""
        missing: list[str] = []
        for path in self.paths:
            lacks = _missing(text, path)
            if not lacks:
                break
            missing = min(missing or lacks, lacks, key=len)
        else:
            letters = " ".join(dict.fromkeys(missing))
            raise SynthesisError(
                "label-letters-missing",
                f"The label's font has no {letters}. Write the label in other letters,"
                f" or let {FONT_SETTING} name a font file that has them.",
            )
        if needs_shaping(text) and not features.check("raqm"):
            raise SynthesisError(
                "label-script-unsupported",
                "The label's letters cannot be joined and ordered rightly on this"
                " machine. Write the label in other letters, or have FriBiDi"
                " (libfribidi) installed.",
            )
        return path

    def can_write(self, text: str) -> bool:
        """Whether writing() finds a font."""
        try:
            self.writing(text)
        except SynthesisError:
            return False
        return True


SHIPPED = Fonts()


def needs_shaping(text: str) -> bool:
    """Whether letters of the text change with their neighbours or run to the left."""
    names = (unicodedata.name(one, "") for one in text)
    return any(name.startswith(_NEED_SHAPING) for name in names)


def lettering(text: str, *, fonts: Fonts, widest: float) -> Lettering:
    """Draw a wording in as few lines as keep it narrower than `widest` capitals are
    high, or else as narrow as it can be. Raises what Fonts.writing does."""
    return _drawn(text, fonts.writing(text), widest)


@lru_cache(maxsize=8)
def _drawn(text: str, path: str, widest: float) -> Lettering:
    font = _sized(path, text)
    lines = _lines(text, font, widest * DRAWN_CAPITAL_PX)
    boxes = [font.getbbox(line, anchor="ls") for line in lines]
    above = -min(box[1] for box in boxes)
    below = max(box[3] for box in boxes)
    pitch = above + below + _GAP * DRAWN_CAPITAL_PX
    pad = round(_PADDING * DRAWN_CAPITAL_PX)
    width = max(box[2] - box[0] for box in boxes)
    height = above + below + pitch * (len(lines) - 1)
    sheet = Image.new("L", (round(width) + 2 * pad, round(height) + 2 * pad))
    pen = ImageDraw.Draw(sheet)
    for row, (line, box) in enumerate(zip(lines, boxes, strict=True)):
        start = pad + (width - box[2] + box[0]) / 2 - box[0]
        pen.text((start, pad + above + row * pitch), line, 255, font, anchor="ls")
    ink = np.asarray(sheet)
    return Lettering(np.asarray(ink / 255, np.float32), _plate(ink.shape, pad // 2))


def _plate(shape: tuple[int, ...], edge: int) -> FloatPlane:
    core = np.zeros(shape, np.uint8)
    core[edge:-edge, edge:-edge] = 255
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * edge + 1, 2 * edge + 1))
    return np.asarray(cv2.dilate(core, disc) / 255, np.float32)


def font_read(path: str) -> ImageFont.FreeTypeFont:
    """A font file, opened. Raises SynthesisError label-font-unusable."""
    try:
        return ImageFont.truetype(path, _TRIAL_PX)
    except OSError as error:
        raise _unusable() from error


def _sized(path: str, text: str) -> ImageFont.FreeTypeFont:
    """The font in the size in which the wording's letters are a capital high."""
    trial = font_read(path)
    tallest = -trial.getbbox(text, anchor="ls")[1]
    if any(one.isupper() or one.islower() for one in text):
        # An accent above a capital is no part of its height.
        tallest = min(tallest, -trial.getbbox("H", anchor="ls")[1])
    return ImageFont.truetype(path, _TRIAL_PX * DRAWN_CAPITAL_PX / max(tallest, 1))


def _lines(text: str, font: ImageFont.FreeTypeFont, widest_px: float) -> list[str]:
    words = text.split(" ")
    best = [text]
    for count in range(1, min(MOST_LINES, len(words)) + 1):
        cuts = combinations(range(1, len(words)), count - 1)
        broken = ([*_broken(words, cut)] for cut in cuts)
        lines = min(broken, key=lambda some: _widest(some, font))
        if _widest(lines, font) < _widest(best, font):
            best = lines
        if _widest(best, font) <= widest_px:
            break
    return best


def _broken(words: list[str], cuts: tuple[int, ...]) -> list[str]:
    ends = (0, *cuts, len(words))
    return [" ".join(words[a:b]) for a, b in pairwise(ends)]


def _widest(lines: list[str], font: ImageFont.FreeTypeFont) -> float:
    boxes = [font.getbbox(line, anchor="ls") for line in lines]
    return max(box[2] - box[0] for box in boxes)


@lru_cache(maxsize=8)
def _letters(path: str) -> uharfbuzz.Font:
    font_read(path)
    return uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(path)))


def _missing(text: str, path: str) -> list[str]:
    font = _letters(path)
    return [
        one
        for one in text
        if not one.isspace()
        and one not in _JOINERS
        and not font.get_nominal_glyph(ord(one))
    ]


def _unusable() -> SynthesisError:
    return SynthesisError(
        "label-font-unusable",
        "The label's font cannot be read. Let whoever runs lipweb put a TrueType or"
        f" OpenType file where {FONT_SETTING} points.",
    )
