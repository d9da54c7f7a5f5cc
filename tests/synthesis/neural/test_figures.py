"""Measures on pictures: each must see the fault it is named after, and no other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.align import CANONICAL, CropSpec
from synthesis.neural import figures, masks

SPEC = CropSpec()


@pytest.fixture
def pictures() -> NDArray[np.uint8]:
    """Twenty frames of coarse texture that drifts a little."""
    rng = np.random.default_rng(3)
    base = cv2.resize(rng.integers(40, 200, (30, 34, 3), np.uint8), (112, 96))
    return np.stack([np.roll(base, k // 3, axis=1) for k in range(20)])


def test_psnr_is_the_textbook_figure(pictures: NDArray[np.uint8]) -> None:
    brighter = pictures + np.uint8(5)
    assert figures.psnr(pictures, brighter) == pytest.approx(34.15, abs=0.01)
    assert figures.psnr(pictures, pictures) == 99.0
    assert np.isnan(figures.psnr(pictures[:0], pictures[:0]))


def test_ssim_is_one_for_the_same_picture_and_falls_with_blur(
    pictures: NDArray[np.uint8],
) -> None:
    one = pictures[0]
    blurred = cv2.GaussianBlur(one, (0, 0), 2.0)
    slightly = cv2.GaussianBlur(one, (0, 0), 0.8)
    assert figures.ssim(one, one) == pytest.approx(1.0)
    assert figures.ssim(one, blurred) < figures.ssim(one, slightly) < 1.0


def test_sharpness_falls_with_blur(pictures: NDArray[np.uint8]) -> None:
    blurred = np.stack([cv2.GaussianBlur(p, (0, 0), 1.0) for p in pictures])
    assert figures.sharpness(blurred) < 0.7 * figures.sharpness(pictures)


def test_flicker_counts_only_frames_on_a_still_head(
    pictures: NDArray[np.uint8],
) -> None:
    shaken = pictures.copy()
    shaken[::2] += 12
    everywhere = np.ones(19, bool)
    calm = figures.flicker(pictures, everywhere)
    assert figures.flicker(shaken, everywhere) > calm + 8
    few = np.zeros(19, bool)
    few[:5] = True
    assert np.isnan(figures.flicker(pictures, few))


def test_a_moving_head_is_not_still() -> None:
    maps = np.tile([[1.0, 0, 0], [0, 1.0, 0]], (30, 1, 1))
    assert figures.still_pairs(maps, SPEC).all()
    maps[10:, 0, 2] += 3.0
    moved = figures.still_pairs(maps, SPEC)
    assert np.flatnonzero(~moved).tolist() == [9]


def test_the_seam_figure_sees_a_pasted_box_and_not_a_change_inside() -> None:
    points = np.tile(SPEC.pixels(CANONICAL), (4, 1, 1))
    ramp = np.linspace(60, 160, SPEC.width, dtype=np.float32)
    real = np.tile(ramp[None, :, None], (SPEC.height, 1, 3)).astype(np.uint8)
    inside, pasted = real.copy(), real.copy()
    cv2.ellipse(inside, (56, 44), (12, 6), 0, 0, 360, (20, 20, 20), -1)
    soft = masks.soft_hole(SPEC)
    pasted = (pasted + 30 * (soft > 0.5)[..., None]).astype(np.uint8)
    seams = [
        figures.seam(np.stack([p] * 4), points, SPEC) for p in (real, inside, pasted)
    ]
    assert seams[1] == pytest.approx(seams[0], rel=0.05)
    assert seams[2] > 1.5 * seams[0]


def test_lip_distance_is_in_percent_of_the_eyes_and_ignores_the_rest() -> None:
    real = np.tile(CANONICAL * 100.0, (3, 1, 1)).astype(np.float64)
    made = real.copy()
    made[:, figures.LIPS, 1] += 2.0
    made[:, 10] += 50.0
    assert figures.lip_distance(made, real) == pytest.approx([2.0] * 3, rel=0.01)
    assert figures.lip_distance(real, real).max() == 0


def face(seed: int) -> NDArray[np.uint8]:
    """Blobs for features: another seed, another face."""
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 220, (10, 8, 3), np.uint8)
    size = (figures.FACE.width, figures.FACE.height)
    return cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)


def test_likeness_knows_a_face_in_other_light_from_another_face() -> None:
    one = figures.portrait(face(1))
    darker = figures.portrait((face(1) * 0.7).astype(np.uint8))
    other = figures.portrait(face(2))
    for mouth in (True, False):
        same = figures.likeness(one, darker, mouth=mouth)
        assert same > 0.98
        assert figures.likeness(one, other, mouth=mouth) < same - 0.1


def test_likeness_of_the_mouth_region_tells_of_nothing_else() -> None:
    left, top, right, bottom = masks.box_px(masks.HOLE, figures.FACE)
    mixed = face(1)
    mixed[top + 4 : bottom - 4, left:right] = face(2)[top + 4 : bottom - 4, left:right]
    one, swapped = figures.portrait(face(1)), figures.portrait(mixed)
    assert figures.likeness(one, swapped, mouth=True) < 0.95
    assert figures.likeness(one, swapped, mouth=False) > 0.97
