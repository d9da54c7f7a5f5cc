"""Which frames stay as filmed, and for what reason."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.abstention import (
    ASKED,
    COVERED,
    MIN_EYES_PX,
    NO_FACE,
    TOO_SMALL,
    TURNED,
    LeftAlone,
    drawn_frames,
    frames_of,
    left_alone,
)
from synthesis.faces.align import CANONICAL


def faces(count: int, eyes_px: float = 60.0) -> NDArray[np.float32]:
    """Return (count, 468, 3) of a face that looks into the camera."""
    one = CANONICAL * eyes_px + [100.0, 100.0, 0.0]
    return np.repeat(one[None], count, axis=0).astype(np.float32)


def turned(landmarks: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    middle = landmarks.mean(1, keepdims=True)
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return ((landmarks - middle) @ turn.T + middle).astype(np.float32)


def mask(count: int, first: int, end: int) -> NDArray[np.bool_]:
    frames = np.arange(count)
    return np.asarray((frames >= first) & (frames < end))


def test_a_face_that_is_well_seen_is_drawn_on_every_frame() -> None:
    assert left_alone(faces(20)) == []
    assert drawn_frames(faces(20)).all()


def test_each_reason_is_named_with_its_frames_counted_in_the_scene() -> None:
    landmarks = faces(60)
    landmarks[10:15] = np.nan
    landmarks[30:40] = turned(landmarks[30:40], 60)
    found = left_alone(landmarks, start=100)
    assert found == [LeftAlone(110, 115, NO_FACE), LeftAlone(130, 140, TURNED)]


def test_a_face_smaller_than_the_least_is_too_small() -> None:
    assert left_alone(faces(5, MIN_EYES_PX - 1)) == [LeftAlone(0, 5, TOO_SMALL)]
    assert left_alone(faces(5, MIN_EYES_PX + 1)) == []


def test_a_track_without_any_face_is_one_range() -> None:
    nothing = np.full((7, 468, 3), np.nan, np.float32)
    assert left_alone(nothing) == [LeftAlone(0, 7, NO_FACE)]


@pytest.mark.parametrize("degrees", [0, 15, 30])
def test_a_moderate_turn_is_drawn(degrees: float) -> None:
    assert left_alone(turned(faces(5), degrees)) == []


def test_what_is_covered_or_asked_for_is_left_alone_and_a_wish_comes_first() -> None:
    found = left_alone(
        faces(40), covered=mask(40, 5, 20), asked=mask(40, 15, 30), start=0
    )
    assert found == [LeftAlone(5, 15, COVERED), LeftAlone(15, 30, ASKED)]


def test_between_two_ranges_no_mouth_flashes_up_that_could_not_even_fade_in() -> None:
    covered = mask(40, 10, 15) | mask(40, 19, 25)
    assert left_alone(faces(40), covered=covered) == [LeftAlone(10, 25, COVERED)]
    covered = mask(40, 10, 15) | mask(40, 20, 25)
    assert len(left_alone(faces(40), covered=covered)) == 2


def test_the_frames_at_the_ends_of_a_track_are_drawn_however_few() -> None:
    covered = mask(40, 2, 38)
    assert left_alone(faces(40), covered=covered) == [LeftAlone(2, 38, COVERED)]


def test_ranges_become_frames_of_a_track_again() -> None:
    ranges = [LeftAlone(95, 103, COVERED), LeftAlone(105, 106, NO_FACE)]
    assert frames_of(ranges, COVERED, 100, 108).tolist() == [True] * 3 + [False] * 5


def test_a_range_survives_json() -> None:
    one = LeftAlone(3, 9, TURNED)
    assert LeftAlone.from_json(one.to_json()) == one
