"""What a dialogue supervisor asks of a dub, as kept in the database and checked.

No Django here. Frames are the scene's; faces are named by their number in the scene.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synthesis.engines.base import OPENING, WIDTH, Controls, KeyPoint, Stretch
from synthesis.errors import SynthesisError

AXES = {"opening": OPENING, "width": WIDTH}
OFFSET_FRAMES = (-25.0, 25.0)
INTENSITY = (0.0, 1.5)
POINT = (-4.0, 4.0)
"""Standard deviations of the lip code: no mouth in the training went further."""
MOST_RANGES = 100
MOST_POINTS = 5_000


class BadControl(SynthesisError):
    """A dial that cannot be set so."""


@dataclass(frozen=True)
class FaceSpan:
    """A face that may be drawn on: its number, and its frames."""

    number: int
    first_frame: int
    end_frame: int


@dataclass(frozen=True)
class Range:
    """Frames first_frame up to end_frame with dials of their own, for one face or, if
    face is None, for all of them. as_filmed: the mouth is left alone there."""

    first_frame: int
    end_frame: int
    face: int | None = None
    offset_frames: float = 0.0
    intensity: float = 1.0
    as_filmed: bool = False

    def touches(self, face: FaceSpan) -> bool:
        """Say whether a face is seen, and meant, within the range."""
        meant = self.face is None or self.face == face.number
        return (
            meant
            and self.first_frame < face.end_frame
            and face.first_frame < self.end_frame
        )


@dataclass(frozen=True)
class Dials:
    """All of a dub's controls. points: drawn by hand, by the number of the face."""

    offset_frames: float = 0.0
    intensity: float = 1.0
    ranges: tuple[Range, ...] = ()
    points: Mapping[int, tuple[KeyPoint, ...]] = field(default_factory=dict)

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """Read what to_json wrote; what is missing stands at its neutral value. Raises
        BadControl for a name that is no control."""
        unknown = set(fields) - {"offset_frames", "intensity", "ranges", "points"}
        if unknown:
            name = sorted(unknown)[0]
            raise BadControl("bad-control", f"There is no control named {name}.")
        return cls(
            offset_frames=fields.get("offset_frames", 0.0),
            intensity=fields.get("intensity", 1.0),
            ranges=tuple(Range(**one) for one in fields.get("ranges", ())),
            points={
                int(face): tuple(KeyPoint(*point) for point in points)
                for face, points in fields.get("points", {}).items()
            },
        )

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and lists; neutral controls are left out."""
        fields: dict[str, Any] = {}
        if self.offset_frames:
            fields["offset_frames"] = self.offset_frames
        if self.intensity != 1.0:
            fields["intensity"] = self.intensity
        if self.ranges:
            fields["ranges"] = [dict(vars(one)) for one in self.ranges]
        points = {
            str(face): [[p.frame, p.axis, p.value] for p in drawn]
            for face, drawn in self.points.items()
            if drawn
        }
        return fields | ({"points": points} if points else {})

    def checked(self, frame_count: int, faces: Iterable[FaceSpan]) -> Self:
        """Return self if every control can be met. Raises BadControl, which says in
        words which cannot."""
        known = {face.number: face for face in faces}
        _require_between("The offset", self.offset_frames, OFFSET_FRAMES, " frames")
        _require_between("The intensity", self.intensity, INTENSITY, "")
        if len(self.ranges) > MOST_RANGES:
            raise BadControl("too-many-ranges", f"At most {MOST_RANGES} ranges fit.")
        for one in self.ranges:
            _require_range(one, frame_count, known)
        for face in known.values():
            _require_apart([one for one in self.ranges if one.touches(face)])
        for number, points in self.points.items():
            _require_points(number, points, known)
        return self

    def only(self, faces: Iterable[FaceSpan]) -> Self:
        """Return self without what is meant for faces that do not speak any more."""
        numbers = {face.number for face in faces}
        return replace(
            self,
            ranges=tuple(r for r in self.ranges if r.face in numbers | {None}),
            points={n: p for n, p in self.points.items() if n in numbers},
        )

    def for_face(self, face: FaceSpan) -> Controls:
        """What the engine is told about one face, its frames counted from its first."""
        first, count = face.first_frame, face.end_frame - face.first_frame
        stretches = tuple(
            Stretch(
                max(0, one.first_frame - first),
                min(count, one.end_frame - first),
                one.offset_frames,
                one.intensity,
            )
            for one in self.ranges
            if one.touches(face) and not one.as_filmed
        )
        points = tuple(
            KeyPoint(point.frame - first, point.axis, point.value)
            for point in self.points.get(face.number, ())
        )
        return Controls(self.offset_frames, self.intensity, stretches, points)

    def as_filmed(self, face: FaceSpan) -> NDArray[np.bool_]:
        """Return (n,): on which of the face's frames the mouth is left alone."""
        mask = np.zeros(face.end_frame - face.first_frame, np.bool_)
        for one in self.ranges:
            if one.as_filmed and one.touches(face):
                start = max(0, one.first_frame - face.first_frame)
                mask[start : one.end_frame - face.first_frame] = True
        return mask


def _require_range(one: Range, frame_count: int, known: Mapping[int, FaceSpan]) -> None:
    if not 0 <= one.first_frame < frame_count or one.end_frame > frame_count:
        raise BadControl(
            "range-outside",
            f"A range must lie inside the scene: frame 0 to {frame_count - 1}.",
        )
    if one.end_frame <= one.first_frame:
        raise BadControl("range-empty", "A range must end after it has begun.")
    if one.face is not None and one.face not in known:
        raise BadControl("no-such-face", f"Face {one.face} does not speak in this dub.")
    _require_between("The offset of a range", one.offset_frames, OFFSET_FRAMES, "")
    _require_between("The intensity of a range", one.intensity, INTENSITY, "")


def _require_apart(ranges: list[Range]) -> None:
    for one, after in pairwise(sorted(ranges, key=lambda r: r.first_frame)):
        if after.first_frame < one.end_frame:
            raise BadControl(
                "ranges-overlap",
                f"Two ranges overlap at frame {after.first_frame}. Let one end before"
                " the other begins.",
            )


def _require_points(
    number: int, points: tuple[KeyPoint, ...], known: Mapping[int, FaceSpan]
) -> None:
    face = known.get(number)
    if face is None:
        raise BadControl("no-such-face", f"Face {number} does not speak in this dub.")
    if len(points) > MOST_POINTS:
        raise BadControl("too-many-points", f"At most {MOST_POINTS} points fit.")
    taken: set[tuple[int, int]] = set()
    for point in points:
        if not face.first_frame <= point.frame < face.end_frame:
            raise BadControl(
                "point-outside",
                f"Face {number} is seen from frame {face.first_frame} to"
                f" {face.end_frame - 1}; there is none at frame {point.frame}.",
            )
        _require_between(f"The value at frame {point.frame}", point.value, POINT, "")
        if (point.frame, point.axis) in taken:
            raise BadControl(
                "point-twice", f"Frame {point.frame} has two values. Keep one."
            )
        taken.add((point.frame, point.axis))


def _require_between(
    what: str, value: object, limits: tuple[float, float], unit: str
) -> None:
    low, high = limits
    if not isinstance(value, int | float) or not low <= value <= high:
        raise BadControl(
            "bad-control", f"{what} must lie between {low:g} and {high:g}{unit}."
        )
