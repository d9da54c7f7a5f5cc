"""A drawn talker: a dark mouth opens as loud as the noise beside it is."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CANONICAL, CropSpec, crop_maps
from synthesis.neural.lipcode import LOWER_LIP
from synthesis.neural.mel import RATE_HZ, log_mel
from synthesis.neural.prepare import FULL_SCALE

SPEC = CropSpec()
FPS = 25


def talk(
    seed: int, frames: int = 75
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float64]]:
    """Return crops (n, 96, 112, 3), sound and opening (n,) 0..1 of one clip.

    The first pixel of a crop is (frame, seed, 0), far from the mouth.
    """
    rng = np.random.default_rng(seed)
    at = np.arange(frames)
    knots = np.arange(0, frames + 3, 3)
    opening = np.interp(at, knots, rng.uniform(0, 1, len(knots)) ** 2)
    crops = np.stack([_face(o, seed) for o in opening])
    crops[:, 0, 0] = [(number, seed, 0) for number in range(frames)]
    samples = np.arange(round(frames / FPS * RATE_HZ))
    level = np.interp(samples / RATE_HZ * FPS, at, opening)
    sound = 0.3 * (level + 0.01) * rng.normal(0, 0.3, len(samples))
    return crops, sound.astype(np.float32), opening


def _face(opening: float, seed: int) -> NDArray[np.uint8]:
    face = np.full((SPEC.height, SPEC.width, 3), 150 + seed % 40, np.uint8)
    x, y = SPEC.pixels(np.array([0.0, 0.88])).round().astype(int).tolist()
    cv2.ellipse(face, (x, y), (14, 1 + round(9 * opening)), 0, 0, 360, (60, 20, 20), -1)
    return cv2.GaussianBlur(face, (3, 3), 0).astype(np.uint8, copy=False)


def prepared(out: Path, parts: dict[str, list[str]]) -> Path:
    """Write a folder as `train prepare` leaves it; names end in "-" and a seed."""
    (out / "clips").mkdir(parents=True)
    (out / "crop.json").write_text(json.dumps(asdict(SPEC)))
    (out / "splits.json").write_text(json.dumps(parts))
    for name in {name for names in parts.values() for name in names}:
        talker, _, seed = name.partition("-")
        crops, sound, opening = talk(int(seed))
        landmarks = np.repeat(CANONICAL[None] * 67 + 150, len(crops), 0)
        landmarks[:, [LOWER_LIP, 152], 1] += 12 * opening[:, None]
        stem = out / "clips" / name
        np.save(f"{stem}.crops.npy", crops)
        np.save(f"{stem}.sound.npy", np.round(sound * FULL_SCALE).astype(np.int16))
        np.savez(
            f"{stem}.npz",
            landmarks=landmarks.astype(np.float32),
            to_frame=crop_maps(landmarks, SPEC),
            times_s=np.arange(len(crops)) / FPS,
            mel=log_mel(sound),
            talker=np.array(talker),
        )
    return out
