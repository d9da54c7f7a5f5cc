"""Portraits: upright, of one size, nothing but face, or a sentence why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lipweb.demo_production import SCENE
from synthesis.errors import SynthesisError
from synthesis.faces.align import CANONICAL
from synthesis.faces.finder import FaceFinder
from synthesis.faces.geometry import Roi
from synthesis.faces.portraits import (
    GREY,
    MOST,
    SPEC,
    Portraits,
    frames_worth_a_look,
    portraits_of,
)
from synthesis.media.frames import read_frames
from synthesis.media.probe import probe

Marks = NDArray[np.float32]


def faces(count: int, eyes_px: float, turn_deg: float = 0.0) -> Marks:
    """The mean face, so large and turned so far, at (300, 200)."""
    angle = np.radians(turn_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    face = CANONICAL @ turn.T * eyes_px + [300, 200, 0]
    return np.repeat(face[None].astype(np.float32), count, axis=0)


@pytest.fixture(scope="module")
def robin() -> tuple[NDArray[np.uint8], Marks]:
    """One frame of the demo scene and the landmarks in it."""
    (planes,) = read_frames(SCENE, probe(SCENE), 20, 21)
    frame, finder = planes.rgb(), FaceFinder()
    marks, _ = finder.mesh(frame, Roi.around_box(finder.detect(frame)[0]))
    marks, _ = finder.mesh(frame, Roi.around_landmarks(marks))
    return frame, marks


def cut(frame: NDArray[np.uint8], marks: Marks) -> Portraits:
    def read(rows: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        return (frame for _ in rows)

    return portraits_of(marks[None], read)


def test_a_portrait_is_upright_and_of_one_size_however_the_head_is_held(
    robin: tuple[NDArray[np.uint8], Marks],
) -> None:
    frame, marks = robin
    tilt = cv2.getRotationMatrix2D((640.0, 360.0), 20, 0.6)
    tilted = cv2.warpAffine(frame, tilt, (1280, 720))
    moved = marks.copy()
    moved[:, :2] = marks[:, :2] @ tilt[:, :2].T + tilt[:, 2]
    straight = cut(frame, marks)
    crooked = cut(np.asarray(tilted, np.uint8), moved)
    assert straight.pictures.shape == (1, SPEC.height, SPEC.width, 3)
    assert np.allclose(straight.points, crooked.points, atol=0.2)
    apart = straight.faces_only().astype(int) - crooked.faces_only()
    assert np.abs(apart).mean() < 3
    assert crooked.eyes_px[0] == pytest.approx(0.6 * straight.eyes_px[0], rel=0.01)


def test_what_is_off_the_face_is_painted_over(
    robin: tuple[NDArray[np.uint8], Marks],
) -> None:
    only = cut(*robin).faces_only()[0]
    corners = only[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == GREY).all()
    assert only[96, 96].tolist() != [GREY] * 3


def test_portraits_survive_the_disk(robin: tuple[NDArray[np.uint8], Marks]) -> None:
    made = cut(*robin)
    read = Portraits.from_bytes(made.to_bytes())
    assert np.array_equal(read.pictures, made.pictures)
    assert np.array_equal(read.points, made.points)
    assert made.sheet().startswith(b"\xff\xd8")


def test_frames_are_spread_over_the_track_and_only_where_a_face_is() -> None:
    marks = faces(100, 60)
    marks[40:60] = np.nan
    rows = frames_worth_a_look(marks)
    assert len(rows) == MOST
    assert rows[0] < 20
    assert rows[-1] > 80
    assert not set(rows) & set(range(40, 60))
    assert list(frames_worth_a_look(marks[:1])) == [0]


@pytest.mark.parametrize(
    ("marks", "code"),
    [
        (faces(5, 20), "face-too-small"),
        (faces(5, 60, turn_deg=55), "face-turned-away"),
    ],
)
def test_a_face_that_cannot_be_told_is_shown_but_not_measured(
    marks: Marks, code: str
) -> None:
    def read(rows: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        return (np.zeros((400, 600, 3), np.uint8) for _ in rows)

    with pytest.raises(SynthesisError) as refused:
        portraits_of(marks, read)
    assert refused.value.code == code
    assert len(portraits_of(marks, read, to_show=True)) == 3


def test_of_several_shots_the_sheet_shows_each(
    robin: tuple[NDArray[np.uint8], Marks],
) -> None:
    one = cut(*robin)
    for shots, tiles in ((1, (1, 1)), (2, (1, 2)), (6, (2, 4))):
        sheet = np.frombuffer(Portraits.of_shots([one] * shots).sheet(), np.uint8)
        height, width, _ = cv2.imdecode(sheet, cv2.IMREAD_COLOR).shape
        assert (height, width) == (160 * tiles[0], 160 * tiles[1])
    six = Portraits.of_shots([one] * 6)
    assert Portraits.from_bytes(six.to_bytes()).shots.tolist() == list(range(6))
