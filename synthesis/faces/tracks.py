"""Faces followed through the shots of a scene, frame by frame, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.covering import covered_frames, look_at_mouth
from synthesis.faces.finder import FaceFinder
from synthesis.faces.geometry import EYE_OUTER, Box, Roi, overlap

DETECT_EVERY_FRAMES = 10
"""While every face is followed well, look for new faces only this often."""
PATIENCE_FRAMES = 25
"""A face lost for longer than this is another track when it comes back."""
MIN_PRESENCE = 0.5
MIN_OVERLAP = 0.25
MIN_SHARE_SEEN = 0.25
"""Tracks that hold a face on fewer of their frames are false alarms."""
MIN_FRAMES = 3
"""Shorter tracks are false alarms too, unless the shot itself is this short."""


@dataclass(frozen=True)
class FaceTrack:
    """One face through one shot.

    shot: index of the shot. start: number in the scene of the track's first frame.
    landmarks: float32 (n, 468, 3), frame pixels, NaN rows where the face was missing;
    first and last row are never NaN. best_frame: number in the scene of the frame that
    shows the face largest and most from the front. covered: (n,) True where something
    is before the mouth.
    """

    shot: int
    start: int
    landmarks: NDArray[np.float32]
    best_frame: int
    covered: NDArray[np.bool_]


@dataclass
class _Follower:
    """A face being followed; rows hold None where it was not seen."""

    start: int
    rows: list[NDArray[np.float32] | None] = field(default_factory=list)
    looks: list[NDArray[np.uint8] | None] = field(default_factory=list)
    last: NDArray[np.float32] | None = None
    missed: int = 0

    def see(self, frame: NDArray[np.uint8], landmarks: NDArray[np.float32]) -> None:
        self.rows.append(landmarks)
        self.looks.append(look_at_mouth(frame, landmarks))
        self.last = landmarks
        self.missed = 0

    def miss(self) -> None:
        self.rows.append(None)
        self.looks.append(None)
        self.missed += 1

    @property
    def edges(self) -> NDArray[np.float64]:
        if self.last is None:
            raise ValueError("a follower is born with a face")
        xy = self.last[:, :2].astype(np.float64)
        return np.concatenate([xy.min(0), xy.max(0)])


def find_tracks(
    frames: Iterable[NDArray[np.uint8]],
    shots: Sequence[tuple[int, int]],
    *,
    finder: FaceFinder | None = None,
) -> Iterator[FaceTrack]:
    """Yield each shot's tracks when the shot ends, longest and largest first.

    frames: the scene's RGB uint8 (H, W, 3) frames in order, read once, never held.
    shots: (first, past-the-last) frame numbers, ascending, not overlapping; frames
    outside every shot are skipped. Fewer frames than the shots promise is no error:
    the last shot ends where the frames do.
    """
    finder = finder or FaceFinder()
    remaining = iter(enumerate(shots))
    current = next(remaining, None)
    followers: list[_Follower] = []
    for number, frame in enumerate(frames):
        while current is not None and number >= current[1][1]:
            yield from _finished(current[0], followers)
            followers, current = [], next(remaining, None)
        if current is None:
            return
        first, _ = current[1]
        if number >= first:
            _follow(finder, frame, number, number - first, followers)
    if current is not None:
        yield from _finished(current[0], followers)


def _follow(
    finder: FaceFinder,
    frame: NDArray[np.uint8],
    number: int,
    since_cut: int,
    followers: list[_Follower],
) -> None:
    """Carry every follower one frame on; let new faces in."""
    alive = [f for f in followers if f.missed <= PATIENCE_FRAMES]
    lost: list[_Follower] = []
    for follower in alive:
        if follower.missed == 0 and _step(finder, frame, follower, alive):
            continue
        lost.append(follower)
    if lost or since_cut % DETECT_EVERY_FRAMES == 0 or not alive:
        _admit(finder, frame, number, followers, alive, lost)
    for follower in lost:
        follower.miss()


def _step(
    finder: FaceFinder,
    frame: NDArray[np.uint8],
    follower: _Follower,
    alive: list[_Follower],
) -> bool:
    """Fit the mesh where the face was a frame ago; False if it is gone."""
    if follower.last is None:
        return False
    landmarks, presence = finder.mesh(frame, Roi.around_landmarks(follower.last))
    if presence < MIN_PRESENCE:
        return False
    edges = _edges(landmarks)
    # Two followers must not slide onto the same face.
    taken = any(
        other is not follower
        and other.missed == 0
        and overlap(other.edges, edges) > 0.6
        for other in alive
    )
    if taken:
        return False
    follower.see(frame, landmarks)
    return True


def _admit(
    finder: FaceFinder,
    frame: NDArray[np.uint8],
    number: int,
    followers: list[_Follower],
    alive: list[_Follower],
    lost: list[_Follower],
) -> None:
    """Give detected faces to lost followers nearby, or to new followers."""
    followed = [f for f in alive if f not in lost]
    for box in finder.detect(frame):
        if any(_same_face(f, box) for f in followed):
            continue
        landmarks, presence = finder.mesh(frame, Roi.around_box(box))
        if presence < MIN_PRESENCE:
            continue
        # A second fit, centred by the first, is steadier.
        landmarks, presence = finder.mesh(frame, Roi.around_landmarks(landmarks))
        if presence < MIN_PRESENCE:
            continue
        owner = max(
            lost, key=lambda f: overlap(f.edges, _edges(landmarks)), default=None
        )
        if owner is None or not _near(owner.edges, _edges(landmarks)):
            owner = _Follower(start=number)
            followers.append(owner)
        else:
            lost.remove(owner)
        owner.see(frame, landmarks)
        followed.append(owner)


def _same_face(follower: _Follower, box: Box) -> bool:
    return overlap(follower.edges, box.edges) > MIN_OVERLAP or _inside(
        follower.edges, box.edges
    )


def _inside(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Tell whether the centre of b lies in a."""
    x, y = (b[0] + b[2]) / 2, (b[1] + b[3]) / 2
    return bool(a[0] <= x <= a[2] and a[1] <= y <= a[3])


def _near(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    return overlap(a, b) > MIN_OVERLAP or _inside(a, b)


def _edges(landmarks: NDArray[np.float32]) -> NDArray[np.float64]:
    xy = landmarks[:, :2].astype(np.float64)
    return np.concatenate([xy.min(0), xy.max(0)])


def _finished(shot: int, followers: list[_Follower]) -> Iterator[FaceTrack]:
    tracks = [track for f in followers if (track := _track(shot, f)) is not None]
    longest = max((len(f.rows) for f in followers), default=0)
    shortest = min(MIN_FRAMES, longest)
    kept = [t for t in tracks if len(t.landmarks) >= shortest]
    yield from sorted(kept, key=_weight, reverse=True)


def _track(shot: int, follower: _Follower) -> FaceTrack | None:
    rows = follower.rows
    while rows and rows[-1] is None:
        rows.pop()
    seen = [row is not None for row in rows]
    if not rows or np.mean(seen) < MIN_SHARE_SEEN:
        return None
    missing = np.full((468, 3), np.nan, np.float32)
    landmarks = np.stack([missing if row is None else row for row in rows])
    scores = [-1.0 if row is None else _portrait_score(row) for row in rows]
    best = follower.start + int(np.argmax(scores))
    covered = covered_frames(follower.looks[: len(rows)])
    return FaceTrack(shot, follower.start, landmarks, best, covered)


def _portrait_score(landmarks: NDArray[np.float32]) -> float:
    """Rate size times frontality: how even the nose sits between the eyes."""
    left, right = landmarks[EYE_OUTER[0], :2], landmarks[EYE_OUTER[1], :2]
    width = float(np.linalg.norm(right - left))
    along = float((landmarks[4, :2] - left) @ (right - left)) / max(width**2, 1e-6)
    return width * max(0.0, 1.0 - 2.0 * abs(along - 0.5))


def _weight(track: FaceTrack) -> float:
    """Rank by frames seen times face width."""
    edges = track.landmarks[:, EYE_OUTER, :2]
    widths = np.linalg.norm(edges[:, 0] - edges[:, 1], axis=1)
    return float(np.nansum(widths))
