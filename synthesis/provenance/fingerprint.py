"""What a video roughly looks like, second by second, in a few bytes.

Kept with a deliverable, it tells a mark that was copied onto another video from one
that is where it was put. It recognises, it does not prove: the same talker in the same
chair looks alike to it, and a cropped copy does not.
"""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

SECOND_BYTES = 8
SIDE_PX = 32
ALIKE = 0.75
"""From this similarity on, two videos are taken for the same pictures."""


class Fingerprint:
    """Collects the fingerprint of one video, frame by frame.

    For each second: the mean luma at 32x32, its cosine transform, and the signs of the
    64 lowest frequencies that vary across and down.
    """

    def __init__(self, rate: Fraction) -> None:
        """Prepare for `rate` frames a second."""
        self._frames_a_second = max(round(rate), 1)
        self._sum = np.zeros((0, 0), np.float32)
        self._count = 0
        self._seconds: list[bytes] = []

    def push(self, y: NDArray[np.uint8]) -> None:
        """Take the next luma plane, uint8 (H, W)."""
        if self._sum.shape != y.shape:
            self._close_second()
            self._sum = np.zeros(y.shape, np.float32)
        cv2.accumulate(y, self._sum)  # whole numbers, far below where float32 rounds
        self._count += 1
        if self._count == self._frames_a_second:
            self._close_second()

    def bytes(self) -> bytes:
        """Eight bytes for each second so far; a last half second or more counts."""
        if 2 * self._count >= self._frames_a_second or not self._seconds:
            self._close_second()
        return b"".join(self._seconds)

    def _close_second(self) -> None:
        if self._count:
            mean = cv2.resize(
                self._sum / self._count,
                (SIDE_PX, SIDE_PX),
                interpolation=cv2.INTER_AREA,
            )
            spectrum = cv2.dct(mean)
            signs = spectrum[1:9, 1:9].ravel() > 0
            self._seconds.append(np.packbits(signs).tobytes())
        self._sum[...] = 0.0
        self._count = 0


def similarity(one: bytes, other: bytes) -> float:
    """Share of equal bits where the two lie best over each other, 0..1.

    About 0.5 for strangers, near 1 for the same pictures; a clip is found anywhere in
    the longer one, to the second. 0 if either is empty.
    """
    short, long = sorted((_bits(one), _bits(other)), key=len)
    if not len(short):
        return 0.0
    starts = range(len(long) - len(short) + 1)
    return max(float(np.mean(short == long[at : at + len(short)])) for at in starts)


def _bits(fingerprint: bytes) -> NDArray[np.uint8]:
    whole = len(fingerprint) - len(fingerprint) % SECOND_BYTES
    packed = np.frombuffer(fingerprint[:whole], np.uint8)
    return np.unpackbits(packed).reshape(-1, 8 * SECOND_BYTES)
