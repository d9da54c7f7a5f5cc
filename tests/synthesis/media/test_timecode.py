from __future__ import annotations

from fractions import Fraction

import pytest

from synthesis.errors import TimecodeInvalid
from synthesis.media.timecode import can_drop, frame_to_timecode, timecode_to_frame

FILM, NTSC = Fraction(24_000, 1_001), Fraction(30_000, 1_001)


@pytest.mark.parametrize(
    ("frame", "rate", "text"),
    [
        (0, Fraction(25), "00:00:00:00"),
        (24, Fraction(25), "00:00:00:24"),
        (25, Fraction(25), "00:00:01:00"),
        (90_000, Fraction(25), "01:00:00:00"),
        (24 * 3_600, FILM, "01:00:00:00"),
        (119, Fraction(120), "00:00:00:119"),
    ],
)
def test_plain_counting(frame: int, rate: Fraction, text: str) -> None:
    assert frame_to_timecode(frame, rate) == text
    assert timecode_to_frame(text, rate) == frame


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (1_799, "00:00:59;29"),
        (1_800, "00:01:00;02"),
        (17_981, "00:09:59;29"),
        (17_982, "00:10:00;00"),
        (107_892, "01:00:00;00"),
    ],
)
def test_drop_frame_skips_labels_as_smpte_says(frame: int, text: str) -> None:
    assert frame_to_timecode(frame, NTSC, drop=True) == text
    assert timecode_to_frame(text, NTSC) == frame


def test_drop_frame_at_double_rate_skips_four() -> None:
    assert frame_to_timecode(3_600, 2 * NTSC, drop=True) == "00:01:00;04"
    assert timecode_to_frame("00:01:00;04", 2 * NTSC) == 3_600


@pytest.mark.parametrize("rate", [NTSC, 2 * NTSC])
def test_every_frame_of_a_quarter_hour_survives_the_way_there_and_back(
    rate: Fraction,
) -> None:
    labels = [frame_to_timecode(i, rate, drop=True) for i in range(int(rate * 900))]
    assert len(set(labels)) == len(labels)
    assert [timecode_to_frame(label, rate) for label in labels] == [*range(len(labels))]


def test_an_hour_of_drop_frame_is_an_hour_on_the_clock() -> None:
    frames = timecode_to_frame("01:00:00;00", NTSC)
    assert abs(frames / NTSC - 3_600) < Fraction(1, 100)


def test_a_scene_counts_from_its_own_first_label() -> None:
    assert frame_to_timecode(30, Fraction(25), first="10:00:00:00") == "10:00:01:05"
    assert timecode_to_frame("10:00:01:05", Fraction(25), first="10:00:00:00") == 30
    assert frame_to_timecode(2, NTSC, first="00:00:59;29") == "00:01:00;03"


def test_midnight_wraps() -> None:
    assert frame_to_timecode(1, Fraction(25), first="23:59:59:24") == "00:00:00:00"


@pytest.mark.parametrize(
    ("text", "rate", "code"),
    [
        ("soon", Fraction(25), "timecode-misspelt"),
        ("00:61:00:00", Fraction(25), "timecode-misspelt"),
        ("00:00:00:25", Fraction(25), "timecode-out-of-range"),
        ("24:00:00:00", Fraction(25), "timecode-out-of-range"),
        ("00:01:00;00", NTSC, "timecode-dropped"),
        ("00:00:10;00", Fraction(25), "timecode-no-drop"),
    ],
)
def test_labels_that_do_not_exist_are_refused(
    text: str, rate: Fraction, code: str
) -> None:
    with pytest.raises(TimecodeInvalid) as refused:
        timecode_to_frame(text, rate)
    assert refused.value.code == code


def test_negative_frames_and_rates_are_refused() -> None:
    with pytest.raises(TimecodeInvalid):
        frame_to_timecode(-1, Fraction(25))
    with pytest.raises(TimecodeInvalid):
        frame_to_timecode(1, Fraction(0))


def test_where_drop_frame_exists() -> None:
    assert can_drop(NTSC)
    assert can_drop(2 * NTSC)
    assert not can_drop(FILM)
    assert not can_drop(Fraction(30))
