"""Two networks on the same seconds that neither was trained on, side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from synthesis.engines.base import Controls, Engine, ShotFace
from synthesis.engines.trial import painted
from synthesis.faces.align import CropSpec, crop_maps, cut_face, filled
from synthesis.faces.finder import FaceFinder
from synthesis.faces.tracks import find_tracks
from synthesis.neural import masks
from synthesis.neural.articulation import correlation
from synthesis.neural.evaluate import JUDGED
from synthesis.neural.figures import psnr, sharpness
from synthesis.neural.lipcode import openings

SHOWN = CropSpec(432, 384, 258.0)
"""The lower face as a person looks at it: one and a half times the large crop."""
STILLS = 4

Picture = NDArray[np.uint8]
Report = Callable[[int, int], None]


@dataclass(frozen=True)
class MouthFigures:
    """psnr: dB on the mouth, against the filmed one. sharpness: of the mouth over the
    filmed one's, 1 is real. opening_r: correlation of the opening, measured afresh."""

    psnr: float
    sharpness: float
    opening_r: float


@dataclass(frozen=True)
class Still:
    """One frame, counted in the excerpt, RGB uint8 of SHOWN's size by network; the
    filmed one under "filmed"."""

    frame: int
    pictures: dict[str, Picture]


@dataclass(frozen=True)
class Comparison:
    """Figures by network, over so many frames."""

    frames: int
    figures: dict[str, MouthFigures]
    stills: list[Still]


@dataclass
class _Seen:
    """What is kept of one pass over the judged frames."""

    mouths: list[Picture] = field(default_factory=list)
    shown: dict[int, Picture] = field(default_factory=dict)
    opening: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


def compare(
    face: ShotFace,
    engines: dict[str, Callable[[], Engine]],
    *,
    judged_from: int,
    report: Report = lambda frame, frames: None,
) -> Comparison:
    """Let each engine say face.sound with the face, and measure frames judged_from on.

    Engines are loaded one after the other. report(frame, frames) may raise to stop.
    """
    finder = FaceFinder()
    landmarks = filled(face.landmarks)
    count = len(landmarks)
    stills = _stills(openings(landmarks), judged_from)
    passes, done = 1 + len(engines), 0

    def seen(frames: Iterator[Picture]) -> _Seen:
        def told() -> Iterator[Picture]:
            nonlocal done
            for frame in frames:
                done += 1
                report(done, passes * count)
                yield frame

        return _watched(told(), landmarks, judged_from, stills, finder)

    filmed = seen(face.frames())
    made = {name: seen(_dubbed(face, load())) for name, load in engines.items()}
    real = np.stack(filmed.mouths)
    figures = {
        name: MouthFigures(
            psnr=psnr(np.stack(one.mouths), real),
            sharpness=sharpness(np.stack(one.mouths)) / max(sharpness(real), 1e-9),
            opening_r=correlation(one.opening, filmed.opening),
        )
        for name, one in made.items()
    }
    everyone = {"filmed": filmed, **made}
    shown = [
        Still(frame, {name: one.shown[frame] for name, one in everyone.items()})
        for frame in stills
    ]
    return Comparison(count - judged_from, figures, shown)


def _dubbed(face: ShotFace, engine: Engine) -> Iterator[Picture]:
    patches = engine.mouths(face, Controls())
    for frame, patch in zip(face.frames(), patches, strict=True):
        yield painted(frame, patch)


def _watched(
    frames: Iterator[Picture],
    landmarks: NDArray[np.float64],
    judged_from: int,
    stills: list[int],
    finder: FaceFinder,
) -> _Seen:
    """Look at every frame from judged_from on, holding none."""
    seen = _Seen()
    judged = crop_maps(landmarks, JUDGED)
    large = crop_maps(landmarks, SHOWN)
    left, top, right, bottom = masks.box_px(masks.MOUTH, JUDGED)

    def passing() -> Iterator[Picture]:
        for number, frame in enumerate(frames):
            if number < judged_from:
                continue
            crop = cut_face(frame, judged[number], JUDGED)
            seen.mouths.append(crop[top:bottom, left:right])
            if number in stills:
                seen.shown[number] = cut_face(frame, large[number], SHOWN)
            yield frame

    count = len(landmarks) - judged_from
    found = list(find_tracks(passing(), [(0, count)], finder=finder))
    seen.opening = np.zeros(count)
    if found:
        at = found[0].start
        measured = openings(filled(found[0].landmarks))
        seen.opening = np.pad(measured, (at, count - at - len(measured)), mode="edge")
    return seen


def _stills(opening: NDArray[np.float64], judged_from: int) -> list[int]:
    """Frames from the least to the most open mouth, in the order they were filmed."""
    order = judged_from + np.argsort(opening[judged_from:], kind="stable")
    places = np.linspace(0, len(order) - 1, min(STILLS, len(order))).round()
    return sorted(int(order[int(place)]) for place in places)
