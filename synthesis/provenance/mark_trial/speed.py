"""How long marking and reading take, in units of what else has to be done."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import cv2

from synthesis.provenance.mark_trial.clips import RATE, Clip
from synthesis.provenance.mark_trial.marks import Library, Ours, id_for
from synthesis.provenance.mark_trial.pictures import (
    Picture,
    decode,
    encode,
    h264,
    resized,
)

SIZE = (1920, 1080)
FRAMES = 50
LIBRARY_FRAMES = 3
REFERENCE = h264(23, "ultrafast")


@dataclass(frozen=True)
class Speed:
    """Milliseconds a frame of 1080p on one core, each the least of its rounds.

    encode: H.264, preset ultrafast, for comparison. write, read: of the mark; read is
    of a piece of two seconds, begin to answer.
    """

    mark: str
    write_ms: float
    read_ms: float
    encode_ms: float

    @property
    def write_factor(self) -> float:
        """Of the time of one fast encode."""
        return self.write_ms / self.encode_ms

    @property
    def read_factor(self) -> float:
        """Of the time of one fast encode."""
        return self.read_ms / self.encode_ms


def measure(clip: Clip, libraries: Sequence[Library], rounds: int = 3) -> list[Speed]:
    """Time our mark and the library's on one film, grown to 1080p, on one core."""
    few = [resized(picture, *SIZE) for picture in clip.pictures[:10]]
    film = list(islice(cycle(few + few[-2:0:-1]), FRAMES))
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        encode_ms = _least_ms(lambda: encode(film, RATE, REFERENCE), FRAMES, rounds)
        speeds = [_time(Ours(), film, encode_ms, rounds)]
        for library in libraries:
            speeds.append(_time(library, film[:LIBRARY_FRAMES], encode_ms, 1))
    finally:
        cv2.setNumThreads(threads)
    return speeds


def _time(mark: Any, film: Sequence[Picture], encode_ms: float, rounds: int) -> Speed:
    count, mark_id = len(film), id_for("speed")
    marked = list(decode(encode(mark.write(film, mark_id), RATE, REFERENCE)))
    return Speed(
        mark.name,
        _least_ms(lambda: list(mark.write(film, mark_id)), count, rounds),
        _least_ms(lambda: mark.read(marked, mark_id, SIZE), count, rounds),
        encode_ms,
    )


def _least_ms(call: Callable[[], object], frames: int, rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return 1000 * min(taken) / frames
