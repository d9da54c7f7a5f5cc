"""Time stamps: packed to be stored, and the exact frame rate found from them."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np

STANDARD_RATES = (
    *(Fraction(n * 1_000, 1_001) for n in (24, 30, 48, 60, 120)),
    *(Fraction(n) for n in (12, 15, 24, 25, 30, 48, 50, 60, 100, 120)),
)
_NEAR = Fraction(1, 100)
_ROUNDING_S = Fraction(1, 1_000)
"""Matroska rounds stamps to this, and they stay so in whatever is made of it."""
_DEFAULT = Fraction(25)


def frame_rate(
    pts: Sequence[int], time_base: Fraction, declared: Fraction | None
) -> tuple[Fraction, bool]:
    """(rate, variable?) of frames stamped pts, rising, the first 0, in time_base units.

    A rate is constant if one exact rate puts every frame within a millisecond of its
    stamp: containers that count in those round 23.976 to steps of 41 and 42. For a
    variable rate the answer is the average, snapped to a standard rate when near.
    """
    if len(pts) < 2:
        return declared or _DEFAULT, False
    average = (len(pts) - 1) / (pts[-1] * time_base)
    even = len({after - before for before, after in pairwise(pts)}) == 1
    if even and average in (declared, *STANDARD_RATES):
        return average, False
    near = [rate for rate in STANDARD_RATES if abs(rate / average - 1) < _NEAR]
    near.sort(key=lambda rate: (_farthest(pts, time_base, rate), rate != declared))
    for rate in (*near, declared, average):
        if rate and _farthest(pts, time_base, rate) <= _slack(time_base, rate):
            return rate, False
    return (near[0] if near else average.limit_denominator(1_001)), True


def _farthest(pts: Sequence[int], time_base: Fraction, rate: Fraction) -> Fraction:
    """How far any frame is from where this rate puts it, in units of time_base."""
    step = 1 / (rate * time_base)
    return max(abs(stamp - i * step) for i, stamp in enumerate(pts))


def _slack(time_base: Fraction, rate: Fraction) -> Fraction:
    step = 1 / (rate * time_base)
    return min(max(Fraction(1), _ROUNDING_S / time_base), step / 4)


def pack_rising(numbers: tuple[int, ...]) -> str:
    """Rising integers as base64 of zlib of their int64 differences: short and exact."""
    steps = np.diff(np.asarray((0, *numbers), np.int64))
    return base64.b64encode(zlib.compress(steps.astype("<i8").tobytes())).decode()


def unpack_rising(packed: str) -> tuple[int, ...]:
    """The integers that `pack_rising` packed."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(packed)), "<i8")
    return tuple(np.cumsum(steps).tolist())
