"""From one clip to the pieces worth learning from: one shot, one face, its sound."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthesis.faces.finder import FaceFinder
from synthesis.faces.tracks import FaceTrack, find_tracks
from synthesis.media.shots import Shot, ShotFinder
from synthesis.neural import footage
from synthesis.neural.articulation import Spoken, words_beside
from synthesis.neural.footage import FootageError
from synthesis.neural.listening import voiced_s
from synthesis.neural.mel import HOP, RATE_HZ
from synthesis.neural.speaker import speaker
from synthesis.neural.splits import PIECE

logger = logging.getLogger(__name__)

MIN_VOICED_S = 0.3
LONGEST_FRAMES = 1500
"""Longer shots are prepared in parts: memory must not grow with them."""
CONTEXT_S = 1.0
"""Sound kept before and after a piece: the networks hear what comes."""
USUAL_RATE = Fraction(25)
"""Cuts are looked for by picture alone; this only says what is too short for a shot."""


@dataclass(frozen=True)
class Piece:
    """One face that speaks, through one shot; n frames.

    start: the clip's number of the first frame. landmarks: (n, 468, 3) in its pixels,
    NaN rows where the face was not found. times_s: (n,), on the clock of sound: float32
    (samples,) at 16 kHz, the piece's own with CONTEXT_S before and after. words: of the
    alignment beside the clip, on the same clock; None without one.
    """

    name: str
    talker: str
    start: int
    landmarks: NDArray[np.float32]
    times_s: NDArray[np.float64]
    sound: NDArray[np.float32]
    words: Sequence[Spoken] | None = None


def find_pieces(
    path: Path, name: str, finder: FaceFinder, left_out: dict[str, str]
) -> Iterator[Piece]:
    """Yield the usable pieces of a clip in order; name the others in left_out.

    Raises FootageError where the whole clip is of no use.
    """
    sound = footage.sound(path)
    if voiced_s(sound) < MIN_VOICED_S:
        raise FootageError("silent", f"{path.name} holds no speech to learn from.")
    words = _words(path)
    times_s, shots = _shots(path)
    tracks = find_tracks(footage.frames(path), shots, finder=finder)
    by_shot = {k: list(found) for k, found in groupby(tracks, lambda t: t.shot)}
    for number, (first, stop) in enumerate(shots):
        alone = len(shots) == 1
        own = name if alone else f"{name}{PIECE}{number + 1}"
        span = f"{times_s[first]:.1f} to {times_s[stop - 1]:.1f} s"
        where = path.name if alone else f"{path.name} from {span}"
        try:
            track = speaker(by_shot.get(number, []), where)
            piece = _piece(own, path.parent.name, track, times_s, sound, where)
            yield replace(piece, words=_shifted(words, piece.times_s, times_s, track))
        except FootageError as error:
            left_out[own] = error.sentence


def _words(path: Path) -> list[Spoken] | None:
    """Return the alignment beside the clip; a bad one is as good as none."""
    try:
        return words_beside(path)
    except (ValueError, OSError):
        logger.warning("alignment unreadable clip=%s", path.name)
        return None


def _shifted(
    words: Sequence[Spoken] | None,
    own_s: NDArray[np.float64],
    times_s: NDArray[np.float64],
    track: FaceTrack,
) -> list[Spoken] | None:
    """Return words on the piece's clock own_s (n,) instead of the clip's, times_s."""
    if words is None:
        return None
    late = float(times_s[track.start] - own_s[0])
    return [Spoken(w.text, w.start_s - late, w.end_s - late) for w in words]


def _shots(path: Path) -> tuple[NDArray[np.float64], list[Shot]]:
    """Return each frame's time, and the shots, none longer than LONGEST_FRAMES."""
    finder = ShotFinder(USUAL_RATE)
    times_s: list[float] = []
    shots: list[Shot] = []
    shape: tuple[int, ...] = ()
    for at_s, frame in footage.timed_frames(path):
        if times_s and (at_s <= times_s[-1] or frame.shape != shape):
            raise FootageError(
                "unsteady", f"The frames of {path.name} change size or step back."
            )
        shape = frame.shape
        shots += finder.push(len(times_s), frame)
        times_s.append(at_s)
    if not times_s:
        raise FootageError("no-picture", f"{path.name} has no picture.")
    shots += finder.finish()
    parts = [
        (int(edges[0]), int(edges[-1]) + 1)
        for first, stop in shots
        for edges in np.array_split(
            np.arange(first, stop), -(-(stop - first) // LONGEST_FRAMES)
        )
    ]
    return np.array(times_s), parts


def _piece(
    name: str,
    talker: str,
    track: FaceTrack,
    times_s: NDArray[np.float64],
    sound: NDArray[np.float32],
    where: str,
) -> Piece:
    """Cut times and sound to the track. Raises FootageError where nobody speaks."""
    own = times_s[track.start : track.start + len(track.landmarks)]
    # On the mel's own grid, so that a piece is heard as the whole would be.
    first = max(0, int((own[0] - CONTEXT_S) * RATE_HZ) // HOP * HOP)
    heard = sound[first : int((own[-1] + CONTEXT_S) * RATE_HZ)]
    spoken = sound[max(0, int(own[0] * RATE_HZ)) : int(own[-1] * RATE_HZ)]
    if voiced_s(spoken) < MIN_VOICED_S:
        raise FootageError("silent", f"{where} holds no speech to learn from.")
    return Piece(
        name, talker, track.start, track.landmarks, own - first / RATE_HZ, heard
    )
