"""The detector and the mesh on the demo actor, and on what holds no face."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.faces.finder import FaceFinder
from synthesis.faces.geometry import Box, Roi, overlap, warp
from synthesis.faces.networks import FaceNetwork, FaceNetworkError

SCENE = Path(__file__).parents[3] / "synthesis" / "demo" / "robin.mp4"


def first_frame() -> NDArray[np.uint8]:
    with av.open(str(SCENE)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def test_one_face_is_found_where_it_is() -> None:
    (box,) = FaceFinder().detect(first_frame())
    assert 400 < box.left < 560
    assert 700 < box.right < 860
    assert box.score > 0.8


def test_the_mesh_puts_eyes_nose_and_mouth_in_order() -> None:
    frame, finder = first_frame(), FaceFinder()
    (box,) = finder.detect(frame)
    landmarks, presence = finder.mesh(frame, Roi.around_box(box))
    assert presence > 0.9
    assert landmarks.shape == (468, 3)
    assert landmarks[33, 0] < landmarks[4, 0] < landmarks[263, 0]
    assert landmarks[33, 1] < landmarks[4, 1] < landmarks[13, 1] < landmarks[152, 1]


def test_a_tilted_face_is_found_upright_again() -> None:
    frame, finder = first_frame(), FaceFinder()
    (box,) = finder.detect(frame)
    straight, _ = finder.mesh(frame, Roi.around_box(box))
    turned = np.ascontiguousarray(np.rot90(frame))
    roi = Roi.around_landmarks(straight)
    around = Roi(roi.y, frame.shape[1] - 1 - roi.x, roi.side, roi.angle - np.pi / 2)
    tilted, presence = finder.mesh(turned, around)
    back = np.stack([frame.shape[1] - 1 - tilted[:, 1], tilted[:, 0]], 1)
    assert presence > 0.9
    assert np.abs(back - straight[:, :2]).mean() < 4


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (3, 5), (101, 33)])
def test_a_picture_without_a_face_has_none(shape: tuple[int, int]) -> None:
    assert FaceFinder().detect(np.full((*shape, 3), 90, np.uint8)) == []


def test_a_changed_network_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "face_landmark.tflite").write_bytes(b"something else")
    with pytest.raises(FaceNetworkError) as caught:
        FaceNetwork("face_landmark.tflite", folder=tmp_path)
    assert caught.value.code == "face-network-changed"


def test_a_missing_network_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FaceNetworkError, match="face_landmark"):
        FaceNetwork("face_landmark.tflite", folder=tmp_path)


def test_overlap_is_one_for_the_same_box_and_zero_apart() -> None:
    box = np.array([0.0, 0.0, 10.0, 10.0])
    assert overlap(box, box) == 1.0
    assert overlap(box, box + 20) == 0.0
    assert overlap(box, np.add(box, (5, 0, 5, 0))) == pytest.approx(1 / 3)


def test_a_cut_from_a_smaller_copy_lies_where_a_direct_cut_does() -> None:
    y, x = np.mgrid[0:300, 0:400]
    ramp = np.stack([x * 0.6, y * 0.8, x * 0 + 9], -1).astype(np.uint8)
    to_frame = np.array([[4.0, 0.0, 20.0], [0.0, 4.0, 12.0]])
    cut = warp(ramp, to_frame, 60, 50).astype(float)
    expected = np.stack([(4 * 30 + 20) * 0.6, (4 * 25 + 12) * 0.8])
    assert np.abs(cut[25, 30, :2] - expected).max() < 2


def test_the_square_around_a_box_has_its_margin() -> None:
    points = np.array([[10, 20], [30, 20]], np.float32)
    roi = Roi.around_box(Box(0, 0, 40, 60, 0.9, points))
    assert (roi.x, roi.y, roi.side, roi.angle) == (20, 30, 90, 0)
