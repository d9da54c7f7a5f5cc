"""What was asked of the mouths, and what was left alone, in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from synthesis.dials import Dials, Range
from synthesis.faces import abstention
from synthesis.models import Render
from synthesis.scenes.facts import Clock

WHY = {
    abstention.NO_FACE: "No face was found.",
    abstention.TOO_SMALL: "The face is too small for its mouth to be seen.",
    abstention.TURNED: "The head is turned or tilted too far.",
    abstention.COVERED: "Something is in front of the mouth.",
    abstention.ASKED: "You asked for it.",
}


@dataclass(frozen=True)
class AsFilmed:
    """A range in which a face keeps the mouth it was filmed with: time codes of its
    first and last frame, and one sentence that says why."""

    face: int
    first: str
    last: str
    sentence: str


def left_alone_in_words(
    face: int, ranges: Iterable[dict[str, Any]], clock: Clock
) -> list[AsFilmed]:
    """ranges: as faces.abstention.LeftAlone writes them."""
    return [
        AsFilmed(
            face=face,
            first=clock.label(one["first_frame"]),
            last=clock.label(one["end_frame"] - 1),
            sentence=WHY[one["reason"]],
        )
        for one in ranges
    ]


def render_left_alone(render: Render, clock: Clock) -> list[AsFilmed]:
    """What a render left as filmed, face by face."""
    return [
        one
        for row in render.track_renders.all()
        for one in left_alone_in_words(row.track.number, row.left_alone, clock)
    ]


def dials_in_words(fields: dict[str, Any], clock: Clock) -> list[str]:
    """Each control that is not neutral, as a phrase."""
    dials = Dials.from_json(fields)
    words = settings_in_words(dials.offset_frames, dials.intensity)
    words += [range_in_words(one, clock) for one in dials.ranges]
    for face, points in sorted(dials.points.items()):
        many = "points" if len(points) > 1 else "point"
        words.append(f"face {face}: {len(points)} {many} drawn by hand")
    return words


def range_in_words(one: Range, clock: Clock) -> str:
    """'00:00:01:00 to 00:00:01:24, face 2: intensity 50 %'."""
    place = f"{clock.label(one.first_frame)} to {clock.label(one.end_frame - 1)}"
    if one.face is not None:
        place += f", face {one.face}"
    settings = settings_in_words(one.offset_frames, one.intensity)
    what = "left as filmed" if one.as_filmed else ", ".join(settings)
    return f"{place}: {what or 'as the sound asks'}"


def settings_in_words(offset_frames: float, intensity: float) -> list[str]:
    """'mouth 2 frames later', 'intensity 80 %'; nothing for what is neutral."""
    words = []
    if offset_frames:
        many = "frame" if abs(offset_frames) == 1 else "frames"
        side = "later" if offset_frames > 0 else "earlier"
        words.append(f"mouth {abs(offset_frames):g} {many} {side}")
    if intensity != 1.0:
        words.append(f"intensity {100 * intensity:.0f} %")
    return words
