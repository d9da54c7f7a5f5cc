"""Every attack on every film, with every mark, on all cores."""

from __future__ import annotations

import functools
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from synthesis.provenance.fingerprint import Fingerprint, similarity
from synthesis.provenance.mark_trial.attacks import DELIVERED, Attack, named
from synthesis.provenance.mark_trial.clips import Clip
from synthesis.provenance.mark_trial.marks import Library, Mark, Ours, id_for
from synthesis.provenance.mark_trial.pictures import (
    Picture,
    decode,
    encode,
    luma_psnr,
)

T = TypeVar("T")
Say = Callable[[int, int], None]
"""Told after each step: how many are done, of how many."""


@dataclass(frozen=True)
class Delivered:
    """A marked film as it leaves the house: written into a file by our usual encode.

    mark: None for a film without one. psnr_db, colour_psnr_db: of the marked pictures
    before that encode, luma and BGR, mean over the pictures. kept: the fingerprint
    that is kept with it.
    """

    clip: str
    mark: Mark | None
    path: Path
    rate: Fraction
    size: tuple[int, int]
    in_bar: bool
    psnr_db: float = float("inf")
    colour_psnr_db: float = float("inf")
    kept: bytes = b""

    def pictures(self) -> Iterator[Picture]:
        return decode(self.path.read_bytes())


@dataclass(frozen=True)
class Cell:
    """One attack on one film with one mark. found: pieces in which the id was read,
    of `pieces`; false: in how many another id was read and taken for proven.
    """

    attack: str
    clip: str
    mark: str
    found: int
    pieces: int
    false: int
    alike: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the mark was read in every piece."""
        return self.found == self.pieces


def deliver(clip: Clip, mark: Mark | None, folder: Path) -> Delivered:
    """Mark a film, measure what that did to it, and write it as the house does."""
    written: list[tuple[float, float]] = []
    fingerprint = Fingerprint(clip.rate)

    def marked() -> Iterator[Picture]:
        if mark is None:
            yield from clip.pictures
            return
        stream = mark.write(clip.pictures, id_for(clip.name))
        for plain, picture in zip(clip.pictures, stream, strict=True):
            colour = cv2.PSNR(plain.bgr(), picture.bgr())
            written.append((luma_psnr(plain.y, picture.y), float(colour)))
            fingerprint.push(picture.y)
            yield picture

    name = mark.name if mark else "unmarked"
    safe = "".join(letter if letter.isalnum() else "_" for letter in clip.name)
    path = folder / f"{safe}-{name}.mkv"
    path.write_bytes(encode(marked(), clip.rate, DELIVERED))
    psnr, colour = np.mean(written, axis=0) if written else (np.inf, np.inf)
    return Delivered(
        clip=clip.name,
        mark=mark,
        path=path,
        rate=clip.rate,
        size=clip.size,
        in_bar=clip.in_bar,
        psnr_db=float(psnr),
        colour_psnr_db=float(colour),
        kept=fingerprint.bytes(),
    )


def attack_one(film: Delivered, name: str, every_s: float) -> Cell:
    """Do one attack and read every piece of its length, `every_s` from the last."""
    (attack,) = (one for one in named([name]) if one.name == name)
    return attack_with(film, attack, every_s)


def attack_with(film: Delivered, attack: Attack, every_s: float) -> Cell:
    """The same of an attack itself."""
    if film.mark is None:
        raise ValueError("a film without a mark has nothing to be read")
    done = attack.on(film.pictures(), film.rate)
    pictures = list(done.pictures)
    cut = list(pieces(pictures, done.rate, attack.holds_from_s, every_s))
    answers = [film.mark.read(one, id_for(film.clip), film.size) for one in cut]
    has_fingerprint = film.mark.name == Ours.name
    return Cell(
        attack=attack.name,
        clip=film.clip,
        mark=film.mark.name,
        found=answers.count("found"),
        pieces=len(answers),
        false=answers.count("false"),
        alike=similarity(film.kept, taken(cut[-1], done.rate))
        if has_fingerprint
        else None,
    )


def taken(pictures: Sequence[Picture], rate: Fraction) -> bytes:
    """The fingerprint of these pictures."""
    fingerprint = Fingerprint(rate)
    for picture in pictures:
        fingerprint.push(picture.y)
    return fingerprint.bytes()


def pieces(
    pictures: Sequence[Picture], rate: Fraction, length_s: float, every_s: float
) -> Iterator[Sequence[Picture]]:
    """Pieces of length_s, each begun every_s after the last; the whole if shorter."""
    length, step = round(length_s * rate), max(round(every_s * rate), 1)
    for start in range(0, max(len(pictures) - length, 0) + 1, step):
        yield pictures[start : start + length]


@dataclass(frozen=True)
class Plan:
    """films: to be attacked. attacks: by name. every_s: from piece to piece; for the
    library, which takes long, library_every_s. jobs: processes.
    """

    films: Sequence[Delivered]
    attacks: Sequence[str]
    every_s: float
    library_every_s: float
    jobs: int


def attack_all(plan: Plan, say: Say) -> list[Cell]:
    """Every attack on every film; in the order of the plan."""
    tasks = [(film, attack) for attack in plan.attacks for film in plan.films]

    def step_of(film: Delivered) -> float:
        return plan.library_every_s if isinstance(film.mark, Library) else plan.every_s

    calls = [
        functools.partial(attack_one, film, attack, step_of(film))
        for film, attack in tasks
    ]
    return run_all(calls, plan.jobs, say)


def run_all(calls: Sequence[Callable[[], T]], jobs: int, say: Say) -> list[T]:
    """The answers of all calls, which must be picklable, in order."""
    if jobs == 1:
        answers = []
        for done, call in enumerate(calls, 1):
            answers.append(call())
            say(done, len(calls))
        return answers
    # Spawned: a forked OpenCV may hold locks of threads that are not there any more.
    with ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_begin
    ) as pool:
        waiting = {pool.submit(call): place for place, call in enumerate(calls)}
        found: dict[int, T] = {}
        try:
            for done, future in enumerate(as_completed(waiting), 1):
                found[waiting[future]] = future.result()
                say(done, len(calls))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [found[place] for place in range(len(calls))]


def _begin() -> None:
    """In a process of the pool: Ctrl-C is its parent's affair, which ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    one_thread()


def one_thread() -> None:
    """OpenCV on one core: the processes share the others out."""
    cv2.setNumThreads(1)


def failures(cells: Sequence[Cell], films: Sequence[Delivered]) -> list[Cell]:
    """Cells of our mark that the bar is about and that do not hold."""
    in_bar = {film.clip for film in films if film.in_bar}
    barred = {attack.name for attack in named([]) if attack.in_bar}
    return [
        cell
        for cell in cells
        if cell.mark == Ours.name
        and cell.clip in in_bar
        and cell.attack in barred
        and not cell.holds
    ]
