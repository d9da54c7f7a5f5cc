"""Prepared clips with their lip codes, ready for the networks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import (
    CropSpec,
    affine_between,
    cut_face,
    lower_face_places,
    poses,
)
from synthesis.neural import masks
from synthesis.neural.articulation import Spoken
from synthesis.neural.lipcode import LipCode, learn_lip_code, mouth_shapes, rest_shape
from synthesis.neural.prepare import Clip, load_clip, load_words
from synthesis.neural.references import Bank, draw

FAR = 10**6
"""Frame number of a reference from other footage: never near a target."""
CLIPS_FOR_CODE = 120
"""Of one talker at most: the axes shall not be one man's."""
SAME_SESSION = 8
"""Other clips of the talker looked at, nearest in colour: same light and clothes."""
OTHER_CLIPS = 4
"""Of these, as many give references to one draw."""
OWN_ONLY, OTHERS_ONLY = 0.3, 0.4
"""Shares of draws whose references come from the clip itself (an actor seen in one
scene) or from other clips alone (an actor with much footage); the rest from both."""
RARE_POWER = -0.7
"""A clip is drawn by this power of its talker's number of clips: 0 would be one man's
network, -1 would hear the talker of two clips as often as him of hundreds."""
MAX_GAIN = 1.35
"""A reference is brightened or darkened to the target's light by no more."""


@dataclass(frozen=True)
class CodedClip:
    """A prepared clip with codes (n, CODE_SIZE) off its rest, rest (CODE_SIZE,)
    itself as LipCode.absolute, turns (n, 2) in degrees and mean colour (3,). words:
    of its alignment, None without one."""

    clip: Clip
    codes: NDArray[np.float32]
    rest: NDArray[np.float32]
    turns: NDArray[np.float64]
    colour: NDArray[np.float64]
    spec: CropSpec
    words: Sequence[Spoken] | None = None

    @cached_property
    def bank(self) -> Bank:
        """Return every frame as a candidate reference."""
        clip, count = self.clip, len(self.codes)
        light = np.empty((count, 3), np.float32)
        for row in range(count):
            points = masks.in_crop(clip.landmarks[row], clip.to_frame[row])
            face = masks.face_matte(points, self.spec)
            light[row] = mean_light(np.asarray(clip.crops[row]), face, self.spec)
        places = lower_face_places(clip.landmarks, clip.to_frame)
        codes = self.codes + self.rest
        return Bank(
            codes, self.turns, np.arange(count), light, places / self.spec.px_per_eyes
        )


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


def coded(clip: Clip, lip_code: LipCode, spec: CropSpec) -> CodedClip:
    """Add codes, pose and colour to a clip."""
    shapes = mouth_shapes(clip.landmarks)
    rest = rest_shape(shapes)
    pose = poses(clip.landmarks)
    return CodedClip(
        clip,
        lip_code.encode(shapes, rest),
        lip_code.absolute(rest[None])[0],
        np.stack([pose.yaw_degrees, pose.pitch_degrees], 1),
        np.asarray(clip.crops[::25], np.float64).mean((0, 1, 2)),
        spec,
    )


def open_clips(out: Path, names: Sequence[str], lip_code: LipCode) -> list[CodedClip]:
    """Load and code the named clips of a prepared folder."""
    spec = read_spec(out)
    return [
        replace(
            coded(load_clip(out, name), lip_code, spec), words=load_words(out, name)
        )
        for name in names
    ]


def mean_light(
    crop: NDArray[np.uint8], face: NDArray[np.uint8], spec: CropSpec
) -> NDArray[np.float32]:
    """Return float32 (3,): mean RGB of crop where there is face and no hole."""
    seen = face.astype(np.float32) * (1 - masks.hole(spec))
    total = max(float(seen.sum()), 1e-6)
    mean = np.tensordot(seen, crop.astype(np.float32), axes=2) / total
    return np.asarray(mean, np.float32)


def in_place(
    crops: Sequence[NDArray[np.uint8]],
    bank: Bank,
    places: NDArray[np.float64],
    light: NDArray[np.float32],
    spec: CropSpec,
) -> NDArray[np.float32]:
    """Return reference pictures float32 (K, H, W, 3), 0..255, moved and lit as a
    target is whose places (P, 2) and light (3,) are given.

    What a turn of the head does to the lower face is taken off to first order, so
    that the renderer's own flows are left for the mouth. crops: K of uint8
    (H, W, 3); bank: their K descriptions.
    """
    return lit(
        [moved(crop, bank.places[row], places, spec) for row, crop in enumerate(crops)],
        bank.light,
        light,
    )


def moved(
    crop: NDArray[np.uint8],
    places: NDArray[np.float64],
    wanted: NDArray[np.float64],
    spec: CropSpec,
) -> NDArray[np.uint8]:
    """Return a crop whose places (P, 2) are those given, bent to have the wanted."""
    to_crop = affine_between(wanted * spec.px_per_eyes, places * spec.px_per_eyes)
    return cut_face(crop, to_crop, spec)


class Placed:
    """Pictures bent to where a target's lower face lies; those bent last are kept:
    neighbouring frames mostly share them. Used by several threads at once.

    crops: uint8 (m, H, W, 3). places: (m, P, 2), theirs.
    """

    KEPT = 48
    """Of the size drawn: a few MB, and tens where a face is very large."""

    def __init__(
        self, crops: NDArray[np.uint8], places: NDArray[np.float64], spec: CropSpec
    ) -> None:
        self._crops, self._places, self._spec = crops, places, spec
        self._made: dict[tuple[int, bytes], NDArray[np.uint8]] = {}

    def __call__(
        self, rows: NDArray[np.int64], wanted: NDArray[np.float64]
    ) -> list[NDArray[np.uint8]]:
        """Return the pictures of these rows, moved to the places (P, 2) wanted."""
        key = wanted.tobytes()
        return [self._one(int(row), wanted, key) for row in rows]

    def _one(
        self, row: int, wanted: NDArray[np.float64], key: bytes
    ) -> NDArray[np.uint8]:
        made = self._made.pop((row, key), None)
        if made is None:
            made = moved(self._crops[row], self._places[row], wanted, self._spec)
        self._made[row, key] = made
        for oldest in list(self._made)[: -self.KEPT]:
            self._made.pop(oldest, None)
        return made


def lit(
    crops: Sequence[NDArray[np.uint8]],
    lights: NDArray[np.float32],
    wanted: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return K crops with the lights (K, 3) in the wanted light (3,): float32
    (K, H, W, 3), 0..255."""
    gain = np.clip(wanted / np.maximum(lights, 1.0), 1 / MAX_GAIN, MAX_GAIN)
    levels = np.arange(256, dtype=np.float32)[:, None]
    shown = np.empty((len(crops), *crops[0].shape), np.float32)
    for row, crop in enumerate(crops):
        # A table of the 256 levels: far fewer products than one for each sample.
        table = np.minimum(levels * gain[row].astype(np.float32), np.float32(255))
        cv2.LUT(crop, table[None], dst=shown[row])
    return shown


@dataclass(frozen=True)
class Sample:
    """Two neighbouring frames and the references they share.

    target: uint8 (2, H, W, 3). references: float32 (K, H, W, 3), 0..255. codes:
    (2, C). reference_codes: (K, C), off the target's rest. face, lips: uint8
    (2, H, W), 255 inside.
    """

    target: NDArray[np.uint8]
    references: NDArray[np.float32]
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
        weight = np.array([talkers.count(t) ** RARE_POWER for t in talkers])
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
        number, at = self.moment(rng)
        item = self._clips[number]
        wanted = item.bank[at : at + 1]
        owners = self._owners(number, rng)
        frames = [(owner, row) for owner in owners for row in range(len(owner.codes))]
        bank = owners[0].bank.joined(*(owner.bank for owner in owners[1:]))
        far = np.concatenate(
            [np.full(len(o.codes), 0 if o is item else FAR) for o in owners]
        )
        bank = replace(bank, frames=bank.frames + far)
        rows = draw(wanted, bank, self._spread, rng)
        chosen = bank[rows]
        pictures = [
            np.asarray(owner.clip.crops[row])
            for owner, row in (frames[i] for i in rows)
        ]
        return self.sample(
            number,
            at,
            in_place(pictures, chosen, wanted.places[0], wanted.light[0], self._spec),
            chosen.codes - item.rest,
        )

    def moment(self, rng: np.random.Generator) -> tuple[int, int]:
        """Draw a clip and the first of two frames in it."""
        number = int(rng.choice(len(self._clips), p=self._weight))
        # Half of the draws go to frames of a moving mouth: silence teaches little.
        speed = np.abs(np.diff(self._clips[number].codes[:, 0]))
        odds = 0.5 / len(speed) + 0.5 * speed / max(float(speed.sum()), 1e-6)
        return number, int(rng.choice(len(speed), p=odds / odds.sum()))

    def sample(
        self,
        number: int,
        at: int,
        references: NDArray[np.float32],
        reference_codes: NDArray[np.float32],
    ) -> Sample:
        """Return frames at and at + 1 of a clip beside the references."""
        item = self._clips[number]
        return Sample(
            np.asarray(item.clip.crops[at : at + 2]),
            references,
            item.codes[at : at + 2],
            reference_codes,
            *self._masks(item, at),
        )

    def _owners(self, number: int, rng: np.random.Generator) -> list[CodedClip]:
        """Return the clips that references may come from."""
        item, others = self._clips[number], self._session[number]
        kind = rng.random()
        if not others or kind < OWN_ONLY:
            return [item]
        some = rng.choice(others, min(len(others), OTHER_CLIPS), replace=False)
        alone = kind > 1 - OTHERS_ONLY
        return ([] if alone else [item]) + [self._clips[int(i)] for i in some]

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
