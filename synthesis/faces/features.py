"""Whose face it is, as numbers: features of portraits, and what two of them say.

Two kinds. "lipweb" ships with the repository: inner layers of the face mesh network
and orientations of edges, in a space that was learned from twelve talkers so that
light, blur and speech count little (metric.py; within-class covariance normalisation,
Hatch, Kajarekar, Stolcke 2006). "sface" is OpenCV Zoo's SFace network, far stronger,
which the operator installs (sface.py).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_arrays

from synthesis.faces.networks import MODELS, FaceNetwork, FaceNetworkError
from synthesis.faces.portraits import Picture, Portraits

Vectors = NDArray[np.float32]

LAYERS = ("max_pooling2d_3", "p_re_lu_13")
"""Of the mesh network: (12, 12, 64) and (6, 6, 128). Deeper ones know where the eyes
are, and shallower ones only edges."""
EDGE_SIZE = (96, 96)
EDGE_CELL_PX = 8
EDGE_BINS = 8
SKETCH_DIM = 512
SKETCH_SEED = 20261121
SPACE = "face_guard.safetensors"
SPACE_FACTS = "face_guard.json"


@dataclass(frozen=True)
class Answer:
    """What a comparison says. score: cosine of the two mean vectors, -1..1."""

    verdict: Literal["same", "other", "unsure"]
    score: float


class FaceFeatures(Protocol):
    """Something that measures portraits. sha256 names exactly this measure: vectors of
    another are not compared. A score from same_from on is the same face, one below
    other_below another; between them nothing can be told."""

    name: str
    sha256: str
    same_from: float
    other_below: float

    def describe(self, portraits: Portraits) -> Vectors:
        """Return float32 (k, d), each of length 1."""
        ...


def compare(features: FaceFeatures, enrolled: Vectors, seen: Vectors) -> Answer:
    """Compare two faces by the means of their vectors, (k, d) and (m, d)."""
    score = float(unit(enrolled.mean(0)) @ unit(seen.mean(0)))
    if score >= features.same_from:
        return Answer("same", score)
    return Answer("other" if score < features.other_below else "unsure", score)


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """Scale vectors (..., d) to length 1."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-9), np.float32)


class ShippedFeatures:
    """The features in the repository: raw measures, centred and straightened."""

    name = "lipweb"

    def __init__(self, folder: Path = MODELS, *, threads: int = 1) -> None:
        """Raises FaceNetworkError for a missing or changed file."""
        facts = _facts(folder)
        content = _content(folder / SPACE, str(facts["sha256"]))
        arrays = load_arrays(content)
        self._mean = arrays["mean"].astype(np.float32)
        self._straighten = arrays["straighten"].astype(np.float32)
        self.sha256 = str(facts["sha256"])
        self.same_from = float(facts["same_from"])
        self.other_below = float(facts["other_below"])
        self._raw = RawFeatures(threads=threads)

    def describe(self, portraits: Portraits) -> Vectors:
        raw = np.stack([self._raw(picture) for picture in portraits.faces_only()])
        return unit((raw - self._mean) @ self._straighten)


class RawFeatures:
    """What is measured of one picture before anything is learned from faces."""

    def __init__(self, *, threads: int = 1) -> None:
        self._mesh = FaceNetwork("face_landmark.tflite", threads=threads, inner=LAYERS)

    def __call__(self, picture: Picture) -> Vectors:
        """Measure RGB uint8 (192, 192, 3): float32 (SKETCH_DIM,), the mean of the
        picture and its mirror image."""
        both = self._measures(picture) + self._measures(picture[:, ::-1])
        return np.asarray(both @ _sketch(len(both)), np.float32)

    def _measures(self, picture: Picture) -> Vectors:
        self._mesh(picture.astype(np.float32) / 255.0)
        parts = [*self._mesh.inner(), edges(picture)]
        return np.concatenate([unit(part.reshape(-1)) for part in parts])


def edges(picture: Picture) -> Vectors:
    """Histograms of edge orientation on cells of 8 px of RGB uint8 (H, W, 3), each of
    about length 1 (Dalal and Triggs 2005, without blocks): (cells, EDGE_BINS)."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, EDGE_SIZE, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(small.astype(np.float32), (0, 0), 0.8)
    dx, dy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    strength = np.hypot(dx, dy)
    turn = (np.arctan2(dy, dx) % np.pi) / np.pi * EDGE_BINS
    bins = np.floor(turn).astype(int) % EDGE_BINS
    side, half = (EDGE_CELL_PX, EDGE_CELL_PX), EDGE_CELL_PX // 2
    cells = np.stack(
        [
            cv2.blur(strength * (bins == number), side)[
                half::EDGE_CELL_PX, half::EDGE_CELL_PX
            ]
            for number in range(EDGE_BINS)
        ],
        axis=-1,
    )
    length = np.linalg.norm(cells, axis=2, keepdims=True)
    told = cells / (length + 0.05 * float(strength.mean()) + 1e-6)
    return np.asarray(told.reshape(-1, EDGE_BINS), np.float32)


@cache
def _sketch(size: int) -> Vectors:
    """A fixed random projection (size, SKETCH_DIM): keeps angles, learns nothing.
    RandomState, since its stream never changes between versions of numpy."""
    draw = np.random.RandomState(SKETCH_SEED)
    return np.asarray(
        draw.standard_normal((size, SKETCH_DIM)) / np.sqrt(SKETCH_DIM), np.float32
    )


def shipped_figures(folder: Path = MODELS) -> dict[str, Any]:
    """How the shipped features did on talkers left out (metric.measure), for people."""
    return dict(_facts(folder)["figures"])


def _facts(folder: Path) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / SPACE_FACTS).read_text()))
    except (OSError, ValueError) as error:
        raise FaceNetworkError(
            "face-network-missing",
            f"{SPACE_FACTS} is missing or unreadable. Check the project out again.",
        ) from error


def _content(path: Path, sha256: str) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FaceNetworkError(
            "face-network-missing",
            f"{path.name} is missing. Check the project out again.",
        ) from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FaceNetworkError(
            "face-network-changed",
            f"{path.name} is not the file that was measured. Check it out again.",
        )
    return content
