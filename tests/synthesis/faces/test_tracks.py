"""Faces followed through shots: lost and found, several, none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.tracks import find_tracks

SCENE = Path(__file__).parents[3] / "synthesis" / "demo" / "robin.mp4"


def scene(count: int) -> list[NDArray[np.uint8]]:
    with av.open(str(SCENE)) as container:
        frames = islice(container.decode(video=0), count)
        return [frame.to_ndarray(format="rgb24")[::2, ::2].copy() for frame in frames]


def test_a_face_is_one_track_through_its_shot() -> None:
    (track,) = find_tracks(scene(12), [(0, 12)])
    assert (track.shot, track.start) == (0, 0)
    assert track.landmarks.shape == (12, 468, 3)
    assert track.landmarks.dtype == np.float32
    assert not np.isnan(track.landmarks).any()
    assert 0 <= track.best_frame < 12


def test_a_cut_ends_one_track_and_begins_another() -> None:
    tracks = list(find_tracks(scene(12), [(0, 5), (5, 12)]))
    assert [(t.shot, t.start, len(t.landmarks)) for t in tracks] == [
        (0, 0, 5),
        (1, 5, 7),
    ]


def test_a_face_gone_for_a_moment_stays_one_track_with_empty_rows() -> None:
    frames = scene(14)
    for number in (5, 6, 7):
        frames[number] = np.zeros_like(frames[number])
    (track,) = find_tracks(frames, [(0, 14)])
    missing = np.isnan(track.landmarks[:, 0, 0])
    assert missing.tolist() == [5 <= number <= 7 for number in range(14)]


def test_two_faces_are_two_tracks() -> None:
    frames = [np.concatenate([f, f], axis=1) for f in scene(4)]
    tracks = list(find_tracks(frames, [(0, 4)]))
    centres = sorted(float(t.landmarks[0, 4, 0]) for t in tracks)
    assert len(centres) == 2
    assert abs(centres[1] - centres[0] - 640) < 8


def test_a_shot_is_reported_when_it_ends_not_later() -> None:
    taken = 0

    def counted() -> Iterator[NDArray[np.uint8]]:
        nonlocal taken
        for frame in scene(9):
            taken += 1
            yield frame

    first = next(find_tracks(counted(), [(0, 4), (4, 9)]))
    assert first.shot == 0
    assert taken == 5


def test_tiny_odd_and_empty_pictures_have_no_tracks() -> None:
    tiny = [np.zeros((1, 1, 3), np.uint8)] * 3
    odd = [np.full((33, 101, 3), 128, np.uint8)] * 3
    assert list(find_tracks(tiny, [(0, 3)])) == []
    assert list(find_tracks(odd, [(0, 3)])) == []
    assert list(find_tracks([], [(0, 3)])) == []
    assert list(find_tracks(odd, [])) == []


def test_one_frame_is_a_shot_too() -> None:
    (track,) = find_tracks(scene(1), [(0, 1)])
    assert len(track.landmarks) == 1
