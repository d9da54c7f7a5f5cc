"""Where the pattern went: found without a key, and followed with one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.provenance.mark.alignment import (
    Response,
    centred,
    is_as_written,
    ramp,
    respond,
    shifted,
    shifts,
)
from synthesis.provenance.mark.geometry import likely
from synthesis.provenance.mark.lattice import (
    CARRIERS,
    FloatPlane,
    Lattice,
    canvas_size,
    lattice_for,
    tile_of,
    to_canvas,
)
from synthesis.provenance.mark.tracking import track
from tests.synthesis.provenance.conftest import MARK_KEY

WIDTH, HEIGHT = 512, 288


@pytest.fixture(scope="module")
def lattice() -> Lattice:
    return lattice_for(MARK_KEY)


@pytest.fixture(scope="module")
def waves(lattice: Lattice) -> NDArray[np.complex128]:
    """The carriers of some id: pilots as they are, the others of either sign."""
    signs = np.random.default_rng(1).choice([-1.0, 1.0], len(CARRIERS))
    signs[lattice.pilots] = 1.0
    return np.asarray(signs * np.exp(1j * lattice.phases))


@pytest.fixture(scope="module")
def written(waves: NDArray[np.complex128]) -> FloatPlane:
    """A canvas of nothing but the pattern, and noise twice as loud."""
    tile = tile_of(waves)
    canvas = np.tile(tile / tile.std(), (8, 10))[:600, :1000]
    noise = np.random.default_rng(2).normal(0, 2, canvas.shape)
    return np.asarray(canvas + noise, np.float32)


def seen(written: FloatPlane, matrix: NDArray[np.float64]) -> FloatPlane:
    """The canvas after a map (3, 3) of pattern px to canvas px."""
    plane = cv2.warpPerspective(written, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC)
    return np.asarray(plane, np.float32)


def affine(linear: list[list[float]], left: float, top: float) -> NDArray[np.float64]:
    matrix = np.eye(3)
    matrix[:2, :2] = linear
    matrix[:2, 2] = -left, -top
    return matrix


@pytest.mark.parametrize(
    "linear",
    [
        [[1.0, 0.0], [0.0, 1.0]],
        [[0.75, 0.0], [0.0, 0.75]],
        [[1.6, 0.0], [0.0, 1.6]],
        [[0.9994, -0.0349], [0.0349, 0.9994]],
        [[1.1, 0.0], [0.0, 0.95]],
        [[0.97, -0.053], [-0.017, 0.97]],
    ],
    ids=["as written", "smaller", "larger", "turned", "squeezed", "askew"],
)
def test_the_likeliest_map_is_the_true_one(
    written: FloatPlane, linear: list[list[float]]
) -> None:
    best = likely(seen(written, affine(linear, 60, 40)), deep=False)[0]
    assert np.abs(best - linear).max() < 0.004


def test_noise_has_likely_maps_too_and_none_twice() -> None:
    noise = np.random.default_rng(3).normal(0, 1, (HEIGHT, WIDTH)).astype(np.float32)
    found = likely(noise, deep=False)
    assert len(found) > 3
    for number, one in enumerate(found):
        assert all(np.abs(one - other).max() > 0.001 for other in found[:number])


def test_pilots_tell_the_shift(written: FloatPlane, lattice: Lattice) -> None:
    matrix = affine([[1.0, 0.0], [0.0, 1.0]], 30, 17)
    response = respond(seen(written, matrix), np.eye(3))
    (height, shift), (next_height, _) = shifts(response, lattice, 2)
    assert height > 2 * next_height
    assert np.abs(np.array(shift) - (-30 % 112, -17 % 112)).max() < 0.5


def test_a_shift_turns_the_waves_as_laying_anew_does(
    written: FloatPlane, lattice: Lattice
) -> None:
    flat = seen(written, affine([[1.0, 0.0], [0.0, 1.0]], 30, 17))
    response = respond(flat, np.eye(3))
    turned = response.waves * ramp((82.0, 95.0))
    anew = respond(flat, shifted(np.eye(3), (82.0 - 112, 95.0 - 112))).waves
    pilots = np.exp(-1j * lattice.phases)[lattice.pilots]
    for waves in (turned, anew):
        heard = np.real(waves[lattice.pilots] * pilots)
        assert heard.sum() > 8 * np.sqrt(np.sum(heard**2) / 2)


def test_the_mirrored_response_is_that_of_the_mirrored_picture(
    written: FloatPlane,
) -> None:
    flat = seen(written, affine([[1.0, 0.0], [0.0, 1.0]], 30, 17))
    mirrored = respond(flat, np.eye(3)).mirrored
    there = respond(np.ascontiguousarray(flat[:, ::-1]), np.eye(3))
    assert np.allclose(mirrored.waves, there.waves, atol=1e-4)
    assert np.array_equal(mirrored.laid, there.laid)
    assert np.allclose(mirrored.mirrored.waves, respond(flat, np.eye(3)).waves)
    assert np.linalg.det(mirrored.matrix) < 0


@pytest.mark.parametrize("share", [0.01, 0.03, 0.05])
def test_tracking_bends_the_pattern_to_a_perspective(
    written: FloatPlane,
    waves: NDArray[np.complex128],
    lattice: Lattice,
    share: float,
) -> None:
    corners = np.array([(0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT)], np.float32)
    inward = np.array([(share, share), (0, 0), (0, 0), (share, -share)], np.float32)
    bent = cv2.getPerspectiveTransform(
        corners, corners + inward * np.array([WIDTH, HEIGHT], np.float32)
    )
    flat = seen(written, np.asarray(bent, np.float64))
    template = np.zeros(len(CARRIERS), np.complex128)
    template[lattice.pilots] = waves[lattice.pilots]
    best = max(
        (
            one
            for matrix in likely(flat, deep=False)
            for one in [respond(flat, centred(matrix, flat))]
        ),
        key=lambda one: shifts(one, lattice, 1)[0][0],
    )
    _, shift = shifts(best, lattice, 1)[0]
    response = respond(flat, shifted(best.matrix, shift))
    before = pilots(response, lattice)
    for _ in range(2):
        response = respond(flat, track(response, template))
    exact = pilots(respond(flat, np.asarray(bent, np.float64)), lattice)
    assert pilots(response, lattice) > 0.9 * exact
    assert share < 0.03 or before < 0.5 * exact


def pilots(response: Response, lattice: Lattice) -> float:
    """How loud the pilots are where they should be, over the noise."""
    heard = np.real(response.waves * np.exp(-1j * lattice.phases))
    return float(np.mean(heard[lattice.pilots]))


def test_only_a_picture_in_its_place_is_as_written() -> None:
    assert is_as_written(np.eye(3))
    assert is_as_written(affine([[1.003, 0.0], [0.0, 1.003]], -112, 224))
    assert not is_as_written(affine([[1.05, 0.0], [0.0, 1.05]], 0, 0))
    assert not is_as_written(affine([[1.0, 0.02], [-0.02, 1.0]], 0, 0))
    assert not is_as_written(affine([[-1.0, 0.0], [0.0, 1.0]], 0, 0))
    assert not is_as_written(affine([[1.0, 0.0], [0.0, 1.0]], 20, 0))


@pytest.mark.parametrize("size", [(3840, 2160), (1920, 1080), (641, 359), (200, 160)])
def test_every_size_comes_to_the_same_canvas(size: tuple[int, int]) -> None:
    across, down = np.meshgrid(
        np.linspace(0, 200, size[0]), np.linspace(0, 50, size[1])
    )
    frame = np.rint(across + down).astype(np.uint8)
    canvas = to_canvas(frame)
    assert canvas.shape[::-1] == canvas_size(*size)
    x, y = np.meshgrid(
        np.linspace(0, 200, canvas.shape[1]), np.linspace(0, 50, canvas.shape[0])
    )
    assert np.abs(canvas - (x + y)).max() < 2.5
    wide = to_canvas(4 * frame.astype(np.uint16))
    assert np.abs(wide - canvas).max() < 1.0
