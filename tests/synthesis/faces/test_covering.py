"""Something before a mouth: painted over the demo actor's, and not there at all."""

from __future__ import annotations

from functools import cache
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.covering import covered_frames, look_at_mouth, unlikeness
from synthesis.faces.finder import FaceFinder
from synthesis.faces.geometry import Roi
from synthesis.faces.tracks import find_tracks

SCENE = Path(__file__).parents[3] / "synthesis" / "demo" / "robin.mp4"
FIRST, END, COUNT = 20, 32, 50
MICROPHONE, CUP, GLOVE = (25, 25, 25), (200, 205, 210), (60, 80, 140)

Frames = list[NDArray[np.uint8]]


@cache
def scene() -> tuple[Frames, NDArray[np.float32]]:
    """The demo scene at half its size, and its landmarks (COUNT, 468, 3)."""
    with av.open(str(SCENE)) as container:
        pictures = islice(container.decode(video=0), COUNT)
        frames = [p.to_ndarray(format="rgb24")[::2, ::2].copy() for p in pictures]
    (track,) = find_tracks(frames, [(0, COUNT)])
    return frames, track.landmarks


def painted(colour: tuple[int, int, int], first: int = FIRST, end: int = END) -> Frames:
    """The scene with an ellipse of a colour before the mouth on some frames."""
    frames, landmarks = scene()
    made = [frame.copy() for frame in frames]
    for number in range(first, end):
        points = landmarks[number]
        eyes_px = np.linalg.norm(points[33, :2] - points[263, :2])
        middle = tuple(points[[13, 14], :2].mean(0).round().astype(int).tolist())
        axes = (int(0.5 * eyes_px), int(0.32 * eyes_px))
        cv2.ellipse(made[number], middle, axes, 0, 0, 360, colour, -1)
    return made


def covered(frames: Frames) -> list[int]:
    """The frames on which the tracker finds something before the mouth."""
    (track,) = find_tracks(frames, [(0, len(frames))])
    return (track.start + np.flatnonzero(track.covered)).tolist()


@pytest.mark.parametrize("colour", [MICROPHONE, CUP, GLOVE])
def test_what_covers_the_mouth_is_found_on_its_frames(
    colour: tuple[int, int, int],
) -> None:
    found = covered(painted(colour))
    assert set(range(FIRST, END)) <= set(found)
    assert set(found) <= set(range(FIRST - 2, END + 2))


def test_a_hand_in_the_colour_of_the_skin_is_found_too() -> None:
    frames, landmarks = scene()
    x, y = landmarks[FIRST, 50, :2].round().astype(int)
    cheek = frames[FIRST][y - 4 : y + 4, x - 4 : x + 4].reshape(-1, 3).mean(0)
    red, green, blue = (int(value) for value in cheek)
    assert set(range(FIRST, END)) <= set(covered(painted((red, green, blue))))


def test_in_black_and_white_no_bare_mouth_is_taken_for_a_hand() -> None:
    grey = [
        np.repeat(f.mean(2, keepdims=True), 3, 2).astype(np.uint8) for f in scene()[0]
    ]
    assert covered(grey) == []


def test_a_speaking_mouth_covers_nothing() -> None:
    assert covered(scene()[0]) == []


def test_the_mesh_alone_would_not_notice() -> None:
    """Why colour is looked at: the network's own presence stays high."""
    frame, landmarks = painted(CUP)[FIRST], scene()[1][FIRST]
    _, presence = FaceFinder().mesh(frame, Roi.around_landmarks(landmarks))
    assert presence > 0.95


def test_a_change_of_the_light_is_not_something_before_the_mouth() -> None:
    warm = np.array([1.0, 0.85, 0.7])
    frames = [
        (frame * warm).astype(np.uint8) if FIRST <= number < END else frame
        for number, frame in enumerate(scene()[0])
    ]
    assert covered(frames) == []


def test_a_single_odd_frame_is_not_enough() -> None:
    assert covered(painted(CUP, FIRST, FIRST + 2)) == []


def test_frames_without_a_face_are_not_covered_but_missing() -> None:
    frames, landmarks = scene()
    looks = [look_at_mouth(f, p) for f, p in zip(frames, landmarks, strict=True)]
    gaps = [None if number in (7, 8) else look for number, look in enumerate(looks)]
    assert not covered_frames(gaps).any()
    assert not covered_frames([None] * 9).any()


def test_unlikeness_is_small_for_a_mouth_among_its_own() -> None:
    frames, landmarks = scene()
    looks = [look_at_mouth(f, p) for f, p in zip(frames, landmarks, strict=True)]
    assert unlikeness(np.stack(looks)).max() < 6
    over = [look_at_mouth(f, p) for f, p in zip(painted(CUP), landmarks, strict=True)]
    assert unlikeness(np.stack(over))[FIRST:END].min() > 9
