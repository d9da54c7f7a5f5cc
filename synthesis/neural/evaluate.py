"""How well an engine does on clips it never saw, measured on its output frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.faces.align import CropSpec, crop_maps, cut_face, filled
from synthesis.faces.finder import FaceFinder
from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.neural import footage, masks
from synthesis.neural.footage import FootageError
from synthesis.neural.lipcode import openings
from synthesis.neural.mel import RATE_HZ

JUDGED = CropSpec()
"""Pictures are compared at one size, whatever size the engine works in."""
BLOCK_S = 0.25
"""A shuffled sound is the clip's own, cut into blocks of so long and permuted."""
SPEECH_OPENING = 0.3
"""Speech frames: opening above this share between the clip's least and most open."""


class Dub(Protocol):
    """Redraws a clip's mouth to a sound: frames RGB uint8, as many as came in."""

    def __call__(
        self, path: Path, track: FaceTrack, sound: NDArray[np.float32]
    ) -> Iterator[NDArray[np.uint8]]: ...


@dataclass(frozen=True)
class ClipFigures:
    """One clip. r: correlation of mouth opening, output against the real one."""

    clip: str
    talker: str
    r_own: float
    r_shuffled: float
    r_other: float
    """Under another clip's sound (a single clip's own, backwards): not 0 where clips
    share their timing, as GRID's sentences do."""
    opening_ratio: float
    """Spread of the opening, output over real: below 1 the mouth under-moves."""
    psnr: float
    psnr_speech: float
    ssim: float
    sharpness: float
    """Variance of the Laplacian on the mouth, output over real."""
    flicker: float
    """Mean change from frame to frame on the mouth, output over real."""


def evaluate(
    paths: Sequence[Path], dub: Dub, *, seed: int = 1
) -> Iterator[ClipFigures | tuple[str, str]]:
    """Yield each clip's figures, or (clip, why it was left out)."""
    finder = FaceFinder()
    rng = np.random.default_rng(seed)
    for number, path in enumerate(paths):
        try:
            other = _other_sound(paths, number)
            yield judge_clip(path, other, dub, finder, rng)
        except FootageError as error:
            yield path.name, error.sentence


def _other_sound(paths: Sequence[Path], number: int) -> NDArray[np.float32]:
    """The sound of the next clip that has one; the clip's own, backwards, if none."""
    for step in range(1, len(paths)):
        try:
            return footage.sound(paths[(number + step) % len(paths)])
        except FootageError:
            continue
    return footage.sound(paths[number])[::-1].copy()


def judge_clip(
    path: Path,
    other: NDArray[np.float32],
    dub: Dub,
    finder: FaceFinder,
    rng: np.random.Generator,
) -> ClipFigures:
    """Dub one clip with its own, a shuffled and another sound, and compare."""
    own = footage.sound(path)
    tracks = list(find_tracks(footage.frames(path), [(0, 10**9)], finder=finder))
    if not tracks:
        raise FootageError("no-face", f"{path.name} shows no face.")
    track = tracks[0]
    real = openings(filled(track.landmarks))
    made = list(dub(path, track, own))
    own_opening = _output_opening(made, track, finder)
    swapped = {
        name: _output_opening(dub(path, track, sound), track, finder)
        for name, sound in (("shuffled", shuffled(own, rng)), ("other", other))
    }
    maps = crop_maps(filled(track.landmarks), JUDGED)
    pictures = _mouths(made, track, maps)
    truth = _mouths(footage.frames(path), track, maps)
    speech = real > real.min() + SPEECH_OPENING * np.ptp(real)
    return ClipFigures(
        path.stem,
        path.parent.name,
        correlation(own_opening, real),
        correlation(swapped["shuffled"], real),
        correlation(swapped["other"], real),
        float(own_opening.std() / max(real.std(), 1e-9)),
        psnr(pictures, truth),
        psnr(pictures[speech], truth[speech]),
        float(np.mean([ssim(a, b) for a, b in zip(pictures, truth, strict=True)])),
        _ratio(sharpness(pictures), sharpness(truth)),
        _ratio(flicker(pictures), flicker(truth)),
    )


def summary(figures: Sequence[ClipFigures]) -> dict[str, float]:
    """Return the mean of each figure, and the least r_own, over clips."""
    rows = [asdict(f) for f in figures]
    names = [k for k, v in rows[0].items() if isinstance(v, float)] if rows else []
    means = {name: float(np.mean([row[name] for row in rows])) for name in names}
    if rows:
        means["r_own_least"] = min(row["r_own"] for row in rows)
    return means | {"clips": float(len(rows))}


def shuffled(
    sound: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Permute blocks of the sound: the same voice, its timing gone."""
    size = round(BLOCK_S * RATE_HZ)
    blocks = [sound[i : i + size] for i in range(0, len(sound), size)]
    mixed = [blocks[i] for i in rng.permutation(len(blocks))]
    return np.concatenate(mixed) if mixed else sound


def correlation(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Return Pearson's r; 0 where either does not move."""
    if len(a) < 2 or a.std() < 1e-9 or b.std() < 1e-9:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Return the PSNR in dB of uint8 pictures of one shape; at most 99."""
    if not a.size:
        return float("nan")
    error = float(((a.astype(np.float64) - b) ** 2).mean())
    return min(99.0, 10 * float(np.log10(255**2 / max(error, 1e-9))))


def ssim(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Return structural similarity of two RGB pictures' luma (Wang et al. 2004)."""
    x, y = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float64) for p in (a, b))

    def blur(picture: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5), np.float64)

    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    both = blur(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    top = (2 * mean_x * mean_y + c1) * (2 * both + c2)
    return float((top / ((mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2))).mean())


def sharpness(pictures: NDArray[np.uint8]) -> float:
    """Return the mean variance of the Laplacian of pictures (n, h, w, 3)."""
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in pictures]
    return float(np.mean([cv2.Laplacian(g, cv2.CV_64F).var() for g in grey]))


def flicker(pictures: NDArray[np.uint8]) -> float:
    """Return the mean absolute change between neighbours of (n, h, w, 3)."""
    return float(np.abs(np.diff(pictures.astype(np.float32), axis=0)).mean())


def _ratio(a: float, b: float) -> float:
    return a / b if b > 1e-9 else float("nan")


def _output_opening(
    made: Iterator[NDArray[np.uint8]] | list[NDArray[np.uint8]],
    track: FaceTrack,
    finder: FaceFinder,
) -> NDArray[np.float64]:
    """Measure the opening on output frames with the face mesh, fresh."""
    count = len(track.landmarks)
    inside = (f for i, f in enumerate(made) if 0 <= i - track.start < count)
    found = list(find_tracks(inside, [(0, count)], finder=finder))
    if not found:
        return np.zeros(count)
    at = found[0].start
    measured = openings(filled(found[0].landmarks))
    return np.pad(measured, (at, count - at - len(measured)), mode="edge")


def _mouths(
    frames: Iterator[NDArray[np.uint8]] | list[NDArray[np.uint8]],
    track: FaceTrack,
    maps: NDArray[np.float64],
) -> NDArray[np.uint8]:
    """Cut the judged mouth box (n, h, w, 3) from the track's frames."""
    left, top, right, bottom = masks.box_px(masks.MOUTH, JUDGED)
    cuts = []
    for number, frame in enumerate(frames):
        at = number - track.start
        if 0 <= at < len(maps):
            crop = cut_face(frame, maps[at], JUDGED)
            cuts.append(crop[top:bottom, left:right])
    return np.stack(cuts)
