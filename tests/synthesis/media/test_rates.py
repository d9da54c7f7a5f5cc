from __future__ import annotations

from fractions import Fraction

import pytest

from synthesis.media.rates import frame_rate, pack_rising, unpack_rising

MS = Fraction(1, 1_000)


@pytest.mark.parametrize(
    "rate",
    [Fraction(24_000, 1_001), Fraction(30_000, 1_001), Fraction(25), Fraction(24)],
)
def test_milliseconds_do_not_hide_a_constant_rate(rate: Fraction) -> None:
    pts = [round(i / rate / MS) for i in range(2_000)]
    assert frame_rate(pts, MS, None) == (rate, False)


def test_an_odd_but_even_rate_is_told_exactly() -> None:
    pts = [i * 1_024 for i in range(10)]
    assert frame_rate(pts, Fraction(1, 10_240), Fraction(10)) == (10, False)
    assert frame_rate([0, 7, 14, 21], Fraction(1, 70), None) == (10, False)


def test_one_missing_frame_makes_the_rate_variable() -> None:
    pts = [i for i in range(100) if i != 50]
    rate, variable = frame_rate(pts, Fraction(1, 25), Fraction(25))
    assert variable
    assert abs(rate - 25) < 1


def test_a_single_frame_has_the_declared_rate() -> None:
    assert frame_rate([0], MS, Fraction(24)) == (24, False)
    assert frame_rate([0], MS, None) == (25, False)


def test_stamps_are_packed_exactly_and_small() -> None:
    stamps = tuple(i * 1_001 for i in range(100_000))
    packed = pack_rising(stamps)
    assert unpack_rising(packed) == stamps
    assert len(packed) < 5_000
    assert unpack_rising(pack_rising(())) == ()
