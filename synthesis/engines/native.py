"""Our own engine: sound -> lip code -> new mouth, from weights in the repository."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from synthesis.abreast import each
from synthesis.engines.base import Controls, MouthPatch, ShotFace
from synthesis.engines.dialled import dialled
from synthesis.engines.finish import finished, grain_between, usual_grain
from synthesis.engines.pictures import Pictures, resized, stored_pictures
from synthesis.faces.abstention import FADE_FRAMES, drawn_frames
from synthesis.faces.align import (
    CropSpec,
    affine_between,
    crop_maps,
    cut_face,
    filled,
    lower_face_places,
    poses,
)
from synthesis.heap import heap_trim
from synthesis.neural import masks
from synthesis.neural.dataset import Placed, lit, mean_light
from synthesis.neural.lipcode import mouth_shapes, rest_shape
from synthesis.neural.mel import log_mel
from synthesis.neural.references import Bank, choose
from synthesis.neural.speech import codes_at, codes_of_sound
from synthesis.neural.weights import GENERAL, WeightFolder, WeightsError

SCENE_REFERENCES = 160
"""Pictures of the actor kept from the scene itself."""
BATCH_FRAMES = 8
PATH_FRAMES = 1000
"""References are chosen for so many frames at once: memory must not grow with shots."""
SKIN = 200
"""A matte above it is face, not its soft edge."""
MOST_ENLARGED = 3.0
"""A face larger than so many times the network's is drawn at that and enlarged."""

Tier = Literal["draft", "final"]


@dataclass(frozen=True)
class _Plan:
    """What is known about a shot before a pixel is read; n frames.

    wanted: (n,) False where the frame stays as it is. fade: (n,) 0..1. spec: of the
    crops cut and laid back. maps: (n, 2, 3). ovals: (n, points, 2) of masks.FACE_OVAL
    in the frame. codes: (n, C) as filmed, LipCode.absolute. rest: (C,) of the shot.
    turns: (n, 2). places: (n, P, 2) as in a Bank.
    """

    wanted: NDArray[np.bool_]
    fade: NDArray[np.float64]
    spec: CropSpec
    maps: NDArray[np.float64]
    ovals: NDArray[np.float64]
    codes: NDArray[np.float32]
    rest: NDArray[np.float32]
    turns: NDArray[np.float64]
    places: NDArray[np.float64]

    def bank(self, frames: NDArray[np.int64], light: NDArray[np.float32]) -> Bank:
        """Return the filmed frames named, as candidates or as targets."""
        return Bank(
            self.codes[frames], self.turns[frames], frames, light, self.places[frames]
        )


@dataclass(frozen=True)
class _Shot:
    """What the n frames of a shot are drawn from. wanted: (n, C) codes. bank: of the m
    reference pictures; rows: (n, K) of them chosen. light: (n, 3). grain: of the film.
    """

    plan: _Plan
    wanted: NDArray[np.float32]
    bank: Bank
    placed: Placed
    rows: NDArray[np.int64]
    light: NDArray[np.float32]
    grain: float

    def references(self, number: int) -> NDArray[np.float32]:
        """Return float32 (K, H, W, 3), 0..255, in the pose and light of a frame."""
        chosen = self.rows[number]
        crops = self.placed(chosen, self.plan.places[number])
        return lit(crops, self.bank.light[chosen], self.light[number])


@dataclass(frozen=True)
class _Batch:
    """Some frames one after the other: crops uint8 (b, H, W, 3) from frame first on."""

    first: int
    crops: NDArray[np.uint8]


class NativeEngine:
    """The factorised engine of DESIGN section 5; see base.Engine."""

    name = "native"
    scene_pictures = True
    """Whether the scene itself gives references where the actor's own are at hand.
    Evaluation may turn it off: then all references are other footage."""

    finishes = True
    """Whether what is drawn gets its last touch: detail and the film's grain."""

    def __init__(
        self,
        general: WeightFolder,
        actor: WeightFolder | None,
        tier: Tier = "final",
        threads: int = 1,
    ) -> None:
        """Load networks; prefer `load`. threads: as many batches are drawn at once."""
        own = actor if actor is not None else general
        control = own if "control" in own else general
        renderer = own if "renderer" in own and tier == "final" else general
        self._lip_code = general.lip_code()
        self._control = control.control()
        self._renderer = renderer.renderer()
        self._style_row = own.style_row
        config = self._renderer.config
        self._spec = CropSpec(config.width, config.height, config.px_per_eyes)
        self._tier = tier
        self._threads = threads
        self._narrow = renderer.config("renderer") != general.config("renderer")
        """It knows this actor's minutes alone, and no pose but theirs."""
        used = {
            general.sha256("lip_code"), control.sha256("control"),
            renderer.sha256("renderer"),
        }  # fmt: skip
        self._own_pictures: Pictures | None = None
        if actor is not None and "references" in actor:
            self._own_pictures, self._own_spec = stored_pictures(actor)
            used.add(actor.sha256("references"))
        self.weights_sha256 = hashlib.sha256("".join(sorted(used)).encode()).hexdigest()

    @classmethod
    def load(
        cls,
        weights_dir: Path | None = None,
        actor: Path | None = None,
        threads: int = 1,
        tier: Tier = "final",
    ) -> NativeEngine:
        """Load general weights, and an actor's adapted ones over them.

        weights_dir: the general folder, by default the one in the repository. actor:
        a folder that `train adapt` wrote. threads: as many batches are drawn at once,
        each by one thread of torch: from now on it takes one in the whole process.
        tier: "draft" draws with the small general network whatever the face's size;
        "final" with the actor's own, and as large as the face was filmed.
        Raises WeightsError where a file is missing, changed or of another shape.
        """
        _one_thread()
        general = WeightFolder(weights_dir or GENERAL)
        adapted = WeightFolder(actor) if actor is not None else None
        if adapted is not None and adapted.base != general.sha256("lip_code"):
            raise WeightsError(
                "weights-base",
                "The actor's weights were adapted under another lip code: adapt them "
                "again to the general weights now in use.",
            )
        return cls(general, adapted, tier, threads)

    def mouths(self, face: ShotFace, controls: Controls) -> Iterator[MouthPatch | None]:
        """See base.Engine. Opens face.frames twice; memory does not grow with it."""
        plan = self._plan(face)
        if not plan.wanted.any():
            for _ in range(len(face.landmarks)):
                yield None
            return
        shot = self._prepared(face, plan, self._wanted_codes(face, controls))
        heap_trim()  # Drawing takes the most memory: not beside what planning took.
        for patches in each(
            partial(self._drawn, shot),
            self._batches(face, plan),
            threads=self._threads,
            begin=_one_thread,
        ):
            yield from patches

    def lip_codes(self, face: ShotFace, controls: Controls) -> NDArray[np.float32]:
        """Return the codes (n, C) the mouth will follow: for curves and export."""
        return self._wanted_codes(face, controls)

    def _plan(self, face: ShotFace) -> _Plan:
        missing = np.isnan(face.landmarks[:, 0, 0])
        if missing.all():
            nothing = np.zeros((0,))
            none = nothing.astype(np.float32)
            return _Plan(
                ~missing, nothing, self._spec, nothing, nothing, none, none, nothing,
                nothing,
            )  # fmt: skip
        landmarks = filled(face.landmarks)
        pose = poses(landmarks)
        turns = np.stack([pose.yaw_degrees, pose.pitch_degrees], 1)
        eyes = np.linalg.norm(landmarks[:, 33, :2] - landmarks[:, 263, :2], axis=1)
        wanted = drawn_frames(face.landmarks)
        shapes = mouth_shapes(landmarks)
        rest = rest_shape(shapes[wanted] if wanted.any() else shapes)
        spec = self._spec_for(float(np.median(eyes[wanted])) if wanted.any() else 0.0)
        maps, places = self._in_usual_pose(landmarks, spec)
        return _Plan(
            wanted,
            fades(wanted),
            spec,
            maps,
            landmarks[:, list(masks.FACE_OVAL), :2],
            self._lip_code.absolute(shapes),
            self._lip_code.absolute(rest[None])[0],
            turns,
            places,
        )

    def _spec_for(self, eyes_px: float) -> CropSpec:
        """Return the crop to draw for a face so large: the network's own, or larger
        by quarters, never beyond what was filmed."""
        quarters = int(4 * eyes_px / self._spec.px_per_eyes)
        if self._tier == "draft" or quarters < 5:
            return self._spec
        scale = min(quarters / 4, MOST_ENLARGED)
        width, height = (
            round(self._spec.width * scale),
            round(self._spec.height * scale),
        )
        return CropSpec(width, height, self._spec.px_per_eyes * scale)

    def _in_usual_pose(
        self, landmarks: NDArray[np.float64], spec: CropSpec
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return crop maps (n, 2, 3) and places (n, P, 2) with head turns taken off.

        Each crop is bent (an affine map) so that its lower face lies where the actor's
        own pictures have it: a renderer adapted on minutes saw few turned heads, and
        would set the mouth beside its place. The general one saw many: it is spared.
        """
        maps = crop_maps(landmarks, spec)
        places = lower_face_places(landmarks, maps)
        own = self._own_pictures
        if own is None or not self._narrow:
            return maps, places / spec.px_per_eyes
        usual = np.median(own.bank.places, axis=0)
        bent = []
        for to_frame, place in zip(maps, places, strict=True):
            to_crop = affine_between(usual * spec.px_per_eyes, place)
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
        return dialled(
            lambda offset_frames: codes_at(codes, times_s - offset_frames * frame_s),
            controls,
            len(times_s),
        )

    def _gather(
        self, face: ShotFace, plan: _Plan
    ) -> tuple[Pictures, NDArray[np.float32], float]:
        """Read the shot once: pictures of the actor from all over it, the light (n, 3)
        on each frame, measured on those and interpolated, and the film's grain."""
        usable = np.flatnonzero(plan.wanted)
        count = min(SCENE_REFERENCES, len(usable))
        kept = usable[np.linspace(0, len(usable) - 1, count).round().astype(int)]
        crops = np.empty((count, plan.spec.height, plan.spec.width, 3), np.uint8)
        measured = np.empty((count, 3), np.float32)
        grain: list[float] = []
        place = {int(frame): row for row, frame in enumerate(kept)}
        needed = set(kept) | set(kept + 1)
        frames = ((k, f) for k, f in enumerate(face.frames()) if k in needed)
        cut = partial(_cut_out, plan)
        for number, crop, matte in each(cut, frames, threads=self._threads):
            before = place.get(number - 1)
            if before is not None:
                skin = (matte > SKIN) & (masks.hole(plan.spec) == 0)
                grain.append(grain_between(crops[before], crop, skin))
            if number in place:
                crops[place[number]] = crop
                measured[place[number]] = mean_light(crop, matte, plan.spec)
        at = np.arange(len(plan.wanted))
        light = np.stack([np.interp(at, kept, c) for c in measured.T], 1)
        pictures = Pictures(crops, plan.bank(kept, measured))
        own = self._own_pictures
        if own is not None:
            stored = resized(own, self._own_spec, plan.spec)
            pictures = pictures.joined(stored) if self.scene_pictures else stored
        return pictures, light.astype(np.float32), usual_grain(grain)

    def _prepared(
        self, face: ShotFace, plan: _Plan, wanted: NDArray[np.float32]
    ) -> _Shot:
        pictures, light, grain = self._gather(face, plan)
        placed = Placed(pictures.crops, pictures.bank.places, plan.spec)
        rows = self._choose(plan, wanted, pictures, light)
        return _Shot(plan, wanted, pictures.bank, placed, rows, light, grain)

    def _drawn(self, shot: _Shot, batch: _Batch) -> list[MouthPatch | None]:
        """Draw some frames; called by several threads at once."""
        plan, end = shot.plan, batch.first + len(batch.crops)
        patches: list[MouthPatch | None] = [None] * len(batch.crops)
        at = batch.first + np.flatnonzero(plan.wanted[batch.first : end])
        if not len(at):
            return patches
        rows = shot.rows[at]
        rgb, matte = self._draw(
            batch.crops[at - batch.first],
            np.stack([shot.references(int(number)) for number in at]),
            shot.wanted[at],
            shot.bank.codes[rows] - plan.rest,
        )
        for number, made, skin in zip(at.tolist(), rgb, matte, strict=True):
            done = finished(made, shot.grain, number) if self.finishes else made
            patches[number - batch.first] = _patch(plan, number, (done, skin))
        return patches

    def _choose(
        self,
        plan: _Plan,
        wanted: NDArray[np.float32],
        pictures: Pictures,
        light: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """Return (n, K) rows of pictures."""
        pieces = []
        for first in range(0, len(wanted), PATH_FRAMES):
            frames = np.arange(first, min(first + PATH_FRAMES, len(wanted)))
            target = replace(
                plan.bank(frames, light[frames]), codes=wanted[frames] + plan.rest
            )
            pieces.append(choose(target, pictures.bank, self._lip_code.spread))
        return np.concatenate(pieces)

    def _batches(self, face: ShotFace, plan: _Plan) -> Iterator[_Batch]:
        """Read the shot again and cut the face out: fewer at a time of a larger one."""
        ratio = plan.spec.px_per_eyes / self._spec.px_per_eyes
        count = max(1, round(BATCH_FRAMES / ratio**2))
        cuts = (
            cut_face(frame, to_frame, plan.spec)
            for frame, to_frame in zip(face.frames(), plan.maps, strict=True)
        )
        for first in range(0, len(plan.maps), count):
            yield _Batch(first, np.stack(list(islice(cuts, count))))

    @torch.inference_mode()
    def _draw(
        self,
        crops: NDArray[np.uint8],
        references: NDArray[np.float32],
        codes: NDArray[np.float32],
        reference_codes: NDArray[np.float32],
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Run the renderer: RGB uint8 (b, H, W, 3) and face (b, H, W) 0..1.

        crops: uint8 (b, H, W, 3). references: (b, K, H, W, 3), 0..255, in the crops'
        pose and light. codes: (b, C), reference_codes: (b, K, C), off the shot's rest.
        """
        target = torch.from_numpy(crops).movedim(-1, 1).float() / 255
        shown = torch.from_numpy(references).movedim(-1, 2) / 255
        size = (self._spec.height, self._spec.width)
        large = shown if shown.shape[-2:] != size else None
        if large is not None:
            target = F.interpolate(target, size, mode="area")
            shown = F.interpolate(shown.flatten(0, 1), size, mode="area")
            shown = shown.view(*references.shape[:2], 3, *size)
        made, logit = self._renderer(
            target,
            torch.from_numpy(masks.hole(self._spec)),
            shown,
            torch.from_numpy(codes),
            torch.from_numpy(reference_codes),
            large,
            inside=True,
        )
        face = logit.sigmoid()
        if large is not None:
            face = F.interpolate(
                face, crops.shape[1:3], mode="bilinear", align_corners=False
            )
        rgb = (made.clamp(0, 1) * 255).round().to(torch.uint8).movedim(1, -1)
        return rgb.contiguous().numpy(), face[:, 0].numpy()


def _cut_out(
    plan: _Plan, numbered: tuple[int, NDArray[np.uint8]]
) -> tuple[int, NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the number of a frame, its crop, and where face is in it."""
    number, frame = numbered
    crop = cut_face(frame, plan.maps[number], plan.spec)
    return number, crop, _filmed_matte(plan, number)


def _one_thread() -> None:
    """Keep torch to the thread that calls it: there are as many as cores, and its own
    would spin between layers."""
    torch.set_num_threads(1)


def _patch(
    plan: _Plan, number: int, drawn: tuple[NDArray[np.uint8], NDArray[np.float32]]
) -> MouthPatch:
    """Cut what was drawn, RGB (H, W, 3) and face (H, W), out softly."""
    rgb, face = drawn
    filmed = _filmed_matte(plan, number).astype(np.float32) / 255
    alpha = masks.soft_hole(plan.spec) * np.maximum(filmed, face) * plan.fade[number]
    rgba = cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA)
    rgba[..., 3] = np.round(alpha * 255)
    return MouthPatch(np.asarray(rgba, np.uint8), plan.maps[number].copy())


def _filmed_matte(plan: _Plan, number: int) -> NDArray[np.uint8]:
    """Return (H, W), 255 on the face as filmed."""
    outline = masks.in_crop(plan.ovals[number], plan.maps[number])
    return masks.oval_matte(outline, plan.spec)


def fades(wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return (n,): 1 inside runs of wanted frames, falling over 4 at inner borders.

    Where the shot itself begins or ends nothing fades: there the cut hides the change.
    """
    distance = np.full(len(wanted), np.inf)
    for gap in np.flatnonzero(~wanted):
        distance = np.minimum(distance, np.abs(np.arange(len(wanted)) - gap))
    return np.clip(distance / (FADE_FRAMES + 1), 0, 1)
