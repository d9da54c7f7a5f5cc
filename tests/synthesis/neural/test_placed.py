"""References brought to a target's pose and light, by several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec
from synthesis.neural.dataset import MAX_GAIN, Placed, in_place, lit, moved
from synthesis.neural.references import Bank

SPEC = CropSpec(32, 24, 20.0)
PICTURES = 60
RNG = np.random.default_rng(5)
CROPS: NDArray[np.uint8] = RNG.integers(0, 256, (PICTURES, 24, 32, 3), np.uint8)
SQUARE = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
PLACES = SQUARE + RNG.normal(0, 0.1, (PICTURES, 4, 2))
LIGHTS = RNG.uniform(60, 200, (PICTURES, 3)).astype(np.float32)


@pytest.fixture
def placed() -> Placed:
    return Placed(CROPS, PLACES, SPEC)


def test_a_picture_in_its_own_place_stays_as_it_is() -> None:
    assert np.array_equal(moved(CROPS[3], PLACES[3], PLACES[3], SPEC), CROPS[3])


def test_a_picture_follows_its_places() -> None:
    right = PLACES[3] + [4 / SPEC.px_per_eyes, 0]
    made = moved(CROPS[3], PLACES[3], right, SPEC)
    assert np.array_equal(made[:, 4:], CROPS[3][:, :-4])


def test_what_is_kept_is_what_would_be_made(placed: Placed) -> None:
    wanted = PLACES.mean(0)
    for rows in (np.array([3, 9]), np.array([9, 3]), np.arange(PICTURES)):
        for row, made in zip(rows, placed(rows, wanted), strict=True):
            assert np.array_equal(made, moved(CROPS[row], PLACES[row], wanted, SPEC))


def test_the_same_picture_for_the_same_places_is_made_once(placed: Placed) -> None:
    wanted = PLACES.mean(0)
    (first,) = placed(np.array([3]), wanted)
    (again,) = placed(np.array([3]), wanted.copy())
    (other,) = placed(np.array([3]), wanted + 0.1)
    assert again is first
    assert not np.array_equal(other, first)


def test_only_so_many_are_kept(placed: Placed) -> None:
    wanted = PLACES.mean(0)
    made = placed(np.arange(PICTURES), wanted)
    assert placed(np.array([PICTURES - 1]), wanted)[0] is made[-1]
    assert placed(np.array([0]), wanted)[0] is not made[0]
    assert len(placed._made) == Placed.KEPT < PICTURES


def test_threads_may_share_it(placed: Placed) -> None:
    targets = [PLACES[row] for row in range(8)]

    def all_right(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        for _ in range(60):
            rows, wanted = rng.integers(0, PICTURES, 4), targets[rng.integers(8)]
            for row, made in zip(rows, placed(rows, wanted), strict=True):
                expected = moved(CROPS[row], PLACES[row], wanted, SPEC)
                if not np.array_equal(made, expected):
                    return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(all_right, range(4)))


def test_light_is_brought_to_the_targets_within_bounds() -> None:
    grey = np.full((24, 32, 3), 100, np.uint8)
    own = np.array([[100, 100, 100]], np.float32)
    (made,) = lit([grey], own, np.array([110, 100, 300], np.float32))
    assert made.dtype == np.float32
    assert np.allclose(made[0, 0], [110, 100, 100 * MAX_GAIN])
    (white,) = lit([np.full_like(grey, 250)], own, np.full(3, 130, np.float32))
    assert white.max() == 255


def test_in_place_is_moved_and_lit() -> None:
    rows = np.array([2, 5])
    bank = Bank(
        np.zeros((2, 12), np.float32), np.zeros((2, 2)), rows, LIGHTS[rows],
        PLACES[rows],
    )  # fmt: skip
    light = LIGHTS[9]
    made = in_place(list(CROPS[rows]), bank, PLACES[9], light, SPEC)
    gain = np.clip(light / LIGHTS[rows], 1 / MAX_GAIN, MAX_GAIN)
    for row, product in zip(rows, gain, strict=True):
        bent = moved(CROPS[row], PLACES[row], PLACES[9], SPEC)
        expected = np.minimum(bent * product, 255)
        assert np.allclose(made[list(rows).index(row)], expected, atol=1e-3)
