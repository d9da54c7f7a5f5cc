"""Pictures of one face, set upright and to one size: what face features are made of.

A portrait is aligned on eyes and nose as the lower-face crops are, and everything off
the face (hair, collar, background) is painted over: two clips of one day share their
background, and a guard that recognised it would recognise nobody elsewhere.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.errors import SynthesisError
from synthesis.faces.align import CropSpec, crop_maps, poses
from synthesis.faces.geometry import warp

Picture = NDArray[np.uint8]

EYES = (33, 133, 362, 263)
FIVE = ((33, 133), (362, 263), (4,), (61,), (291,))
"""Eyes, nose and corners of the mouth, from the picture's left: each a mean of points
of the mesh. What face recognition networks are aligned by."""
MOST = 8
"""Portraits kept of one face: more of one shot say nothing new."""
SHEET_ACROSS = 4
SMALLEST_EYES_PX = 24.0
"""Across the outer eye corners in the film's own pixels. Smaller faces are not told
apart by anything that was measured here."""
FURTHEST_TURN_DEG = 35.0
"""Faces further from the front were not measured."""
GREY = 128


@dataclass(frozen=True)
class PortraitSpec(CropSpec):
    """The square around a whole face, 78 px across the outer eye corners."""

    width: int = 192
    height: int = 192
    px_per_eyes: float = 78.0
    TOP = -0.985


SPEC = PortraitSpec()
_OVAL = ((0.5, 0.53), (0.31, 0.385))
"""Centre and half axes of what is kept of a portrait, in parts of its side."""


@dataclass(frozen=True)
class Portraits:
    """k portraits of what is said to be one face, in one shot or in several.

    pictures: uint8 (k, 192, 192, 3) RGB. points: float32 (k, 5, 2), FIVE in pixels of
    the picture. eyes_px: float32 (k,), the size at which the face was filmed. shots:
    int64 (k,), ascending, the shot each is from.
    """

    pictures: Picture
    points: NDArray[np.float32]
    eyes_px: NDArray[np.float32]
    shots: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pictures)

    def to_bytes(self) -> bytes:
        """A .npz file of the arrays."""
        file = io.BytesIO()
        np.savez_compressed(file, **vars(self))
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Portraits:
        """Read what to_bytes wrote."""
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return cls(**file)

    @classmethod
    def of_shots(cls, shots: Sequence[Portraits]) -> Portraits:
        """Those of several shots together, numbered from 0."""
        return cls(
            np.concatenate([one.pictures for one in shots]),
            np.concatenate([one.points for one in shots]),
            np.concatenate([one.eyes_px for one in shots]),
            np.repeat(np.arange(len(shots)), [len(one) for one in shots]),
        )

    def faces_only(self) -> Picture:
        """The pictures with all that is not face painted over, (k, 192, 192, 3)."""
        mask = _mask()[None, :, :, None]
        blended = self.pictures * mask + GREY * (1.0 - mask)
        return np.asarray(np.round(blended), np.uint8)

    def sheet(self, side_px: int = 160) -> bytes:
        """Portraits side by side as JPEG, for whoever is asked whose face it is: at
        least one of each shot, in rows of SHEET_ACROSS."""
        small = [
            cv2.resize(self.pictures[at], (side_px,) * 2, interpolation=cv2.INTER_AREA)
            for at in self._shown()
        ]
        if len(small) > SHEET_ACROSS:
            blank = np.full_like(small[0], GREY)
            small += [blank] * (-len(small) % SHEET_ACROSS)
        starts = range(0, len(small), SHEET_ACROSS)
        rows = [np.hstack(small[at : at + SHEET_ACROSS]) for at in starts]
        sheet = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
        _, jpeg = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])
        return bytes(jpeg)

    def _shown(self) -> NDArray[np.int64]:
        """The rows that are shown: as many of each shot, SHEET_ACROSS if there is room
        for more than one."""
        shots = np.unique(self.shots)
        each = max(1, SHEET_ACROSS // len(shots))
        of_each = [np.flatnonzero(self.shots == shot)[:each] for shot in shots]
        return np.concatenate(of_each)


def frames_worth_a_look(
    landmarks: NDArray[np.floating], most: int = MOST
) -> NDArray[np.int64]:
    """Return at most `most` rows of landmarks (n, 468, 3), spread over the track, of
    those in which the face is large and looks ahead enough; ascending.

    Raises SynthesisError ("face-too-small", "face-turned-away") where there is none.
    """
    seen = np.flatnonzero(~np.isnan(landmarks[:, 0, 0]))
    rows = landmarks[seen]
    large = eyes_px(rows) >= SMALLEST_EYES_PX
    if not large.any():
        raise SynthesisError(
            "face-too-small",
            # Said in other languages too, so the number is in the words themselves.
            "The face is too small in this shot to tell whose it is: fewer than 24"
            " pixels across the eyes.",
        )
    ahead = np.abs(poses(rows).yaw_degrees) <= FURTHEST_TURN_DEG
    if not (large & ahead).any():
        raise SynthesisError(
            "face-turned-away",
            "The face is never seen from the front in this shot, so it cannot be told"
            " whose it is.",
        )
    return _spread(seen[large & ahead], most)


def _spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Some of the rows, not the first and last ones: those are the least certain."""
    places = np.linspace(0, len(rows) - 1, min(most, len(rows)) + 2)[1:-1]
    return np.unique(rows[np.round(places).astype(int)])


def portraits_of(
    landmarks: NDArray[np.floating],
    read: Callable[[Sequence[int]], Iterator[Picture]],
    most: int = MOST,
    *,
    to_show: bool = False,
) -> Portraits:
    """Cut the portraits of one track.

    landmarks: (n, 468, 3), frame pixels, NaN where no face was found. read: yields
    the RGB uint8 (H, W, 3) frames of some rows, ascending; called once.
    to_show: take small faces and those turned away too, for a person to look at.
    """
    if to_show:
        rows = _spread(np.flatnonzero(~np.isnan(landmarks[:, 0, 0])), most)
    else:
        rows = frames_worth_a_look(landmarks, most)
    cut = list(_cut(landmarks[rows], rows, read))
    return Portraits(
        np.stack([picture for picture, _, _ in cut]),
        np.stack([points for _, points, _ in cut]),
        np.stack([size for _, _, size in cut]),
        np.zeros(len(cut), np.int64),
    )


def _cut(
    landmarks: NDArray[np.floating],
    rows: NDArray[np.int64],
    read: Callable[[Sequence[int]], Iterator[Picture]],
) -> Iterator[tuple[Picture, NDArray[np.float32], NDArray[np.float32]]]:
    frames = read(rows.tolist())
    for face, frame, size in zip(landmarks, frames, eyes_px(landmarks), strict=True):
        to_frame = crop_maps(face[None], SPEC)[0]
        picture = warp(frame, to_frame, SPEC.width, SPEC.height)
        back = np.linalg.inv(to_frame[:, :2])
        five = np.stack([face[list(some), :2].mean(0) for some in FIVE])
        points = (five - to_frame[:, 2]) @ back.T
        yield picture, points.astype(np.float32), np.asarray(size, np.float32)


def eyes_px(landmarks: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return (n,): pixels across the outer eye corners of landmarks (n, 468, 3)."""
    apart = landmarks[:, EYES[0], :2] - landmarks[:, EYES[3], :2]
    return np.asarray(np.linalg.norm(apart, axis=1), np.float64)


def _mask() -> NDArray[np.float32]:
    """Return (192, 192): 1 on the face, 0 off it, soft between."""
    side = SPEC.width
    (x0, y0), (a, b) = _OVAL
    y, x = (np.mgrid[:side, :side] + 0.5) / side
    radius = np.hypot((x - x0) / a, (y - y0) / b)
    return np.asarray(np.clip((1.06 - radius) / 0.12, 0, 1), np.float32)
