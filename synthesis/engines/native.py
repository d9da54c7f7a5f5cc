"""Our own engine: sound -> lip code -> new mouth, from weights in the repository."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from synthesis.engines.base import Controls, MouthPatch, ShotFace
from synthesis.faces.align import (
    CropSpec,
    affine_between,
    crop_maps,
    cut_face,
    filled,
    lower_face_places,
    poses,
)
from synthesis.neural import masks
from synthesis.neural.dataset import mean_light
from synthesis.neural.lipcode import mouth_shapes, rest_shape
from synthesis.neural.mel import log_mel
from synthesis.neural.references import Bank, choose
from synthesis.neural.speech import codes_at, codes_of_sound
from synthesis.neural.weights import GENERAL, WeightFolder, WeightsError

MAX_YAW_DEGREES = 35.0
MAX_PITCH_DEGREES = 35.0
"""Turned further, the mouth is left alone: no such face was in the training."""
MIN_EYES_PX = 16.0
"""Across the outer eye corners: a smaller face shows no mouth worth changing."""
FADE_FRAMES = 4
SCENE_REFERENCES = 160
"""Pictures of the actor kept from the scene itself."""
BATCH_FRAMES = 8
PATH_FRAMES = 1000
"""References are chosen for so many frames at once: memory must not grow with shots."""
MAX_GAIN = 1.35
FAR = 10**6


@dataclass(frozen=True)
class _Pictures:
    """Reference pictures in memory: uint8 (m, H, W, 3), with their description."""

    crops: NDArray[np.uint8]
    bank: Bank
    light: NDArray[np.float32]
    places: NDArray[np.float64]

    def joined(self, other: _Pictures) -> _Pictures:
        """Return both collections as one."""
        bank = Bank(
            np.concatenate([self.bank.codes, other.bank.codes]),
            np.concatenate([self.bank.turns, other.bank.turns]),
            np.concatenate([self.bank.frames, other.bank.frames]),
        )
        return _Pictures(
            np.concatenate([self.crops, other.crops]),
            bank,
            np.concatenate([self.light, other.light]),
            np.concatenate([self.places, other.places]),
        )


@dataclass(frozen=True)
class _Plan:
    """What is known about a shot before a pixel is read; n frames.

    wanted: (n,) False where the frame stays as it is. fade: (n,) 0..1. maps:
    (n, 2, 3). points: (n, 468, 2) in the frame. codes: (n, C) as filmed. turns: (n, 2).
    places: (n, P, 2), align.lower_face_places.
    """

    wanted: NDArray[np.bool_]
    fade: NDArray[np.float64]
    maps: NDArray[np.float64]
    points: NDArray[np.float64]
    codes: NDArray[np.float32]
    turns: NDArray[np.float64]
    places: NDArray[np.float64]


class NativeEngine:
    """The factorised engine of DESIGN section 5; see base.Engine."""

    name = "native"

    def __init__(self, general: WeightFolder, actor: WeightFolder | None) -> None:
        """Load networks; prefer `load`."""
        own = actor if actor is not None else general
        control = own if "control" in own else general
        renderer = own if "renderer" in own else general
        self._lip_code = general.lip_code()
        self._control = control.control()
        self._renderer = renderer.renderer()
        self._style_row = own.style_row
        config = self._renderer.config
        self._spec = CropSpec(config.width, config.height, config.px_per_eyes)
        self._hole = torch.from_numpy(masks.hole(self._spec))
        used = {
            general.sha256("lip_code"), control.sha256("control"),
            renderer.sha256("renderer"),
        }  # fmt: skip
        self._own_pictures: _Pictures | None = None
        if actor is not None and "references" in actor and "renderer" in actor:
            self._own_pictures = self._stored_pictures(actor)
            used.add(actor.sha256("references"))
        self.weights_sha256 = hashlib.sha256("".join(sorted(used)).encode()).hexdigest()

    @classmethod
    def load(
        cls,
        weights_dir: Path | None = None,
        actor: Path | None = None,
        threads: int = 1,
    ) -> NativeEngine:
        """Load general weights, and an actor's adapted ones over them.

        weights_dir: the general folder, by default the one in the repository. actor:
        a folder that `train adapt` wrote. threads: of torch, for the whole process.
        Raises WeightsError where a file is missing, changed or of another shape.
        """
        torch.set_num_threads(threads)
        general = WeightFolder(weights_dir or GENERAL)
        adapted = WeightFolder(actor) if actor is not None else None
        if adapted is not None and adapted.base != general.sha256("lip_code"):
            raise WeightsError(
                "weights-base",
                "The actor's weights were adapted under another lip code: adapt them "
                "again to the general weights now in use.",
            )
        return cls(general, adapted)

    def mouths(self, face: ShotFace, controls: Controls) -> Iterator[MouthPatch | None]:
        """See base.Engine. Opens face.frames twice; memory does not grow with it."""
        plan = self._plan(face)
        if not plan.wanted.any():
            for _ in range(len(face.landmarks)):
                yield None
            return
        wanted = self._wanted_codes(face, controls)
        pictures = self._gather(face, plan)
        rows = self._choose(plan, wanted, pictures)
        frames = iter(face.frames())
        for first in range(0, len(wanted), BATCH_FRAMES):
            batch = self._crops(islice(frames, BATCH_FRAMES), plan, first)
            yield from self._patches(batch, first, plan, wanted, pictures, rows)

    def lip_codes(self, face: ShotFace, controls: Controls) -> NDArray[np.float32]:
        """Return the codes (n, C) the mouth will follow: for curves and export."""
        return self._wanted_codes(face, controls)

    def _plan(self, face: ShotFace) -> _Plan:
        missing = np.isnan(face.landmarks[:, 0, 0])
        if missing.all():
            nothing = np.zeros((0,))
            none = nothing.astype(np.float32)
            return _Plan(~missing, nothing, nothing, nothing, none, nothing, nothing)
        landmarks = filled(face.landmarks)
        pose = poses(landmarks)
        turns = np.stack([pose.yaw_degrees, pose.pitch_degrees], 1)
        eyes = np.linalg.norm(landmarks[:, 33, :2] - landmarks[:, 263, :2], axis=1)
        wanted = ~missing & (eyes >= MIN_EYES_PX)
        wanted &= (np.abs(turns) <= (MAX_YAW_DEGREES, MAX_PITCH_DEGREES)).all(1)
        shapes = mouth_shapes(landmarks)
        rest = rest_shape(shapes[wanted] if wanted.any() else shapes)
        maps, places = self._in_usual_pose(landmarks)
        return _Plan(
            wanted,
            fades(wanted),
            maps,
            landmarks[:, :, :2],
            self._lip_code.encode(shapes, rest),
            turns,
            places,
        )

    def _in_usual_pose(
        self, landmarks: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return crop maps (n, 2, 3) and places (n, P, 2) with head turns taken off.

        Each crop is bent (an affine map) so that its lower face lies where the actor's
        own pictures have it: a renderer adapted on minutes saw few turned heads, and
        would set the mouth beside its place. The general one saw many: it is spared.
        """
        maps = crop_maps(landmarks, self._spec)
        places = lower_face_places(landmarks, maps)
        own = self._own_pictures
        if own is None:
            return maps, places
        usual = np.median(own.places, axis=0)
        bent = []
        for to_frame, place in zip(maps, places, strict=True):
            to_crop = affine_between(usual, place)
            linear = to_frame[:, :2] @ to_crop[:, :2]
            shift = to_frame[:, :2] @ to_crop[:, 2] + to_frame[:, 2]
            bent.append(np.column_stack([linear, shift]))
        return np.stack(bent), np.broadcast_to(usual, places.shape)

    def _wanted_codes(self, face: ShotFace, controls: Controls) -> NDArray[np.float32]:
        """Return (n, C): what the sound, or the supervisor, asks for at each frame."""
        if controls.codes is not None:
            return controls.codes
        codes = codes_of_sound(self._control, log_mel(face.sound), self._style_row)
        times_s = np.asarray(face.times_s, np.float64)
        frame_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.04
        at_s = times_s - controls.offset_frames * frame_s
        scaled: NDArray[np.float32] = codes_at(codes, at_s) * np.float32(
            controls.intensity
        )
        return scaled

    def _gather(self, face: ShotFace, plan: _Plan) -> _Pictures:
        """Read the shot once and keep pictures of the actor from all over it."""
        usable = np.flatnonzero(plan.wanted)
        count = min(SCENE_REFERENCES, len(usable))
        kept = usable[np.linspace(0, len(usable) - 1, count).round().astype(int)]
        crops = np.empty((count, *self._hole.shape, 3), np.uint8)
        place = {int(frame): row for row, frame in enumerate(kept)}
        for number, frame in enumerate(face.frames()):
            if number in place:
                crops[place[number]] = self._cut(frame, plan.maps[number])
        light = np.stack(
            [
                self._light(crop, plan, int(k))
                for crop, k in zip(crops, kept, strict=True)
            ]
        )
        bank = Bank(plan.codes[kept], plan.turns[kept], kept.astype(np.int64))
        pictures = _Pictures(crops, bank, light, plan.places[kept])
        own = self._own_pictures
        return pictures if own is None else pictures.joined(own)

    def _choose(
        self, plan: _Plan, wanted: NDArray[np.float32], pictures: _Pictures
    ) -> NDArray[np.int64]:
        """Return (n, K) rows of pictures."""
        pieces = []
        for first in range(0, len(wanted), PATH_FRAMES):
            part = slice(first, first + PATH_FRAMES)
            frames = np.arange(first, first + len(wanted[part]))
            target = Bank(wanted[part], plan.turns[part], frames)
            pieces.append(choose(target, pictures.bank, self._lip_code.spread))
        return np.concatenate(pieces)

    def _crops(
        self, frames: Iterator[NDArray[np.uint8]], plan: _Plan, first: int
    ) -> NDArray[np.uint8]:
        """Return uint8 (b, H, W, 3) of the next frames."""
        cuts = [
            self._cut(frame, plan.maps[first + number])
            for number, frame in enumerate(frames)
        ]
        return np.stack(cuts) if cuts else np.empty((0, 1, 1, 3), np.uint8)

    def _patches(
        self,
        crops: NDArray[np.uint8],
        first: int,
        plan: _Plan,
        wanted: NDArray[np.float32],
        pictures: _Pictures,
        rows: NDArray[np.int64],
    ) -> Iterator[MouthPatch | None]:
        at = first + np.flatnonzero(plan.wanted[first : first + len(crops)])
        drawn = {}
        if len(at):
            rgb, face = self._draw(crops[at - first], at, plan, wanted, pictures, rows)
            drawn = {int(k): row for row, k in enumerate(at)}
        for number in range(first, first + len(crops)):
            if number not in drawn:
                yield None
                continue
            row = drawn[number]
            points = self._in_crop(plan, number)
            filmed = masks.face_matte(points, self._spec).astype(np.float32) / 255
            alpha = masks.soft_hole(self._spec) * np.maximum(filmed, face[row])
            alpha = alpha * plan.fade[number]
            rgba = np.dstack([rgb[row], np.round(alpha * 255).astype(np.uint8)])
            yield MouthPatch(rgba, plan.maps[number].copy())

    @torch.inference_mode()
    def _draw(
        self,
        crops: NDArray[np.uint8],
        at: NDArray[np.int64],
        plan: _Plan,
        wanted: NDArray[np.float32],
        pictures: _Pictures,
        rows: NDArray[np.int64],
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Run the renderer: RGB uint8 (b, H, W, 3) and face (b, H, W) 0..1."""
        chosen = rows[at]
        light = np.stack(
            [self._light(c, plan, int(k)) for c, k in zip(crops, at, strict=True)]
        )
        gain = light[:, None] / np.maximum(pictures.light[chosen], 1.0)
        gain = np.clip(gain, 1 / MAX_GAIN, MAX_GAIN).astype(np.float32) / 255
        turned = self._turned(pictures, chosen, plan.places[at])
        references = torch.from_numpy(turned).movedim(-1, 2).float()
        references = (references * torch.from_numpy(gain)[..., None, None]).clamp(0, 1)
        made, face = self._renderer(
            torch.from_numpy(crops).movedim(-1, 1).float() / 255,
            self._hole,
            references,
            torch.from_numpy(wanted[at]),
            torch.from_numpy(pictures.bank.codes[chosen]),
        )
        rgb = (made.clamp(0, 1) * 255).round().to(torch.uint8).movedim(1, -1)
        return rgb.contiguous().numpy(), face[:, 0].sigmoid().numpy()

    def _turned(
        self,
        pictures: _Pictures,
        chosen: NDArray[np.int64],
        places: NDArray[np.float64],
    ) -> NDArray[np.uint8]:
        """Return the chosen pictures (b, K, H, W, 3), moved into the targets' pose.

        What a turn of the head does to the lower face is taken off to first order, so
        that the renderer's own flows are left for the mouth.
        """
        turned = np.empty((*chosen.shape, *pictures.crops.shape[1:]), np.uint8)
        for frame, row in np.ndindex(*chosen.shape):
            picture = chosen[frame, row]
            to_picture = affine_between(places[frame], pictures.places[picture])
            turned[frame, row] = self._cut(pictures.crops[picture], to_picture)
        return turned

    def _light(
        self, crop: NDArray[np.uint8], plan: _Plan, number: int
    ) -> NDArray[np.float32]:
        """Return (3,): mean colour of the skin that the hole leaves visible."""
        face = masks.face_matte(self._in_crop(plan, number), self._spec)
        return mean_light(crop, face, self._spec)

    def _in_crop(self, plan: _Plan, number: int) -> NDArray[np.float64]:
        return masks.in_crop(plan.points[number], plan.maps[number])

    def _cut(
        self, frame: NDArray[np.uint8], to_frame: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        return cut_face(frame, to_frame, self._spec)

    def _stored_pictures(self, actor: WeightFolder) -> _Pictures:
        arrays = actor.arrays("references")
        count = len(arrays["codes"])
        # Spaced apart, so that two of them never count as neighbours.
        frames = FAR + 100 * np.arange(count, dtype=np.int64)
        bank = Bank(
            arrays["codes"].astype(np.float32),
            arrays["turns"].astype(np.float64),
            frames,
        )
        return _Pictures(
            arrays["crops"],
            bank,
            arrays["light"].astype(np.float32),
            arrays["places"].astype(np.float64),
        )


def fades(wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return (n,): 1 inside runs of wanted frames, falling over 4 at inner borders.

    Where the shot itself begins or ends nothing fades: there the cut hides the change.
    """
    distance = np.full(len(wanted), np.inf)
    for gap in np.flatnonzero(~wanted):
        distance = np.minimum(distance, np.abs(np.arange(len(wanted)) - gap))
    return np.clip(distance / (FADE_FRAMES + 1), 0, 1)
