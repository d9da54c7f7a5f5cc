"""The lip code on synthetic movements of the canonical face."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.align import CANONICAL
from synthesis.neural.control_training import opening_of
from synthesis.neural.lipcode import (
    CODE_SIZE,
    LIPS_OUTER,
    POINTS,
    LipCode,
    learn_lip_code,
    mouth_shapes,
    openings,
    rest_shape,
)


def talking(count: int = 120) -> NDArray[np.float64]:
    """Return (n, 468, 3): a face whose jaw drops and whose lips spread."""
    rng = np.random.default_rng(3)
    drop = np.abs(np.sin(np.arange(count) / 7))[:, None] * 8
    spread = np.sin(np.arange(count) / 5)[:, None] * 3
    faces = np.repeat(80.0 * CANONICAL[None], count, 0)
    below = [17, 14, 84, 314, 87, 317, 152, 148, 377, 199, 175, 200, 18, 83, 313]
    faces[:, below, 1] += drop
    faces[:, 61, 0] -= spread[:, 0]
    faces[:, 291, 0] += spread[:, 0]
    return faces + rng.normal(0, 0.05, faces.shape)


def learned() -> tuple[LipCode, NDArray[np.float64]]:
    shapes = mouth_shapes(talking())
    return learn_lip_code([shapes - rest_shape(shapes)]), shapes


def test_the_first_number_opens_the_mouth() -> None:
    code, shapes = learned()
    numbers = code.encode(shapes, rest_shape(shapes))
    assert numbers.shape == (120, CODE_SIZE)
    assert np.corrcoef(numbers[:, 0], openings(talking()))[0, 1] > 0.9
    assert opening_of(code)[0] > 0


def test_a_code_gives_its_shape_back() -> None:
    code, shapes = learned()
    rest = rest_shape(shapes)
    back = code.decode(code.encode(shapes, rest), rest)
    assert np.abs(back - shapes).max() < 0.01


def test_rest_is_code_zero() -> None:
    code, shapes = learned()
    rest = rest_shape(shapes)
    assert np.allclose(code.encode(rest[None], rest), 0)


def test_moving_and_turning_the_head_does_not_speak() -> None:
    face = 80.0 * CANONICAL
    angle = np.radians(12)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0],
                     [-np.sin(angle), 0, np.cos(angle)]])  # fmt: skip
    still = mouth_shapes(np.repeat(face[None], 5, 0))
    moved = mouth_shapes(np.repeat((1.3 * face @ turn.T + 50)[None], 5, 0))
    assert np.allclose(still, moved, atol=1e-5)


def test_the_rest_of_a_talking_face_is_its_closed_mouth() -> None:
    shapes = mouth_shapes(talking())
    lower, upper = POINTS.index(14), POINTS.index(13)
    gaps = shapes[:, lower, 1] - shapes[:, upper, 1]
    rest = rest_shape(shapes)
    assert rest[lower, 1] - rest[upper, 1] < np.percentile(gaps, 25)


def test_opening_does_not_depend_on_the_size_of_the_face() -> None:
    assert openings(talking()) == pytest.approx(openings(talking() * 3))


def test_outer_lips_are_a_ring_without_repeats() -> None:
    assert len(set(LIPS_OUTER)) == 20
    ring = CANONICAL[list(LIPS_OUTER), :2]
    steps = np.linalg.norm(np.diff(np.vstack([ring, ring[:1]]), axis=0), axis=1)
    assert steps.max() < 0.15
