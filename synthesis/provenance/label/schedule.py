"""When a label is shown and where: constant within a shot, never over a mouth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from synthesis.errors import SynthesisError
from synthesis.provenance.label.drawing import (
    CAPITALS,
    DOES_NOT_FIT,
    LEAST_CAPITALS,
    TEXT,
    Label,
    Plane,
    Transfer,
    label_box,
)
from synthesis.provenance.label.lettering import SHIPPED, Fonts
from synthesis.provenance.label.places import CORNERS, MIDDLES, Box, Corner, Place

LEAST_OPENING_S: Final = 2
"""GB 45438-2025: seconds of a label at the beginning, at least."""

Frames = tuple[int, int]
"""First frame, and the frame after the last."""


@dataclass(frozen=True)
class FaceBoxes:
    """Where one face and its mouth are, frame by frame from first_frame on.

    mouth, face: int (n, 4) px of left, top, right, bottom; the mouth with the margin
    that it needs.
    """

    first_frame: int
    mouth: NDArray[np.int64]
    face: NDArray[np.int64]

    def during(self, frames: Sequence[Frames]) -> FaceBoxes:
        """The same in these frames alone."""
        count, first = len(self.mouth), self.first_frame
        kept = np.zeros(count, bool)
        for start, end in frames:
            kept[max(start - first, 0) : max(end - first, 0)] = True
        return FaceBoxes(first, self.mouth[kept], self.face[kept])


@dataclass(frozen=True)
class Sign:
    """What a label is drawn like, wherever it stands. As Label takes it."""

    width: int
    height: int
    text: str = TEXT
    active: Box | None = None
    fonts: Fonts = SHIPPED
    full_range: bool = False
    transfer: Transfer = "sdr"

    def box(self, place: Place, capitals: float = CAPITALS) -> Box:
        """Where the label is in a place."""
        return label_box(
            self.width,
            self.height,
            place,
            text=self.text,
            capitals=capitals,
            active=self.active,
            fonts=self.fonts,
        )

    def fits(self) -> bool:
        """Whether the wording is short enough. Raises where it cannot be written."""
        try:
            self.drawn("top-left")
        except SynthesisError as error:
            if error.code != DOES_NOT_FIT:
                raise
            return False
        return True

    def drawn(self, place: Place, capitals: float = CAPITALS) -> Label:
        """The label in a place. Raises as Label does."""
        return Label(place=place, capitals=capitals, **vars(self))


@dataclass(frozen=True)
class Spot:
    """A place for a label through one shot, and what is wrong with it.

    over_mouth: it covers a part of one, because there is no place that does not.
    moved: it is not where the policy wants it.
    """

    place: Place
    capitals: float = CAPITALS
    over_mouth: bool = False
    moved: bool = False


@dataclass(frozen=True)
class Shown:
    """A label on frames first_frame up to, not including, end_frame."""

    first_frame: int
    end_frame: int
    spot: Spot

    def to_json(self) -> dict[str, Any]:
        return {
            "first_frame": self.first_frame,
            "end_frame": self.end_frame,
            "place": self.spot.place,
            "smaller": self.spot.capitals < CAPITALS,
            "moved": self.spot.moved,
            "over_mouth": self.spot.over_mouth,
        }


class Schedule:
    """The labels of one file: which, if any, is on each frame."""

    def __init__(self, sign: Sign, shown: Sequence[Shown]) -> None:
        """shown: in order, none overlapping. Raises as Label does."""
        self.sign, self.shown = sign, tuple(shown)
        drawn = {
            one.spot: sign.drawn(one.spot.place, one.spot.capitals) for one in shown
        }
        self._labels = [drawn[one.spot] for one in shown]
        self._starts = np.array([one.first_frame for one in shown], np.int64)

    @classmethod
    def throughout(
        cls, sign: Sign, frame_count: int, place: Place = "top-left"
    ) -> Schedule:
        """One label in one place from the first frame to the last."""
        return cls(sign, [Shown(0, frame_count, Spot(place))])

    def at(self, frame: int) -> Label | None:
        """The label that is on a frame."""
        index = int(np.searchsorted(self._starts, frame, side="right")) - 1
        if index < 0 or frame >= self.shown[index].end_frame:
            return None
        return self._labels[index]

    def apply(self, frame: int, y: Plane, u: Plane, v: Plane) -> None:
        """Draw what is on that frame into its planes, as Label.apply takes them."""
        label = self.at(frame)
        if label is not None:
            label.apply(y, u, v)

    def lacks(self, frame: int, y: Plane) -> bool:
        """Whether a decoded frame should show a label, and does not. Where none has to
        be, one may be: the scene may have brought it along."""
        label = self.at(frame)
        return label is not None and not label.present(y)

    def to_json(self) -> list[dict[str, Any]]:
        """Where the label is from when to when, with what was wrong."""
        return [one.to_json() for one in self.shown]


def frames_shown(
    times_s: NDArray[np.float64],
    *,
    opening_s: float | None = None,
    breaks: Sequence[int] = (),
    every_s: float | None = None,
) -> list[Frames]:
    """The frames on which a label is shown; frame 0 is always the first of them.

    times_s: float64 (n,), when each frame begins, the first 0. opening_s: how long it
    stays each time, at least LEAST_OPENING_S; None for the whole length. breaks: frames
    with which the film goes on after a break. every_s: it comes back so often besides.
    """
    count = len(times_s)
    if opening_s is None:
        return [(0, count)]
    if opening_s < LEAST_OPENING_S:
        raise ValueError(f"a label stays for {LEAST_OPENING_S} s at least")
    starts = {0, *(one for one in breaks if 0 <= one < count)}
    if every_s:
        again = np.arange(every_s, float(times_s[-1]) + 1e-9, every_s)
        starts.update(int(one) for one in np.searchsorted(times_s, again - 1e-6))
    shown: list[Frames] = []
    for start in sorted(starts):
        ends_s = float(times_s[start]) + opening_s
        end = int(np.searchsorted(times_s, ends_s - 1e-6))
        if shown and start <= shown[-1][1]:
            start = shown.pop()[0]
        shown.append((start, end))
    return shown


def schedule(
    sign: Sign,
    *,
    frames: Sequence[Frames],
    shots: Sequence[Frames],
    faces: Sequence[FaceBoxes],
    corner: Corner | None = None,
) -> Schedule:
    """Find the label's place in each shot.

    frames: on which it is shown. shots: in order, all frames of the film. corner: where
    the house wants it, None for wherever it meets no face. It leaves a corner for one
    shot where it would meet a mouth there.
    """
    shown: list[Shown] = []
    last: Place | None = None
    for shot in shots:
        spans = list(_within(frames, shot))
        if spans:
            spot = _spot(sign, [face.during(spans) for face in faces], corner, last)
            shown += [Shown(start, end, spot) for start, end in spans]
            last = spot.place
    return Schedule(sign, shown)


def _within(frames: Sequence[Frames], shot: Frames) -> Iterator[Frames]:
    for start, end in frames:
        start, end = max(start, shot[0]), min(end, shot[1])
        if start < end:
            yield start, end


def _spot(
    sign: Sign,
    faces: Sequence[FaceBoxes],
    corner: Corner | None,
    last: Place | None,
) -> Spot:
    """The first place without a mouth: corners, corners in smaller letters, the middle
    of an edge; if there is none, the place that covers the least of them."""
    ways: list[tuple[Sequence[Place], float]] = [
        (CORNERS, CAPITALS),
        (CORNERS, LEAST_CAPITALS),
        (MIDDLES, CAPITALS),
        (MIDDLES, LEAST_CAPITALS),
    ]
    covered: list[tuple[int, int, Spot]] = []
    for places, capitals in ways:
        free: list[tuple[int, int, Spot]] = []
        for place in _ordered(places, corner, last):
            box = sign.box(place, capitals)
            mouths = sum(box.shared_px(face.mouth) for face in faces)
            seen = sum(box.shared_px(face.face) for face in faces)
            moved = corner is not None and place != corner
            spot = Spot(place, capitals, over_mouth=mouths > 0, moved=moved)
            (covered if mouths else free).append((mouths, seen, spot))
        if free:
            # The house's own corner counts for more than a face, not than a mouth.
            return free[0][2] if corner else min(free, key=lambda one: one[1])[2]
    return min(covered, key=lambda one: one[:2])[2]


def _ordered(
    places: Sequence[Place], corner: Corner | None, last: Place | None
) -> list[Place]:
    """The places, the best first: the house's corner, then the nearest to it along its
    edge; without one the corner of the shot before, so that it seldom jumps."""
    if corner is None:
        return sorted(places, key=lambda place: place != last)
    row, side = corner.split("-")
    return sorted(places, key=lambda p: (not p.startswith(row), not p.endswith(side)))
