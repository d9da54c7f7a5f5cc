"""How well engines do on clips they never saw, measured on the frames they put out.

Every contender dubs every clip twice: to the clip's own sound (what was filmed is the
truth) and to another clip's (no truth, but sync, silence, closures and the seam can be
told). The unmodified video runs along as a contender: under its own sound it is the
ceiling, under another's the baseline that does nothing. Landmarks, codes and pictures
are measured afresh on the output; nothing an engine says of itself is believed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec, crop_maps, cut_face, filled
from synthesis.faces.finder import FaceFinder
from synthesis.faces.geometry import Roi
from synthesis.neural import articulation, figures, masks
from synthesis.neural.articulation import Said
from synthesis.neural.lipcode import LipCode, mouth_shapes, openings, rest_shape
from synthesis.neural.material import (
    Contender,
    Material,
    Painted,
    SyncJudge,
    quiet_frames,
    spoken_frames,
    unmodified,
)

JUDGED = CropSpec()
"""Pictures are compared at one size, whatever size the engine works in."""
SQUARE = (-30 / 67, 0.62, 30 / 67, 0.62 + 60 / 67)
"""60 x 60 px of JUDGED from the upper edge of masks.MOUTH on: RESEARCH 1b's box."""
MIN_PRESENCE = 0.5
OFFSET_RIGHT_FRAMES = 1
OWN, CROSS = "own sound", "another sound"


@dataclass(frozen=True)
class Seen:
    """What is measured on a video of n frames.

    crops: uint8 (n, 96, 112, 3) of JUDGED. landmarks: (n, 468, 3), measured on it.
    portrait: mean of figures.portrait. strayed: samples changed off the mask.
    """

    crops: NDArray[np.uint8]
    landmarks: NDArray[np.float64]
    portrait: NDArray[np.float64]
    strayed: int

    @property
    def openings(self) -> NDArray[np.float64]:
        return openings(self.landmarks)

    def box(self, box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
        """Return a canonical box of the crops (n, h, w, 3)."""
        left, top, right, bottom = masks.box_px(box, JUDGED)
        return self.crops[:, top:bottom, left:right]


@dataclass(frozen=True)
class Result:
    """One clip, one contender, one sound. figures: NaN where it cannot be told."""

    clip: str
    talker: str
    row: str
    heard: str
    """OWN or CROSS."""
    sound: str
    """Name of the clip whose sound it was."""
    figures: dict[str, float]
    said: Said | None = None
    codes: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
    """Made and real."""
    seen: Seen | None = field(default=None, repr=False)


def watch(frames: Iterable[Painted], material: Material, finder: FaceFinder) -> Seen:
    """Look at a video of the material's face, original or output, frame by frame."""
    maps = crop_maps(material.landmarks, JUDGED)
    face_maps = crop_maps(material.landmarks, figures.FACE)
    crops = np.empty((len(maps), JUDGED.height, JUDGED.width, 3), np.uint8)
    measured = np.full(material.landmarks.shape, np.nan)
    portrait: NDArray[np.float64] = np.zeros(1)
    strayed, last = 0, material.landmarks[0]
    for at, frame in enumerate(frames):
        crops[at] = cut_face(frame.rgb, maps[at], JUDGED)
        face = cut_face(frame.rgb, face_maps[at], figures.FACE)
        portrait = portrait + figures.portrait(face) / len(maps)
        strayed += frame.strayed
        # Followed on the output itself; found again where the filmed face is.
        for start in (last, material.landmarks[at]):
            points, presence = finder.mesh(
                frame.rgb, Roi.around_landmarks(start.astype(np.float32))
            )
            if presence >= MIN_PRESENCE:
                measured[at] = last = points.astype(np.float64)
                break
    if np.isnan(measured).all():
        measured = material.landmarks
    return Seen(crops, filled(measured), portrait, strayed)


@dataclass(frozen=True)
class Other:
    """The sound put under a clip in the cross test, and the mouth that spoke it."""

    name: str
    sound: NDArray[np.float32]
    material: Material | None
    """None for a single clip's own sound, backwards."""


def other_of(materials: Sequence[Material], number: int) -> Other:
    """Return the next clip's sound; a single clip's own, backwards."""
    if len(materials) == 1:
        own = materials[0]
        return Other(f"{own.name} backwards", own.sound[::-1].copy(), None)
    chosen = materials[(number + 1) % len(materials)]
    return Other(chosen.name, chosen.sound, chosen)


class Bench:
    """Judges contenders on one clip after the other."""

    def __init__(
        self,
        contenders: Sequence[Contender],
        lip_code: LipCode,
        judge: SyncJudge | None,
    ) -> None:
        self._contenders = contenders
        self._lip_code = lip_code
        self._judge = judge
        self._finder = FaceFinder()

    def clip(self, material: Material, other: Other) -> Iterator[Result]:
        """Yield the results of every contender on one clip, under both sounds."""
        real = watch(unmodified(material, material.sound, None), material, self._finder)
        shapes = mouth_shapes(real.landmarks)
        rest = rest_shape(shapes)
        codes = self._lip_code.encode(shapes, rest)
        for row in self._contenders:
            asked = codes if row.true_codes else None
            made = self._made(row, material, material.sound, asked)
            found = self._reconstruction(material, made, real)
            again = self._lip_code.encode(mouth_shapes(made.landmarks), rest)
            said = Said(made.openings, real.openings, material.times_s, material.words)
            yield Result(
                material.name, material.talker, row.name, OWN, material.name,
                found | articulated(said, (again, codes)), said, (again, codes), made,
            )  # fmt: skip
        for row in self._contenders:
            if row.true_codes:
                continue
            made = self._made(row, material, other.sound, None)
            heard = _said_to(made, material, other)
            found = self._cross(material, other, made, real)
            spoken = articulated(heard, None) if heard else {}
            yield Result(
                material.name, material.talker, row.name, CROSS, other.name,
                found | spoken, heard, None, made,
            )  # fmt: skip

    def _made(
        self,
        row: Contender,
        material: Material,
        sound: NDArray[np.float32],
        codes: NDArray[np.float32] | None,
    ) -> Seen:
        return watch(row.dub(material, sound, codes), material, self._finder)

    def _reconstruction(
        self, material: Material, made: Seen, real: Seen
    ) -> dict[str, float]:
        speech = spoken_frames(material)
        boxes = made.box(masks.MOUTH), real.box(masks.MOUTH)
        squares = made.box(SQUARE), real.box(SQUARE)
        same, same_square = (
            np.array([figures.ssim(a, b) for a, b in zip(*pair, strict=True)])
            for pair in (boxes, squares)
        )
        apart = figures.lip_distance(made.landmarks, real.landmarks)
        return {
            "psnr": figures.psnr(*boxes),
            "psnr_speech": figures.psnr(*(b[speech] for b in boxes)),
            "psnr_square": figures.psnr(*squares),
            "psnr_square_speech": figures.psnr(*(b[speech] for b in squares)),
            "ssim": float(same.mean()),
            "ssim_speech": _mean(same[speech]),
            "ssim_square": float(same_square.mean()),
            "lmd": float(apart.mean()),
            "lmd_speech": _mean(apart[speech]),
            **self._either_sound(material, material.sound, made, real),
        }

    def _cross(
        self, material: Material, other: Other, made: Seen, real: Seen
    ) -> dict[str, float]:
        found = self._either_sound(material, other.sound, made, real)
        old = articulation.correlation(made.openings, real.openings)
        found |= {"opening_r_old": old}
        if self._judge is not None:
            new = self._judge.agreement(made.crops, other.sound, material.times_s)
            old = self._judge.agreement(made.crops, material.sound, material.times_s)
            known = not math.isnan(new + old)
            found["prefers_new"] = float(new > old) if known else math.nan
            found["agreement_gain"] = new - old
        return found

    def _either_sound(
        self, material: Material, sound: NDArray[np.float32], made: Seen, real: Seen
    ) -> dict[str, float]:
        pairs = figures.still_pairs(crop_maps(material.landmarks, JUDGED), JUDGED)
        mouths = made.box(masks.MOUTH), real.box(masks.MOUTH)
        maps = crop_maps(material.landmarks, JUDGED)
        points = np.stack(
            [
                masks.in_crop(face, to_frame)
                for face, to_frame in zip(real.landmarks, maps, strict=True)
            ]
        )
        portraits = made.portrait, real.portrait
        found = {
            "sharpness": figures.ratio(*map(figures.sharpness, mouths)),
            "flicker": figures.ratio(*(figures.flicker(m, pairs) for m in mouths)),
            "seam": figures.ratio(
                *(figures.seam(s.crops, points, JUDGED) for s in (made, real))
            ),
            "identity": figures.likeness(*portraits, mouth=True),
            "identity_outside": figures.likeness(*portraits, mouth=False),
            "strayed": float(made.strayed),
            **_silence(material, sound, made, real),
        }
        if self._judge is not None:
            offset, confidence = self._judge.sync(made.crops, sound, material.times_s)
            right = abs(offset) <= OFFSET_RIGHT_FRAMES
            found["sync_confidence"] = confidence
            found["sync_offset"] = offset
            found["in_sync"] = math.nan if math.isnan(offset) else float(right)
        return found


def articulated(
    said: Said, codes: tuple[NDArray[np.float32], NDArray[np.float32]] | None
) -> dict[str, float]:
    """Return what one clip tells of its articulation; NaN where it cannot."""
    judged = articulation.judge([said])
    found = {
        "opening_r": judged.opening_r,
        "opening_r_speech": judged.speech_r,
        "opening_spread": figures.ratio(float(said.made.std()), float(said.real.std())),
        "bilabials_closed": judged.closed,
        "bilabials_closed_real": judged.closed_real,
        "false_closures": judged.false_closed,
    }
    if codes is not None:
        shares = articulation.r_squared([codes[0]], [codes[1]])
        found |= {f"code{k + 1}_r2": float(shares[k]) for k in range(3)}
    return found


def _silence(
    material: Material, sound: NDArray[np.float32], made: Seen, real: Seen
) -> dict[str, float]:
    """Speed of the made opening in silence over the real mouth's in its own."""
    own = sound is material.sound
    times_s = material.times_s
    resting = quiet_frames(material.sound, material.words, times_s)
    quiet = resting if own else quiet_frames(sound, None, times_s)
    return {
        "silence_motion": figures.ratio(
            articulation.motion(made.openings, times_s, quiet),
            articulation.motion(real.openings, times_s, resting),
        )
    }


def _said_to(made: Seen, material: Material, other: Other) -> Said | None:
    """The made mouth beside the one that spoke the other sound, while both last."""
    if other.material is None:
        return None
    theirs = other.material
    both = material.times_s <= theirs.times_s[-1]
    times_s = material.times_s[both]
    real = np.interp(times_s, theirs.times_s, openings(theirs.landmarks))
    return Said(made.openings[both], real, times_s, theirs.words)


def summary(results: Sequence[Result]) -> dict[str, dict[str, dict[str, float]]]:
    """Return {OWN | CROSS: {row: {figure: mean over clips}}}.

    Shares of bilabials and frames, and R2, are of all clips' together, not means of
    means. NaN where no clip could tell.
    """
    table: dict[str, dict[str, dict[str, float]]] = {}
    for heard in (OWN, CROSS):
        rows = dict.fromkeys(r.row for r in results if r.heard == heard)
        table[heard] = {
            row: _pooled([r for r in results if (r.heard, r.row) == (heard, row)])
            for row in rows
        }
    return table


def _pooled(results: Sequence[Result]) -> dict[str, float]:
    names = dict.fromkeys(name for r in results for name in r.figures)
    means = {
        name: _mean(np.array([r.figures.get(name, math.nan) for r in results]))
        for name in names
    }
    said = [r.said for r in results if r.said is not None]
    if said:
        whole = articulation.judge(said)
        means |= {
            "opening_r_least": whole.opening_r_least,
            "opening_r_speech": whole.speech_r,
            "bilabials": float(whole.bilabials),
            "bilabials_closed": whole.closed,
            "bilabials_closed_real": whole.closed_real,
            "false_closures": whole.false_closed,
        }
    codes = [r.codes for r in results if r.codes is not None]
    if codes:
        shares = articulation.r_squared([c[0] for c in codes], [c[1] for c in codes])
        means |= {f"code{k + 1}_r2": float(shares[k]) for k in range(3)}
    return means | {"clips": float(len(results))}


def _mean(values: NDArray[np.floating]) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else math.nan
