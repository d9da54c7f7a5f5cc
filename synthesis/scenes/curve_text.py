"""A hand-drawn curve as lines of text, for those who type and for scripts.

A line is: frame or time code, opening, width. Either value may be missing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from synthesis.dials import BadControl
from synthesis.engines.base import OPENING, WIDTH, KeyPoint
from synthesis.errors import TimecodeInvalid
from synthesis.scenes.facts import Clock

COLUMNS = (OPENING, WIDTH)


def curve_write(points: Iterable[KeyPoint], clock: Clock) -> str:
    """One line a frame, in order."""
    rows: dict[int, dict[int, float]] = defaultdict(dict)
    for point in points:
        rows[point.frame][point.axis] = point.value
    return "\n".join(
        ", ".join([clock.label(frame), *(_shown(rows[frame], a) for a in COLUMNS)])
        for frame in sorted(rows)
    )


def curve_read(text: str, clock: Clock) -> tuple[KeyPoint, ...]:
    """The points a text means. Raises BadControl, which names the line."""
    points: list[KeyPoint] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                points += _line_read(line, clock)
            except (ValueError, TimecodeInvalid) as error:
                raise BadControl(
                    "bad-curve",
                    f"Line {number} of the curve cannot be read: write a frame or a"
                    " time code, then opening and width, with commas between them.",
                ) from error
    return tuple(points)


def _line_read(line: str, clock: Clock) -> list[KeyPoint]:
    place, *values = [part.strip() for part in line.split(",")]
    if not place or not any(values) or len(values) > len(COLUMNS):
        raise ValueError(line)
    frame = clock.frame(place)
    return [
        KeyPoint(frame, axis, float(value))
        for axis, value in zip(COLUMNS, values, strict=False)
        if value
    ]


def _shown(row: dict[int, float], axis: int) -> str:
    return f"{row[axis]:.2f}" if axis in row else ""
