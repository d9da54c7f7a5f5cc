"""How often a mark is found where there is none: it must be never."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice

import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark import codec, detect
from synthesis.provenance.mark_trial.attacks import named
from synthesis.provenance.mark_trial.pictures import Plane
from synthesis.provenance.mark_trial.trial import Delivered, Say

SEEN_AS = (
    "H.264 CRF 23",
    "crop 25 %, off centre",
    "rotation 2 deg",
    "scaled to 33 %",
    "mirror",
    "filmed from a screen",
)
"""What the films go through first, so that every geometry is searched."""
KEYS_AT_ONCE = 25
PIECE_S = 2.0


@dataclass(frozen=True)
class FalseFinds:
    """trials: decodes by the Viterbi algorithm with the check of the MAC after it, each
    under some geometry and shift; questions: pieces of film times keys asked about;
    found: how many were taken for marked. It must be 0.
    """

    trials: int
    questions: int
    found: int
    seconds: float


def look_where_there_is_none(
    films: Sequence[Delivered], trials: int, say: Say
) -> FalseFinds:
    """Read unmarked films, and marked ones with other keys, until so many trials.

    New keys for every piece.
    """
    began = time.monotonic()
    questions = found = round_ = 0
    with trials_counted() as counted:
        for lumas in _again_and_again(_pieces(films)):
            if counted[0] >= trials:
                break
            keys = [_key(round_, number) for number in range(KEYS_AT_ONCE)]
            found += detect(lumas, keys).found
            questions += KEYS_AT_ONCE
            round_ += 1
            say(min(counted[0], trials), trials)
    return FalseFinds(counted[0], questions, found, time.monotonic() - began)


@contextmanager
def trials_counted() -> Iterator[list[int]]:
    """Count the decodes that the reader makes meanwhile, in the list's only number."""
    counted, real = [0], codec.decode

    def decode(key: bytes, soft: NDArray[np.float32]) -> bytes | None:
        counted[0] += 1
        return real(key, soft)

    codec.decode = decode
    try:
        yield counted
    finally:
        codec.decode = real


def _again_and_again(pieces: Iterator[list[Plane]]) -> Iterator[list[Plane]]:
    """Pieces as they are made, then the same ones again, without end."""
    kept = []
    for piece in pieces:
        kept.append(piece)
        yield piece
    yield from cycle(kept)


def _key(round_: int, number: int) -> tuple[str, bytes]:
    name = f"{round_}-{number}"
    return name, hashlib.sha256(b"not the key " + name.encode()).digest()


def _pieces(films: Sequence[Delivered]) -> Iterator[list[Plane]]:
    for name in SEEN_AS:
        (attack,) = (one for one in named([name]) if one.name == name)
        for film in films:
            count = round(PIECE_S * film.rate)
            done = attack.on(islice(film.pictures(), count), film.rate)
            yield [picture.y for picture in done.pictures]
