"""Prepared clips with their lip codes, ready for the networks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec, poses
from synthesis.neural import masks
from synthesis.neural.lipcode import LipCode, learn_lip_code, mouth_shapes, rest_shape
from synthesis.neural.prepare import Clip, load_clip
from synthesis.neural.references import Bank, draw

FAR = 10**6
"""Frame number of a reference from other footage: never near a target."""
CLIPS_FOR_CODE = 120
"""Of one talker at most: the axes shall not be one man's."""
SAME_SESSION = 8
"""Other clips of the talker looked at, nearest in colour: same light and clothes."""


@dataclass(frozen=True)
class CodedClip:
    """A prepared clip with codes (n, CODE_SIZE) and turns (n, 2) in degrees."""

    clip: Clip
    codes: NDArray[np.float32]
    turns: NDArray[np.float64]
    colour: NDArray[np.float64]

    @property
    def bank(self) -> Bank:
        """Return every frame as a candidate reference."""
        return Bank(self.codes, self.turns, np.arange(len(self.codes)))


def read_splits(out: Path) -> dict[str, list[str]]:
    """Return what prepare wrote: part -> clip names."""
    splits: dict[str, list[str]] = json.loads((out / "splits.json").read_text())
    return splits


def read_spec(out: Path) -> CropSpec:
    """Return the crop the folder was prepared with."""
    return CropSpec(**json.loads((out / "crop.json").read_text()))


def lip_code_of(clips: Iterable[Clip]) -> LipCode:
    """Learn the lip code from training clips, no talker outweighing the rest."""
    movements, taken = [], dict[str, int]()
    for clip in clips:
        taken[clip.talker] = taken.get(clip.talker, 0) + 1
        if taken[clip.talker] <= CLIPS_FOR_CODE:
            shapes = mouth_shapes(clip.landmarks)
            movements.append(shapes - rest_shape(shapes))
    return learn_lip_code(movements)


def coded(clip: Clip, lip_code: LipCode) -> CodedClip:
    """Add codes, pose and colour to a clip."""
    shapes = mouth_shapes(clip.landmarks)
    pose = poses(clip.landmarks)
    return CodedClip(
        clip,
        lip_code.encode(shapes, rest_shape(shapes)),
        np.stack([pose.yaw_degrees, pose.pitch_degrees], 1),
        np.asarray(clip.crops[::25], np.float64).mean((0, 1, 2)),
    )


def open_clips(out: Path, names: Sequence[str], lip_code: LipCode) -> list[CodedClip]:
    """Load and code the named clips of a prepared folder."""
    return [coded(load_clip(out, name), lip_code) for name in names]


def mean_light(
    crop: NDArray[np.uint8], face: NDArray[np.uint8], spec: CropSpec
) -> NDArray[np.float32]:
    """Return float32 (3,): mean RGB of crop where there is face and no hole."""
    seen = face.astype(np.float32) * (1 - masks.hole(spec))
    total = max(float(seen.sum()), 1e-6)
    mean = np.tensordot(seen, crop.astype(np.float32), axes=2) / total
    return np.asarray(mean, np.float32)


@dataclass(frozen=True)
class Sample:
    """Two neighbouring frames and the references they share.

    target: uint8 (2, H, W, 3). references: uint8 (K, H, W, 3). codes: (2, C).
    reference_codes: (K, C). face, lips: uint8 (2, H, W), 255 inside.
    """

    target: NDArray[np.uint8]
    references: NDArray[np.uint8]
    codes: NDArray[np.float32]
    reference_codes: NDArray[np.float32]
    face: NDArray[np.uint8]
    lips: NDArray[np.uint8]


class SampleDraw:
    """Draws training samples; the same rng state draws the same sample."""

    def __init__(
        self, clips: Sequence[CodedClip], spec: CropSpec, spread: NDArray[np.float32]
    ) -> None:
        self._clips = clips
        self._spec = spec
        self._spread = spread
        self._session = [self._like(clip) for clip in clips]
        talkers = [c.clip.talker for c in clips]
        # Talkers with few clips are drawn more often than their share of frames.
        weight = np.array([talkers.count(t) ** -0.5 for t in talkers])
        self._weight = weight / weight.sum()

    def _like(self, one: CodedClip) -> list[int]:
        """Return the clips of the same talker and session, by colour."""
        same = [
            i for i, c in enumerate(self._clips) if c.clip.talker == one.clip.talker
        ]
        same = [i for i in same if self._clips[i] is not one]
        same.sort(key=lambda i: float(np.abs(self._clips[i].colour - one.colour).sum()))
        return same[:SAME_SESSION]

    def __call__(self, rng: np.random.Generator) -> Sample:
        """Draw one sample."""
        number = int(rng.choice(len(self._clips), p=self._weight))
        item = self._clips[number]
        # Half of the draws go to frames of a moving mouth: silence teaches little.
        speed = np.abs(np.diff(item.codes[:, 0]))
        odds = 0.5 / len(speed) + 0.5 * speed / max(float(speed.sum()), 1e-6)
        at = int(rng.choice(len(speed), p=odds / odds.sum()))
        banks, owners = [item.bank], [item]
        if self._session[number] and rng.random() < 0.4:
            other = self._clips[int(rng.choice(self._session[number]))]
            banks.append(Bank(other.codes, other.turns, np.full(len(other.codes), FAR)))
            owners.append(other)
        bank = Bank(*(np.concatenate(p) for p in zip(*map(_parts, banks), strict=True)))
        wanted = Bank(item.codes[at : at + 1], item.turns[at : at + 1], np.array([at]))
        rows = draw(wanted, bank, self._spread, rng)
        pictures = [_picture(owners, int(row)) for row in rows]
        return Sample(
            np.asarray(item.clip.crops[at : at + 2]),
            np.stack(pictures),
            item.codes[at : at + 2],
            bank.codes[rows],
            *self._masks(item, at),
        )

    def _masks(
        self, item: CodedClip, at: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        clip = item.clip
        points = [
            masks.in_crop(clip.landmarks[i], clip.to_frame[i]) for i in (at, at + 1)
        ]
        face = np.stack([masks.face_matte(p, self._spec) for p in points])
        lips = np.stack([masks.lip_weight(p, self._spec) for p in points])
        return face, lips


def _parts(bank: Bank) -> tuple[NDArray[np.generic], ...]:
    return bank.codes, bank.turns, bank.frames


def _picture(owners: list[CodedClip], row: int) -> NDArray[np.uint8]:
    first = len(owners[0].codes)
    owner, at = (owners[0], row) if row < first else (owners[1], row - first)
    return np.asarray(owner.clip.crops[at])
