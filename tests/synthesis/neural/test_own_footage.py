"""Which seconds of an actor's footage are learned from, and which are kept back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.align import CANONICAL
from synthesis.faces.tracks import FaceTrack
from synthesis.neural.footage import FootageError
from synthesis.neural.own_footage import (
    HELD_SHARE,
    JUDGED_FRAMES,
    MOST_FACE_S,
    PIECE_FRAMES,
    Stretch,
    only_face,
    plan,
)
from synthesis.neural.references import APART_FRAMES

RATE = 25


def face(frames: int, eyes_px: float) -> NDArray[np.float32]:
    rows = np.repeat((CANONICAL * eyes_px + 300)[None], frames, axis=0)
    return rows.astype(np.float32)


def stretch(
    seconds: float, *, eyes_px: float = 80.0, source: int = 0, first: int = 0
) -> Stretch:
    frames = round(seconds * RATE)
    times_s = (first + np.arange(frames)) / RATE
    return Stretch(source, first, face(frames, eyes_px), times_s)


def refusal(*stretches: Stretch) -> str:
    with pytest.raises(FootageError) as refused:
        plan("Robin", stretches)
    assert refused.value.sentence.endswith(".")
    return refused.value.code


def test_the_end_is_kept_back_and_nothing_near_it_is_trained_on() -> None:
    chosen = plan("Robin", [stretch(20)])
    (piece,) = chosen.train
    judged = chosen.excerpt.stretch
    first_judged = judged.first + chosen.excerpt.held_from
    assert first_judged == round(20 * RATE * (1 - HELD_SHARE))
    assert piece.end == first_judged - APART_FRAMES
    assert judged.end == 20 * RATE


def test_what_is_kept_back_may_reach_over_several_stretches() -> None:
    chosen = plan("Robin", [stretch(10), stretch(1, source=1), stretch(1, source=2)])
    assert {piece.source for piece in chosen.train} == {0}
    assert chosen.excerpt.stretch.source in (1, 2)


def test_the_excerpt_is_the_longest_that_is_kept_back_and_not_too_long() -> None:
    chosen = plan("Robin", [stretch(100), stretch(1, source=1)])
    excerpt = chosen.excerpt
    assert excerpt.stretch.source == 0
    judged = len(excerpt.stretch.landmarks) - excerpt.held_from
    assert judged == JUDGED_FRAMES
    assert all(
        piece.end <= excerpt.stretch.first + excerpt.held_from
        for piece in chosen.train
        if piece.source == 0
    )


def test_long_stretches_are_cut_in_pieces_without_losing_a_frame() -> None:
    chosen = plan("Robin", [stretch(60)])
    assert all(len(piece.landmarks) <= PIECE_FRAMES for piece in chosen.train)
    for before, after in zip(chosen.train, chosen.train[1:], strict=False):
        assert before.end == after.first
        assert after.times_s[0] > before.times_s[-1]


def test_more_than_enough_is_left_out() -> None:
    chosen = plan("Robin", [stretch(200, source=i) for i in range(3)])
    assert sum(piece.seconds for piece in chosen.train) <= MOST_FACE_S


@pytest.mark.parametrize(("eyes_px", "width"), [(60, 112), (119, 112), (121, 288)])
def test_the_crop_is_as_large_as_the_face_was_filmed(
    eyes_px: float, width: int
) -> None:
    assert plan("Robin", [stretch(8, eyes_px=eyes_px)]).spec.width == width


def test_footage_that_cannot_be_learned_from_is_refused_with_its_reason() -> None:
    assert refusal() == "no-face"
    assert refusal(stretch(60, eyes_px=20)) == "face-too-small"
    assert refusal(stretch(4.5)) == "too-little-footage"
    assert refusal(stretch(3), stretch(60, eyes_px=20)) == "too-little-footage"


def track(shot: int, start: int, frames: int, eyes_px: float) -> FaceTrack:
    nothing = np.zeros(frames, bool)
    return FaceTrack(shot, start, face(frames, eyes_px), start, nothing)


TIMES_S = np.arange(500) / RATE


def test_two_faces_side_by_side_are_refused_since_nobody_said_whose() -> None:
    both = [track(0, 0, 100, 90), track(0, 20, 60, 70)]
    with pytest.raises(FootageError, match="say whose face") as refused:
        only_face("two.mp4", both, TIMES_S)
    assert refused.value.code == "several-faces"


def test_a_small_face_behind_and_a_face_in_another_shot_are_no_hindrance() -> None:
    main, behind, later = (
        track(0, 0, 100, 90),
        track(0, 0, 100, 30),
        track(1, 100, 50, 80),
    )
    assert only_face("film.mp4", [behind, main, later], TIMES_S) == [main, later]
