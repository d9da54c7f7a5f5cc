from __future__ import annotations

import numpy as np
import pytest

from synthesis.composite import composite
from synthesis.engines.base import MouthPatch
from synthesis.media.frames import Planes

SIDE = 64
SKIN = (200, 120, 90)


def noise(width: int = 160, height: int = 120, *, subsampled: bool = True) -> Planes:
    rng = np.random.default_rng(7)
    small = (height // 2, width // 2) if subsampled else (height, width)
    return Planes(
        rng.integers(16, 236, (height, width), np.uint8),
        rng.integers(60, 200, small, np.uint8),
        rng.integers(60, 200, small, np.uint8),
        0,
        0,
        "bt709",
        False,
    )


def disc(radius: float = 20.0, colour: tuple[int, int, int] = SKIN) -> np.ndarray:
    """uint8 (SIDE, SIDE, 4): a soft disc in the middle."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.5
    rgba = np.zeros((SIDE, SIDE, 4), np.uint8)
    rgba[..., :3] = colour
    rgba[..., 3] = np.clip((radius - np.hypot(x, y)) * 32, 0, 255)
    return rgba


def at(x: float, y: float, scale: float = 1.0, degrees: float = 0.0) -> np.ndarray:
    """Map that puts the middle of a patch at (x, y) of the frame."""
    turn = np.deg2rad(degrees)
    linear = scale * np.array(
        [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    )
    middle = np.full(2, SIDE / 2 - 0.5)
    return np.column_stack([linear, np.array([x, y]) - linear @ middle])


MAPS = [
    at(80, 60),
    at(80.3, 59.7, 0.5, 10),
    at(81, 61, 1.7, -25),
    at(80, 60, 0.1),
    at(3, 4),
    at(158, 118, 1.2),
]


@pytest.mark.parametrize("to_frame", MAPS)
@pytest.mark.parametrize("subsampled", [True, False])
def test_every_sample_outside_the_box_is_bit_identical(
    to_frame: np.ndarray, subsampled: bool
) -> None:
    planes = noise(subsampled=subsampled)
    before = planes.copy()
    box = composite(planes, MouthPatch(disc(), to_frame))
    assert box is not None
    outside = np.ones(planes.y.shape, bool)
    outside[box.y0 : box.y1, box.x0 : box.x1] = False
    np.testing.assert_array_equal(planes.y[outside], before.y[outside])
    step = 2 if subsampled else 1
    blocks = outside.reshape(120 // step, step, 160 // step, step).all(axis=(1, 3))
    np.testing.assert_array_equal(planes.u[blocks], before.u[blocks])
    np.testing.assert_array_equal(planes.v[blocks], before.v[blocks])
    assert (planes.y != before.y).any()


def test_a_hole_in_the_mask_is_bit_identical_too() -> None:
    rgba = disc(28)
    rgba[20:44, 20:44, 3] = 0
    planes = noise()
    before = planes.copy()
    composite(planes, MouthPatch(rgba, at(79.5, 59.5)))
    # The patch lies pixel on pixel; cubic weights reach two of them.
    hole = np.s_[60 - 10 : 60 + 10, 80 - 10 : 80 + 10]
    np.testing.assert_array_equal(planes.y[hole], before.y[hole])
    small = np.s_[25:35, 35:45]
    np.testing.assert_array_equal(planes.u[small], before.u[small])


def test_the_box_is_tight_around_what_shows() -> None:
    box = composite(noise(), MouthPatch(disc(10), at(79.5, 59.5)))
    assert box is not None
    assert abs(box.x0 - 70) <= 2
    assert abs(box.x1 - 90) <= 2
    assert abs(box.y0 - 50) <= 2
    assert abs(box.y1 - 70) <= 2


@pytest.mark.parametrize("matrix", ["bt601", "bt709"])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("scale", [0.4, 1.0, 1.5])
def test_colours_arrive_as_sent(matrix: str, full_range: bool, scale: float) -> None:
    planes = noise()
    planes.matrix, planes.full_range = matrix, full_range
    composite(planes, MouthPatch(disc(28), at(80, 60, scale)))
    middle = planes.rgb()[56:64, 76:84].reshape(-1, 3).mean(axis=0)
    assert np.abs(middle - SKIN).max() <= 3


def test_half_alpha_is_half_of_each() -> None:
    planes = noise()
    planes.y[:], planes.u[:], planes.v[:] = 16, 128, 128
    rgba = disc(28, (255, 255, 255))
    rgba[..., 3] //= 2
    composite(planes, MouthPatch(rgba, at(80, 60)))
    assert abs(int(planes.y[60, 80]) - (16 + 219 // 2)) <= 1
    assert abs(int(planes.u[30, 40]) - 128) <= 1


def test_edges_carry_no_colour_from_under_the_mask() -> None:
    """Premultiplied: what lies under alpha 0 in the patch never bleeds in."""
    planes, clean = noise(), noise()
    rgba = disc(20, SKIN)
    loud = rgba.copy()
    loud[rgba[..., 3] == 0, :3] = (0, 255, 0)
    composite(clean, MouthPatch(rgba, at(80, 60, 1.3, 8)))
    composite(planes, MouthPatch(loud, at(80, 60, 1.3, 8)))
    np.testing.assert_array_equal(planes.y, clean.y)
    np.testing.assert_array_equal(planes.u, clean.u)


@pytest.mark.parametrize(
    "to_frame", [at(-200, 60), at(80, 900), at(400, 60), at(80, -90)]
)
def test_a_patch_beside_the_frame_changes_nothing(to_frame: np.ndarray) -> None:
    planes = noise()
    before = planes.copy()
    assert composite(planes, MouthPatch(disc(), to_frame)) is None
    np.testing.assert_array_equal(planes.y, before.y)


def test_an_invisible_patch_changes_nothing() -> None:
    planes = noise()
    rgba = np.full((SIDE, SIDE, 4), 255, np.uint8)
    rgba[..., 3] = 0
    before = planes.copy()
    assert composite(planes, MouthPatch(rgba, at(80, 60))) is None
    np.testing.assert_array_equal(planes.y, before.y)


def test_odd_and_tiny_frames_are_taken() -> None:
    for width, height in ((63, 47), (1, 1)):
        planes = noise(width, height, subsampled=False)
        assert composite(planes, MouthPatch(disc(), at(0, 0))) is not None
