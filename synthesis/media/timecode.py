"""SMPTE time code: frame numbers for people (SMPTE ST 12-1).

A frame is an integer, a rate a Fraction. Time code counts at the rounded rate; at
29.97 and 59.94 drop-frame skips labels (never frames) so that it keeps to the clock.
"""

from __future__ import annotations

import re
from fractions import Fraction

from synthesis.errors import TimecodeInvalid

_PATTERN = re.compile(r"(\d{1,2}):([0-5]\d):([0-5]\d)([:;.])(\d{2,3})")
_DAY_H = 24


def can_drop(rate: Fraction) -> bool:
    """Whether drop-frame counting exists at this rate: multiples of 30000/1001."""
    return (rate / Fraction(30_000, 1_001)).denominator == 1


def frame_to_timecode(
    frame: int, rate: Fraction, *, drop: bool = False, first: str | None = None
) -> str:
    """Label of a frame: 'HH:MM:SS:FF', or 'HH:MM:SS;FF' when labels are dropped.

    frame: 0 or more. rate: frames a second. first: the label of frame 0, as found in a
    file; its separator then decides about drop-frame. Wraps after 24 hours.
    Raises TimecodeInvalid.
    """
    base = _whole_rate(rate)
    if frame < 0:
        raise TimecodeInvalid("timecode-negative", "A frame number starts at 0.")
    if first is not None:
        drop = ";" in first
        frame += timecode_to_frame(first, rate)
    if drop:
        frame = _add_dropped_labels(frame, base, _dropped_a_minute(rate))
    minutes, rest = divmod(frame, base * 60)
    seconds, frames = divmod(rest, base)
    hours, minutes = divmod(minutes, 60)
    mark = ";" if drop else ":"
    digits = max(2, len(str(base - 1)))
    label = f"{hours % _DAY_H:02d}:{minutes:02d}:{seconds:02d}"
    return f"{label}{mark}{frames:0{digits}d}"


def timecode_to_frame(text: str, rate: Fraction, *, first: str | None = None) -> int:
    """Frame number of a label; ';' or '.' before the frames means drop-frame.

    first: the label of frame 0; the result may then be negative.
    Raises TimecodeInvalid for a misspelt label or one that drop-frame skips.
    """
    found = _PATTERN.fullmatch(text.strip())
    if not found:
        raise TimecodeInvalid(
            "timecode-misspelt",
            f"“{text[:20]}” is no time code. Write it as HH:MM:SS:FF.",
        )
    hours, minutes, seconds, frames = (int(found[i]) for i in (1, 2, 3, 5))
    base = _whole_rate(rate)
    if frames >= base or hours >= _DAY_H:
        raise TimecodeInvalid(
            "timecode-out-of-range",
            f"{text} does not exist: frames run from 0 to {base - 1} at this rate.",
        )
    total_minutes = hours * 60 + minutes
    frame = (total_minutes * 60 + seconds) * base + frames
    if found[4] != ":":
        dropped = _dropped_a_minute(rate)
        if minutes % 10 and seconds == 0 and frames < dropped:
            raise TimecodeInvalid(
                "timecode-dropped", f"{text} is skipped by drop-frame counting."
            )
        frame -= dropped * (total_minutes - total_minutes // 10)
    return frame - (timecode_to_frame(first, rate) if first else 0)


def _whole_rate(rate: Fraction) -> int:
    """The rate time code counts at: 23.976 counts 24, 29.97 counts 30."""
    if rate <= 0:
        raise TimecodeInvalid("rate-invalid", "A frame rate must be above 0.")
    return max(1, round(rate))


def _dropped_a_minute(rate: Fraction) -> int:
    if not can_drop(rate):
        raise TimecodeInvalid(
            "timecode-no-drop",
            f"Drop-frame exists at 29.97 and 59.94 frames a second, not at "
            f"{float(rate):.3f}. Write the time code with ':' throughout.",
        )
    return 2 * round(rate / Fraction(30_000, 1_001))


def _add_dropped_labels(frame: int, base: int, dropped: int) -> int:
    """Count of labels up to a frame, those skipped in nine of ten minutes included."""
    minute = base * 60 - dropped
    ten_minutes = minute * 10 + dropped
    tens, rest = divmod(frame, ten_minutes)
    frame += dropped * 9 * tens
    if rest >= base * 60:
        frame += dropped * (1 + (rest - base * 60) // minute)
    return frame
