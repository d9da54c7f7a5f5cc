"""Where a mouth is left as filmed, and why: the one place that decides it.

An engine leaves these frames out, a producer reads them with their time codes. Nothing
here looks at a picture: what covers a mouth is found by faces.covering.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import filled, poses
from synthesis.faces.geometry import EYE_OUTER

MAX_YAW_DEGREES = 35.0
MAX_PITCH_DEGREES = 35.0
"""Turned further, the mouth is left alone: no such face was in the training."""
MIN_EYES_PX = 16.0
"""Across the outer eye corners: a smaller face shows no mouth worth changing."""
FADE_FRAMES = 4
"""Over so many frames the new mouth goes over into the filmed one."""

NO_FACE, TOO_SMALL, TURNED, COVERED, ASKED = (
    "no-face", "too-small", "turned", "covered", "asked",
)  # fmt: skip
REASONS = (NO_FACE, TOO_SMALL, TURNED, COVERED, ASKED)
_DRAWN = -1


@dataclass(frozen=True)
class LeftAlone:
    """Frames first_frame up to, not including, end_frame; reason is one of REASONS."""

    first_frame: int
    end_frame: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        return {
            "first_frame": self.first_frame,
            "end_frame": self.end_frame,
            "reason": self.reason,
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        return cls(
            int(fields["first_frame"]), int(fields["end_frame"]), str(fields["reason"])
        )


def left_alone(
    landmarks: NDArray[np.floating],
    *,
    covered: NDArray[np.bool_] | None = None,
    asked: NDArray[np.bool_] | None = None,
    start: int = 0,
) -> list[LeftAlone]:
    """Return the ranges of a track whose mouth is left as filmed, in order.

    landmarks: (n, 468, 3) px, NaN where no face was found. covered, asked: (n,) True
    where something is before the mouth, and where somebody wants it as filmed. start:
    number of the track's first frame, added to every range.
    """
    why = _reasons(landmarks, covered, asked)
    return [
        LeftAlone(start + first, start + end, REASONS[kind])
        for first, end, kind in _runs(why)
        if kind != _DRAWN
    ]


def frames_of(ranges: list[LeftAlone], reason: str, first: int, end: int) -> Any:
    """Return bool (end - first,): which frames from first on have this reason."""
    mask = np.zeros(end - first, np.bool_)
    for one in ranges:
        if one.reason == reason:
            mask[max(0, one.first_frame - first) : max(0, one.end_frame - first)] = True
    return mask


def drawn_frames(landmarks: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return (n,): True where a new mouth may be drawn on (n, 468, 3) landmarks."""
    return np.asarray(_reasons(landmarks, None, None) == _DRAWN)


def _reasons(
    landmarks: NDArray[np.floating],
    covered: NDArray[np.bool_] | None,
    asked: NDArray[np.bool_] | None,
) -> NDArray[np.int64]:
    """Return (n,): index into REASONS, or -1 where a mouth is drawn."""
    missing = np.isnan(landmarks[:, 0, 0])
    why = np.full(len(landmarks), _DRAWN)
    if not missing.all():
        points = filled(landmarks)
        pose = poses(points)
        far = np.abs(pose.yaw_degrees) > MAX_YAW_DEGREES
        why[far | (np.abs(pose.pitch_degrees) > MAX_PITCH_DEGREES)] = _index(TURNED)
        left, right = EYE_OUTER
        eyes = np.linalg.norm(points[:, left, :2] - points[:, right, :2], axis=1)
        why[eyes < MIN_EYES_PX] = _index(TOO_SMALL)
    # What is known for sure stands before what is seen, and a wish before all.
    why[missing] = _index(NO_FACE)
    for mask, reason in ((covered, COVERED), (asked, ASKED)):
        if mask is not None:
            why[mask] = _index(reason)
    return _without_glimpses(why)


def _without_glimpses(why: NDArray[np.int64]) -> NDArray[np.int64]:
    """Leave alone, too, what is too short between two ranges to fade in and out."""
    kept = why.copy()
    for first, end, kind in _runs(why):
        inner = first > 0 and end < len(why)
        if kind == _DRAWN and inner and end - first <= FADE_FRAMES:
            kept[first:end] = why[first - 1]
    return kept


def _runs(values: NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Yield (first, end, value) of each run of equal values."""
    if not len(values):
        return
    borders = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    for first, end in pairwise(borders):
        yield first, end, int(values[first])


def _index(reason: str) -> int:
    return REASONS.index(reason)
