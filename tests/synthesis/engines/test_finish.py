"""Detail is raised, and grain measured on what is filmed is laid on what is drawn."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.engines.finish import (
    finished,
    grain_between,
    grained,
    usual_grain,
)

SKIN = np.ones((96, 112), bool)


def face(seed: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    rough = rng.uniform(60, 200, (12, 14, 3)).astype(np.float32)
    return (
        cv2.resize(rough, (112, 96), interpolation=cv2.INTER_CUBIC)
        .clip(0, 255)
        .astype(np.uint8)
    )


@pytest.mark.parametrize("grain", [0.8, 1.5, 3.0])
def test_grain_laid_on_is_measured_again(grain: float) -> None:
    first, second = (grained(face(1), grain, frame) for frame in (5, 6))
    assert grain_between(first, second, SKIN) == pytest.approx(grain, rel=0.15)


def test_a_slow_change_of_light_is_no_grain() -> None:
    brighter = np.clip(face(1).astype(int) + 6, 0, 255).astype(np.uint8)
    assert grain_between(face(1), brighter, SKIN) < 0.1


def test_the_same_frame_has_the_same_grain_and_another_frame_another() -> None:
    picture = face(2)
    assert np.array_equal(grained(picture, 1.0, 3), grained(picture, 1.0, 3))
    assert not np.array_equal(grained(picture, 1.0, 3), grained(picture, 1.0, 4))


def test_without_skin_to_measure_nothing_is_laid_on() -> None:
    nothing = np.zeros_like(SKIN)
    assert usual_grain([grain_between(face(1), face(2), nothing)]) == 0.0
    assert np.array_equal(grained(face(1), 0.0, 1), face(1))


def test_a_flash_is_not_taken_for_grain() -> None:
    assert usual_grain([0.7, 0.8, 90.0]) == 0.8
    assert usual_grain([90.0]) <= 4.0


def test_a_finished_picture_has_more_detail_and_the_same_light() -> None:
    soft = cv2.GaussianBlur(grained(face(3), 8.0, 1), (0, 0), 0.5)
    made = finished(soft, 0.0, 7)
    detail = [cv2.Laplacian(p, cv2.CV_64F).var() for p in (soft, made)]
    assert 1.05 * detail[0] < detail[1] < 1.8 * detail[0]
    assert made.mean() == pytest.approx(soft.mean(), abs=0.5)
    assert np.abs(made.astype(int) - soft).max() < 20
