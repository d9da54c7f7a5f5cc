"""Where a face points, and the steady lower-face square cut from each frame.

Everything is anchored on eyes, nose and forehead, never on lips or chin: a crop that
follows the chin would tell the networks how far the mouth is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.geometry import warp

CANONICAL = np.load(Path(__file__).parent / "canonical.npy")
"""float32 (468, 3): a mean frontal face; outer eye corners at x = -0.5 and 0.5, y = 0;
x right, y down, z away from the camera. Mean of eleven GRID talkers."""

RIGID = (
    *(33, 133, 362, 263),  # eye corners
    *(168, 6, 197, 195, 5, 4, 1),  # bridge and tip of the nose
    *(10, 151, 9, 8, 67, 297, 109, 338),  # forehead
    *(127, 356, 234, 454),  # temples, before the ears
)
FLAT = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1)
"""Eyes and nose: what the picture crop is aligned by."""

LOWER_FACE = (2, 98, 327, 50, 280, 205, 425, 61, 291, 0, 17, 152, 148, 377, 172, 397)
"""Nose base, cheeks, lips, chin, jaw: what a turn of the head carries along."""

SCALE_SIGMA_FRAMES = 8.0
"""The measured size of a face breathes with the mouth: smooth it hard."""
TURN_SIGMA_FRAMES = 2.5
CENTRE_SIGMA_FRAMES = 1.2


@dataclass(frozen=True)
class CropSpec:
    """Size of a lower-face crop. Its place on the face is the same for every size."""

    width: int = 112
    height: int = 96
    px_per_eyes: float = 67.0
    """Pixels across the outer eye corners: 67 is native for GRID at 360 x 288."""

    TOP = 0.20
    """Upper edge of the crop below the eye line, in eye distances."""

    def pixels(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """Map canonical (..., >=2) points to crop pixels (..., 2)."""
        xy = np.asarray(points, np.float64)[..., :2] - [0.0, self.TOP]
        pixels: NDArray[np.float64] = xy * self.px_per_eyes + [self.width / 2, 0.0]
        return pixels


@dataclass(frozen=True)
class Pose:
    """Similarity from the canonical face to the picture, one a frame.

    scale (n,), rotation (n, 3, 3), shift (n, 3): picture = scale * R @ canonical + t.
    """

    scale: NDArray[np.float64]
    rotation: NDArray[np.float64]
    shift: NDArray[np.float64]

    @property
    def yaw_degrees(self) -> NDArray[np.float64]:
        """Return (n,): turn of the head to the side; 0 looks into the camera."""
        facing = self.rotation[:, :, 2]
        yaw: NDArray[np.float64] = np.degrees(np.arctan2(facing[:, 0], facing[:, 2]))
        return yaw

    @property
    def pitch_degrees(self) -> NDArray[np.float64]:
        """Return (n,): nod of the head; 0 looks into the camera."""
        facing = self.rotation[:, :, 2]
        flat = np.hypot(facing[:, 0], facing[:, 2])
        pitch: NDArray[np.float64] = np.degrees(np.arctan2(facing[:, 1], flat))
        return pitch

    def remove(self, landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return landmarks (n, k, 3) turned and scaled into the canonical pose."""
        moved = np.asarray(landmarks, np.float64) - self.shift[:, None]
        back: NDArray[np.float64] = moved @ self.rotation / self.scale[:, None, None]
        return back


def poses(landmarks: NDArray[np.floating]) -> Pose:
    """Fit one pose a frame to landmarks (n, 468, 3) without NaN (Umeyama 1991)."""
    target = np.asarray(landmarks, np.float64)[:, RIGID]
    source = CANONICAL[list(RIGID)].astype(np.float64)
    source_mean, target_mean = source.mean(0), target.mean(1)
    centred = source - source_mean
    spread = np.einsum("nki,kj->nij", target - target_mean[:, None], centred)
    left, stretch, right = np.linalg.svd(spread)
    sign = np.sign(np.linalg.det(left @ right))
    stretch[:, 2] *= sign
    left[:, :, 2] *= sign[:, None]
    rotation = left @ right
    scale = stretch.sum(1) / (centred**2).sum()
    shift = target_mean - scale[:, None] * (rotation @ source_mean)
    return Pose(scale, rotation, shift)


def crop_maps(landmarks: NDArray[np.floating], spec: CropSpec) -> NDArray[np.float64]:
    """Return (n, 2, 3): crop pixels (x, y, 1) to frame pixels, smooth in time.

    landmarks: (n, 468, 3) of one shot in frame pixels, without NaN.
    """
    target = np.asarray(landmarks, np.float64)[:, FLAT, :2]
    source = spec.pixels(CANONICAL[list(FLAT)])
    source_mean, target_mean = source.mean(0), target.mean(1)
    # As complex numbers a similarity is one factor: fit it by least squares.
    plane = (source - source_mean) @ [1, 1j]
    picture = (target - target_mean[:, None]) @ [1, 1j]
    factor = picture @ plane.conj() / (np.abs(plane) ** 2).sum()
    size = np.exp(smooth(np.log(np.abs(factor)), SCALE_SIGMA_FRAMES))
    turn = smooth(np.unwrap(np.angle(factor)), TURN_SIGMA_FRAMES)
    centre = smooth(target_mean, CENTRE_SIGMA_FRAMES)
    cos, sin = size * np.cos(turn), size * np.sin(turn)
    linear = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], 1)
    shift = centre - linear @ source_mean
    return np.concatenate([linear, shift[..., None]], axis=2)


def cut_face(
    frame: NDArray[np.uint8], to_frame: NDArray[np.floating], spec: CropSpec
) -> NDArray[np.uint8]:
    """Cut the crop (height, width, 3) out of frame (H, W, 3), one map of crop_maps.

    Cubic: what is cut, drawn and laid back passes through two of these, and linear
    ones would take the fine detail with them.
    """
    exact: NDArray[np.float64] = np.asarray(to_frame, np.float64)
    return warp(frame, exact, spec.width, spec.height, cv2.INTER_CUBIC)


def lower_face_places(
    landmarks: NDArray[np.floating], maps: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return (n, points, 2): where the pose alone puts a resting lower face.

    landmarks: (n, 468, 3) of one shot without NaN; maps: (n, 2, 3) of crop_maps.
    In crop pixels, of the canonical face: the mouth's motion is not in them.
    """
    pose = poses(smooth(landmarks, TURN_SIGMA_FRAMES))
    shape = CANONICAL[list(LOWER_FACE)].astype(np.float64)
    turned = np.einsum("nij,kj->nki", pose.rotation, shape)
    placed = pose.scale[:, None, None] * turned + pose.shift[:, None]
    back = np.linalg.inv(maps[:, :, :2])
    offset = placed[:, :, :2] - maps[:, None, :, 2]
    places: NDArray[np.float64] = np.einsum("nij,nkj->nki", back, offset)
    return places


def affine_between(
    source: NDArray[np.floating], target: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the (2, 3) affine map that best takes source (k, 2) to target (k, 2)."""
    ones = np.ones((len(source), 1))
    fit, *_ = np.linalg.lstsq(np.hstack([source, ones]), target, rcond=None)
    return np.asarray(fit.T, np.float64)


def smooth(values: NDArray[np.floating], sigma: float) -> NDArray[np.float64]:
    """Gaussian-smooth (n, ...) along time; the ends lean on what is there."""
    values = np.asarray(values, np.float64)
    reach = max(1, round(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    flat = values.reshape(len(values), -1)
    weight = np.convolve(np.ones(len(flat)), kernel, "full")[reach:-reach]
    columns = [np.convolve(c, kernel, "full")[reach:-reach] / weight for c in flat.T]
    return np.stack(columns, 1).reshape(values.shape)


def filled(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (n, 468, 3) with NaN rows interpolated in time; needs one good row."""
    values = np.array(landmarks, np.float64)
    good = ~np.isnan(values[:, 0, 0])
    if not good.any():
        raise ValueError("no frame of the shot holds a face")
    if good.all():
        return values
    at, known = np.arange(len(values)), np.flatnonzero(good)
    # Weights of the known rows before and after each missing one.
    after = np.clip(np.searchsorted(known, at), 0, len(known) - 1)
    before = np.clip(after - 1, 0, None)
    before = np.where(known[after] <= at, after, before)
    after = np.where(known[before] >= at, before, after)
    gap = np.maximum(known[after] - known[before], 1)
    share = np.clip((at - known[before]) / gap, 0, 1)[:, None, None]
    mixed: NDArray[np.float64] = (1 - share) * values[known[before]]
    mixed += share * values[known[after]]
    return mixed
