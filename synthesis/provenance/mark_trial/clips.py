"""The films on which the mark is tried: what everybody has, and one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from synthesis.errors import MediaRefused
from synthesis.media.frames import Planes, read_frames
from synthesis.media.probe import probe
from synthesis.provenance.mark import capacity_ok
from synthesis.provenance.mark_trial.pictures import Picture, grey, resized

DEMO_SCENE = Path(__file__).resolve().parents[2] / "demo" / "robin.mp4"
RATE = Fraction(25)
LINES = 720
SUFFIXES = {".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mxf"}


class ClipsRefused(Exception):
    """A sentence: what is wrong with the footage that was named."""


@dataclass(frozen=True)
class Clip:
    """One film without a mark.

    pictures: all of one size, 4:2:0. in_bar: whether the mark must hold on it; the
    bar is about people in front of a camera, not about a grey card.
    """

    name: str
    pictures: Sequence[Picture]
    rate: Fraction = RATE
    in_bar: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.pictures[0].size


def title(name: str) -> str:
    """A clip's name without its size: what is filmed in it."""
    return name.rpartition(" ")[0] or name


@dataclass(frozen=True)
class Source:
    """A film that can be made or read. make: of a number of seconds."""

    name: str
    make: Callable[[float], Clip]


def read(
    path: Path, seconds: float, *, name: str | None = None, lines: int | None = None
) -> Clip:
    """Read a film's beginning in the sandbox; played to and fro where it is shorter.

    lines: scaled to that height. Raises MediaRefused.
    """
    facts = probe(path)
    count = min(facts.frame_count, round(seconds * facts.rate))
    pictures = [_even(planes) for planes in read_frames(path, facts, 0, count)]
    if lines:
        width, height = pictures[0].size
        wide = 2 * round(width * lines / height / 2)
        pictures = [resized(picture, wide, lines) for picture in pictures]
    pictures = to_and_fro(pictures, round(seconds * facts.rate))
    return Clip(name or path.stem, pictures, facts.rate)


def _even(planes: Planes) -> Picture:
    """4:2:0 with even sides: an odd picture loses its last row or column."""
    height, width = (side - side % 2 for side in planes.y.shape)
    if planes.pixels.name == "yuv420p":
        y, u, v = (np.asarray(p, np.uint8) for p in (planes.y, planes.u, planes.v))
        return Picture(y, u, v)
    half = (width // 2, height // 2)
    small = (
        np.asarray(
            cv2.resize(plane[:height, :width], half, interpolation=cv2.INTER_AREA),
            np.uint8,
        )
        for plane in (planes.u, planes.v)
    )
    return Picture(np.ascontiguousarray(planes.y[:height, :width]), *small)


def to_and_fro(pictures: Sequence[Picture], count: int) -> list[Picture]:
    """`count` pictures: forwards, backwards, and so on."""
    return list(islice(cycle(chain(pictures, pictures[-2:0:-1])), count))


def own(folder: Path, most: int) -> list[Source]:
    """Films in a folder and below it, `most` of them, evenly chosen by name.

    A film of fewer than 720 lines is tried as it is and scaled up to 720 too. Raises
    ClipsRefused if there is none.
    """
    if not folder.is_dir():
        raise ClipsRefused(f"There is no folder {folder}.")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not paths:
        raise ClipsRefused(f"There is no film in {folder} or below it.")
    every = max(len(paths) // most, 1)
    return [one for path in paths[::every][:most] for one in _sources(path)]


def _sources(path: Path) -> Iterator[Source]:
    try:
        facts = probe(path)
    except MediaRefused as refused:
        raise ClipsRefused(f"{path.name}: {refused.sentence}") from refused
    if facts.frame_count < 2 or not capacity_ok(facts.width, facts.height):
        raise ClipsRefused(
            f"{path.name} is {facts.width}x{facts.height} px and {facts.frame_count} "
            "frames long, which no mark can be put on. Take it out of the folder."
        )
    name = f"{path.stem} {facts.height}"
    yield Source(name, lambda seconds: read(path, seconds, name=name))
    if facts.height < LINES:
        grown = f"{path.stem} {facts.height}>{LINES}"
        yield Source(
            grown, lambda seconds: read(path, seconds, name=grown, lines=LINES)
        )


# What everybody has


def demo(seconds: float) -> Clip:
    """The computer-generated actor of the demo, 720p."""
    return read(DEMO_SCENE, seconds, name="robin")


def pan(seconds: float) -> Clip:
    """Gravel, as it were: fine detail everywhere, panned over evenly, 720p."""
    rng = np.random.default_rng(1)
    count = round(seconds * RATE)
    size = (720 + count, 1280 + 3 * count)
    fine = cv2.GaussianBlur(rng.normal(0, 1, size).astype(np.float32), (0, 0), 1.6)
    coarse = cv2.GaussianBlur(rng.normal(0, 1, size).astype(np.float32), (0, 0), 24)
    wide = 118 + 90 * fine + 1100 * coarse
    pictures = [
        _lit(wide[n : n + 720, 3 * n : 3 * n + 1280], 10, -8) for n in range(count)
    ]
    return Clip("pan", pictures, in_bar=False)


def dark(seconds: float) -> Clip:
    """A night scene: a figure and a little noise between levels 16 and 50, 720p."""
    return Clip("dark", _staged(seconds, 2, 0.17, 18, grain=1.2), in_bar=False)


def flat(seconds: float) -> Clip:
    """A cartoon: areas of one colour, moving, 360p."""
    pictures = []
    for number in range(round(seconds * RATE)):
        luma = np.full((360, 640), 178, np.float32)
        luma[230:] = 112
        cv2.circle(luma, (140 + 2 * number, 250), 70, (64,), -1, cv2.LINE_AA)
        cv2.rectangle(luma, (420, 60), (560, 300), (208,), -1)
        cv2.ellipse(
            luma, (490, 160), (44, 20 + number % 24), 0, 0, 360, (34,), -1, cv2.LINE_AA
        )
        pictures.append(_lit(luma, -14, 12))
    return Clip("flat", pictures, in_bar=False)


def grain(seconds: float) -> Clip:
    """A lit stage on film stock: grain of 5 levels, new in every picture, 720p."""
    return Clip("grain", _staged(seconds, 3, 1.0, 0, grain=5.0), in_bar=False)


MADE: Sequence[Source] = (
    Source("robin", demo),
    Source("pan", pan),
    Source("dark", dark),
    Source("flat", flat),
    Source("grain", grain),
)


def _staged(
    seconds: float, seed: int, light: float, black: float, *, grain: float
) -> list[Picture]:
    """A soft set, before it an oval that nods and talks; 720p."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(40, 200, (9, 16)).astype(np.float32)
    set_ = cv2.resize(coarse, (1280, 720), interpolation=cv2.INTER_CUBIC)
    pictures = []
    for number in range(round(seconds * RATE)):
        scene = set_.copy()
        middle = (640, 360 + round(12 * np.sin(number / 7)))
        cv2.ellipse(scene, middle, (144, 240), 0, 0, 360, (150,), -1, cv2.LINE_AA)
        opening = 4 + round(12 * abs(np.sin(number / 3)))
        mouth = (middle[0], middle[1] + 120)
        cv2.ellipse(scene, mouth, (60, opening), 0, 0, 360, (60,), -1, cv2.LINE_AA)
        scene = cv2.GaussianBlur(scene, (0, 0), 1.2) * light + black
        scene += grain * rng.standard_normal(scene.shape, np.float32)
        pictures.append(_lit(np.asarray(scene, np.float32), 6, -4))
    return pictures


def _lit(luma: NDArray[np.float32], u: int, v: int) -> Picture:
    """Levels as a picture in one faint colour that follows the light."""
    picture = grey(np.clip(np.rint(luma), 16, 235).astype(np.uint8))
    height, width = luma.shape
    small = cv2.resize(
        picture.y, (width // 2, height // 2), interpolation=cv2.INTER_AREA
    )
    share = small.astype(np.float32) / 128
    return Picture(
        picture.y,
        np.rint(128 + u * share).astype(np.uint8),
        np.rint(128 + v * share).astype(np.uint8),
    )
