"""A curve as text: what is written is read again, a bad line is named."""

from __future__ import annotations

from fractions import Fraction

import pytest

from synthesis.dials import BadControl
from synthesis.engines.base import OPENING, WIDTH, KeyPoint
from synthesis.scenes.curve_text import curve_read, curve_write
from synthesis.scenes.facts import Clock

CLOCK = Clock(Fraction(25), 100, first="01:00:00:00")
POINTS = (
    KeyPoint(5, OPENING, 1.5),
    KeyPoint(30, OPENING, 0.0),
    KeyPoint(30, WIDTH, -2.25),
)


def test_a_curve_is_written_one_line_a_frame() -> None:
    assert curve_write(reversed(POINTS), CLOCK) == (
        "01:00:00:05, 1.50, \n01:00:01:05, 0.00, -2.25"
    )


def test_what_is_written_is_read_again() -> None:
    assert set(curve_read(curve_write(POINTS, CLOCK), CLOCK)) == set(POINTS)


def test_frames_may_be_numbers_and_empty_lines_mean_nothing() -> None:
    assert curve_read("5, 1.5\n\n  7,,2 \n", CLOCK) == (
        KeyPoint(5, OPENING, 1.5),
        KeyPoint(7, WIDTH, 2.0),
    )


@pytest.mark.parametrize(
    "line", ["5", "5,", "wide, 1", "5, open", "5, 1, 2, 3", "00:61:00:00, 1", ", 1"]
)
def test_a_line_that_means_nothing_is_named(line: str) -> None:
    with pytest.raises(BadControl, match="Line 2 of the curve") as refusal:
        curve_read(f"5, 1\n{line}", CLOCK)
    assert refusal.value.code == "bad-curve"
