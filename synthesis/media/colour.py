"""Colour of video: code points (ITU-T H.273) and the arithmetic between YUV and RGB."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FULL_RANGE = 2
_UNSPECIFIED = 2
_HD_LINES = 720
# Code point of the matrix: luma weights of red and blue.
_WEIGHTS = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}
_NAMES = {1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 9: "bt2020"}
MATRIX_CODES = {"bt709": 1, "fcc": 4, "bt601": 5, "smpte240m": 7, "bt2020": 9}
"""Name of a matrix to its code point, which FFmpeg's scaler shares."""


@dataclass(frozen=True)
class Colour:
    """Code points as found in the file, 2 = not said. range: 1 limited, 2 full."""

    matrix: int = 2
    range: int = 0
    primaries: int = 2
    transfer: int = 2

    @property
    def full_range(self) -> bool:
        return self.range == _FULL_RANGE

    @property
    def is_hdr(self) -> bool:
        """PQ or HLG: an 8-bit copy would band and must not be called the scene."""
        return self.transfer in (16, 18)

    def effective_matrix(self, height: int) -> str:
        """'bt601' | 'bt709' | 'bt2020' | ...; players' guess where none is said."""
        guess = "bt709" if height >= _HD_LINES else "bt601"
        return _NAMES.get(self.matrix, guess)


def rgb_to_yuv_matrix(
    matrix: str, full_range: bool, depth: int = 8
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(3, 3) matrix and (3,) offset, float32: RGB 0..255 to YUV of `depth` bits."""
    red, blue = _WEIGHTS[MATRIX_CODES[matrix]]
    green = 1 - red - blue
    luma = np.array([red, green, blue])
    rows = np.stack(
        [
            luma,
            (np.array([0, 0, 1]) - luma) / (2 * (1 - blue)),
            (np.array([1, 0, 0]) - luma) / (2 * (1 - red)),
        ]
    )
    offset = np.array([0.0, 128.0, 128.0])
    if not full_range:
        rows *= np.array([[219.0], [224.0], [224.0]]) / 255.0
        offset[0] = 16.0
    finer = 1 << (depth - 8)
    rows *= ((1 << depth) - 1) / 255.0 if full_range else finer
    return rows.astype(np.float32), (offset * finer).astype(np.float32)
