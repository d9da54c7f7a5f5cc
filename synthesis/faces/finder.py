"""Where the faces are in one picture, and the 468-point mesh on each."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.geometry import Box, Roi, overlap, warp
from synthesis.faces.networks import MODELS, FaceNetwork

GRID_CELLS = 48
"""The detector looks at 48 x 48 places, one candidate face each."""
SMALLEST_PX = 2
"""Below this edge length a picture cannot hold a face worth looking for."""


class FaceFinder:
    """Face detector and face mesh, loaded and ready. Not thread-safe."""

    def __init__(
        self,
        *,
        models: Path = MODELS,
        min_score: float = 0.6,
        max_overlap: float = 0.3,
        threads: int = 1,
    ) -> None:
        """Load both networks.

        min_score: detections below are dropped. max_overlap: two boxes that overlap
        more are one face. Raises FaceNetworkError for a missing or changed file.
        """
        self._detector = FaceNetwork(
            "face_detection_full_range_sparse.tflite", folder=models, threads=threads
        )
        self._mesh = FaceNetwork("face_landmark.tflite", folder=models, threads=threads)
        self._min_score = min_score
        self._max_overlap = max_overlap
        cell = (np.arange(GRID_CELLS, dtype=np.float32) + 0.5) / GRID_CELLS
        x, y = np.meshgrid(cell, cell)
        self._centres = np.stack([x.ravel(), y.ravel()], axis=1)

    def detect(self, rgb: NDArray[np.uint8]) -> list[Box]:
        """Return the faces in RGB uint8 (H, W, 3), best score first."""
        height, width = rgb.shape[:2]
        if min(height, width) < SMALLEST_PX:
            return []
        square, scale, shift = _letterbox(rgb, self._detector.side_px)
        raw, logits = self._detector(square)
        scores = _sigmoid(logits.reshape(-1))
        keep = np.flatnonzero(scores >= self._min_score)
        # (k, 16): centre, size, six points; the points are relative to their cell.
        pairs = raw.reshape(-1, 8, 2)[keep] / self._detector.side_px
        pairs[:, [0, 2, 3, 4, 5, 6, 7]] += self._centres[keep][:, None]
        pairs *= self._detector.side_px / scale
        pairs[:, [0, 2, 3, 4, 5, 6, 7]] -= np.array(shift, np.float32) / scale
        boxes = [
            _box(pair, float(score))
            for pair, score in zip(pairs, scores[keep], strict=True)
        ]
        return _without_doubles(boxes, self._max_overlap)

    def mesh(
        self, rgb: NDArray[np.uint8], roi: Roi
    ) -> tuple[NDArray[np.float32], float]:
        """Fit the mesh inside roi.

        Returns landmarks float32 (468, 3), x and y in pixels of rgb (H, W, 3), z in
        the same scale, and the presence of a face 0..1.
        """
        side = self._mesh.side_px
        to_frame = roi.to_frame(side)
        crop = warp(rgb, to_frame, side, side).astype(np.float32) / 255.0
        raw, presence = self._mesh(crop)
        points = raw.reshape(468, 3)
        landmarks = np.empty((468, 3), np.float32)
        landmarks[:, :2] = points[:, :2] @ to_frame[:, :2].T + to_frame[:, 2]
        landmarks[:, 2] = points[:, 2] * (roi.side / side)
        return landmarks, float(_sigmoid(presence.reshape(-1))[0])


def _letterbox(
    rgb: NDArray[np.uint8], side: int
) -> tuple[NDArray[np.float32], float, tuple[float, float]]:
    """Fit the picture into a square, values -1..1; return scale and shift in it."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    square = np.full((side, side, 3), -1.0, np.float32)
    square[top : top + size[1], left : left + size[0]] = small / 127.5 - 1.0
    return square, scale, (left, top)


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -50, 50))), np.float32)


def _box(pairs: NDArray[np.float32], score: float) -> Box:
    """Make a box of (8, 2): centre, size, six points, all in frame pixels."""
    (left, top), (right, bottom) = pairs[0] - pairs[1] / 2, pairs[0] + pairs[1] / 2
    return Box(float(left), float(top), float(right), float(bottom), score, pairs[2:])


def _without_doubles(boxes: list[Box], max_overlap: float) -> list[Box]:
    """Keep the best of overlapping boxes, averaged with the ones it swallows."""
    kept: list[Box] = []
    rest = sorted(boxes, key=lambda box: box.score, reverse=True)
    while rest:
        best = rest[0]
        same = [box for box in rest if overlap(box.edges, best.edges) > max_overlap]
        weights = np.array([box.score for box in same])
        edges = np.average([box.edges for box in same], axis=0, weights=weights)
        points = np.average([box.points for box in same], axis=0, weights=weights)
        left, top, right, bottom = edges.tolist()
        kept.append(Box(left, top, right, bottom, best.score, points))
        rest = [box for box in rest if box is not best and box not in same]
    return kept
