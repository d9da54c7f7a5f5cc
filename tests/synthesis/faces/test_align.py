"""Pose and crop on the canonical face, moved in known ways."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.align import (
    CANONICAL,
    CropSpec,
    affine_between,
    crop_maps,
    filled,
    lower_face_places,
    poses,
    smooth,
)


def turned(yaw_degrees: float) -> NDArray[np.float64]:
    angle = np.radians(yaw_degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return 80 * CANONICAL @ turn.T + [200, 150, 0]


def test_the_pose_of_a_turned_face_is_measured() -> None:
    pose = poses(np.stack([turned(0), turned(20)]))
    assert np.allclose(pose.yaw_degrees, [0, 20], atol=1e-3)
    assert np.allclose(pose.pitch_degrees, 0, atol=1e-3)
    assert np.allclose(pose.scale, 80)


def test_removing_the_pose_gives_the_canonical_face_back() -> None:
    face = turned(25)[None]
    assert np.allclose(poses(face).remove(face)[0], CANONICAL, atol=1e-5)


def test_the_crop_maps_eyes_to_their_place() -> None:
    spec = CropSpec()
    to_frame = crop_maps(turned(0)[None], spec)[0]
    eye = to_frame[:, :2] @ spec.pixels(CANONICAL[33]) + to_frame[:, 2]
    assert np.allclose(eye, turned(0)[33, :2], atol=0.5)


def test_an_open_jaw_does_not_move_the_crop() -> None:
    shut, wide = turned(0), turned(0)
    wide[[152, 148, 377, 17, 14]] += [0, 30, 0]
    spec = CropSpec()
    assert np.allclose(crop_maps(shut[None], spec), crop_maps(wide[None], spec))


def test_breathing_of_the_measured_size_is_smoothed_away() -> None:
    sizes = 1 + 0.02 * np.sin(np.arange(60) * 1.5)
    faces = np.stack([turned(0) * s for s in sizes])
    scale = np.linalg.norm(crop_maps(faces, CropSpec())[:, :, 0], axis=1)
    assert np.ptp(scale[10:-10]) < 0.1 * np.ptp(sizes) * scale.mean()


def test_missing_rows_are_filled_between_their_neighbours() -> None:
    faces = np.stack([turned(0) + i for i in range(6)])
    faces[[0, 2, 3, 5]] = np.nan
    whole = filled(faces)
    assert np.allclose(whole[2], turned(0) + 2)
    assert np.allclose(whole[3], turned(0) + 3)
    assert np.allclose(whole[0], turned(0) + 1)
    assert np.allclose(whole[5], turned(0) + 4)


def test_a_shot_without_any_face_cannot_be_filled() -> None:
    with pytest.raises(ValueError, match="no frame"):
        filled(np.full((3, 468, 3), np.nan))


def test_smoothing_keeps_what_does_not_move() -> None:
    assert np.allclose(smooth(np.full((9, 2), 3.5), 2.0), 3.5)


def test_a_turn_moves_the_places_of_the_lower_face_sideways() -> None:
    spec = CropSpec()
    places = []
    for yaw in (0.0, 15.0):
        faces = np.stack([turned(yaw)] * 3)
        places.append(lower_face_places(faces, crop_maps(faces, spec))[1])
    assert np.allclose(places[0][6], spec.pixels(CANONICAL[425]), atol=0.5)
    assert np.abs(places[1] - places[0]).max() > 2


def test_an_affine_map_is_found_again() -> None:
    points = np.array([[0, 0], [10, 0], [0, 10], [7, 5.0]])
    truth = np.array([[1.1, 0.2, 3], [-0.1, 0.9, -4]])
    moved = points @ truth[:, :2].T + truth[:, 2]
    assert np.allclose(affine_between(points, moved), truth)
