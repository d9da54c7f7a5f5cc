"""What of an actor's footage is learned from, and what is kept back to judge by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec
from synthesis.faces.geometry import EYE_OUTER
from synthesis.faces.tracks import FaceTrack
from synthesis.neural.footage import FootageError
from synthesis.neural.prepare import CROPS
from synthesis.neural.references import APART_FRAMES
from synthesis.neural.speaker import MIN_FRAMES

LEAST_FACE_S, MOST_FACE_S = 5.0, 300.0
"""Of one actor's face in all. More than the most is left out: it adds little."""
LEAST_EYES_PX = 34.0
"""Across the outer eye corners: half of what the smaller crop has. Below, more pixels
would be invented than filmed."""
LARGE_FROM_EYES_PX = 120.0
HELD_SHARE = 0.15
"""The end of the footage, never trained on."""
PIECE_FRAMES = 500
"""Crops of so many frames are held in memory at once."""
CONTEXT_FRAMES, JUDGED_FRAMES = 50, 125
"""Of the excerpt: frames before what is judged, for references, and judged ones."""
SECOND_FACE_S = 0.5
SECOND_FACE_SHARE = 0.5
"""A second face as large as this share of the first makes it unclear who is meant."""


@dataclass(frozen=True)
class Stretch:
    """One face without a cut, from frame `first` of file number `source`; n frames.

    landmarks: float32 (n, 468, 3) px, NaN rows where missing. times_s: (n,), on the
    file's clock, the first picture at 0.
    """

    source: int
    first: int
    landmarks: NDArray[np.float32]
    times_s: NDArray[np.float64]

    @property
    def end(self) -> int:
        """One past the last frame."""
        return self.first + len(self.landmarks)

    @property
    def frame_s(self) -> float:
        return float(np.median(np.diff(self.times_s))) if len(self.times_s) > 1 else 0.0

    @property
    def seconds(self) -> float:
        return self.frame_s * len(self.times_s)

    @property
    def eyes_px(self) -> float:
        """Median distance of the outer eye corners."""
        return eyes_px(self.landmarks)

    def part(self, start: int, stop: int) -> Stretch:
        """Frames start..stop-1, counted from the stretch's own first."""
        return replace(
            self,
            first=self.first + start,
            landmarks=self.landmarks[start:stop],
            times_s=self.times_s[start:stop],
        )


@dataclass(frozen=True)
class Excerpt:
    """What the networks are compared on: frames of stretch from held_from on were
    never trained on; those before give references."""

    stretch: Stretch
    held_from: int


@dataclass(frozen=True)
class Plan:
    """Disjoint stretches to train on, the crop they are cut with, and the excerpt."""

    spec: CropSpec
    train: tuple[Stretch, ...]
    excerpt: Excerpt


def eyes_px(landmarks: NDArray[np.float32]) -> float:
    """Median distance of the outer eye corners, px, of (n, 468, 3) with NaN rows."""
    left, right = EYE_OUTER
    across = landmarks[:, left, :2] - landmarks[:, right, :2]
    return float(np.nanmedian(np.linalg.norm(across, axis=1)))


def only_face(
    name: str, tracks: Sequence[FaceTrack], times_s: NDArray[np.float64]
) -> list[FaceTrack]:
    """Return the largest face of each shot. Raises FootageError where a shot shows a
    second face of like size: nobody said which of them is the actor's."""
    kept = []
    frame_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.04
    for shot in sorted({track.shot for track in tracks}):
        faces = [track for track in tracks if track.shot == shot]
        faces.sort(key=lambda track: eyes_px(track.landmarks), reverse=True)
        main = faces[0]
        for other in faces[1:]:
            shared = _shared_frames(main, other) * frame_s
            like = eyes_px(other.landmarks) / eyes_px(main.landmarks)
            if shared >= SECOND_FACE_S and like >= SECOND_FACE_SHARE:
                raise FootageError(
                    "several-faces",
                    f"{name} shows several faces, and only the actor's may be learned"
                    " from. Upload it as a scene and say whose face each one is.",
                )
        kept.append(main)
    return kept


def plan(name: str, stretches: Sequence[Stretch]) -> Plan:
    """Choose what is trained on. name: of the actor, for refusals.

    Raises FootageError: no-face, face-too-small, too-little-footage.
    """
    if not stretches:
        raise FootageError(
            "no-face",
            f"No face was found in what {name} is to be learned from. Choose footage"
            " that shows it from the front, large and well lit.",
        )
    large = [s for s in stretches if s.eyes_px >= LEAST_EYES_PX]
    if not large:
        widest = max(s.eyes_px for s in stretches)
        raise FootageError(
            "face-too-small",
            f"The face is too small to learn from: {widest:.0f} pixels from eye to eye,"
            f" where {LEAST_EYES_PX:.0f} are needed. Use closer shots, or the same at"
            " a larger picture size.",
        )
    whole = _at_most([s for s in large if len(s.landmarks) >= MIN_FRAMES])
    seconds = sum(s.seconds for s in whole)
    if seconds < LEAST_FACE_S:
        raise FootageError(
            "too-little-footage",
            f"{seconds:.1f} s of {name}'s face are too little to learn from. At least"
            f" {LEAST_FACE_S:.0f} s are needed; one or two minutes are better.",
        )
    eyes = np.repeat([s.eyes_px for s in whole], [len(s.landmarks) for s in whole])
    size = "large" if float(np.median(eyes)) >= LARGE_FROM_EYES_PX else "general"
    train, excerpt = _held_back(whole)
    pieces = [
        stretch.part(start, start + PIECE_FRAMES)
        for stretch in train
        for start in range(0, len(stretch.landmarks), PIECE_FRAMES)
    ]
    kept = tuple(p for p in pieces if len(p.landmarks) >= MIN_FRAMES)
    return Plan(CROPS[size], kept, excerpt)


def _shared_frames(a: FaceTrack, b: FaceTrack) -> int:
    ends = (a.start + len(a.landmarks), b.start + len(b.landmarks))
    return max(0, min(ends) - max(a.start, b.start))


def _at_most(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The first MOST_FACE_S of the stretches."""
    kept, left_s = [], MOST_FACE_S
    for stretch in stretches:
        frames = int(left_s / max(stretch.frame_s, 1e-6))
        if frames >= MIN_FRAMES:
            kept.append(stretch.part(0, frames))
            left_s -= kept[-1].seconds
    return kept


def _held_back(stretches: Sequence[Stretch]) -> tuple[list[Stretch], Excerpt]:
    """Split off the end; nothing within APART_FRAMES of it is trained on."""
    left = round(HELD_SHARE * sum(len(s.landmarks) for s in stretches))
    train: list[Stretch] = []
    excerpts: list[Excerpt] = []
    for stretch in reversed(stretches):
        count = len(stretch.landmarks)
        held = min(left, count)
        left -= held
        if held >= 2:
            start = max(0, count - held - CONTEXT_FRAMES)
            stop = min(count, count - held + JUDGED_FRAMES)
            held_from = count - held - start
            excerpts.append(Excerpt(stretch.part(start, stop), held_from))
        gap = APART_FRAMES if held else 0
        train.append(stretch.part(0, max(0, count - held - gap)))
    longest = max(excerpts, key=lambda e: len(e.stretch.landmarks) - e.held_from)
    return train[::-1], longest
