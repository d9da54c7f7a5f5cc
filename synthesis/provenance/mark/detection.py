"""Find the mark in a stream of frames, and prove it with a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest

import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark import codec
from synthesis.provenance.mark.alignment import (
    Response,
    Waves,
    centred,
    is_as_written,
    ramp,
    respond,
    shifted,
    shifts,
)
from synthesis.provenance.mark.geometry import LARGEST, SMALLEST, likely
from synthesis.provenance.mark.lattice import (
    PERIOD_PX,
    RADIUS,
    FloatPlane,
    Lattice,
    flatten,
    lattice_for,
    to_canvas,
)
from synthesis.provenance.mark.tracking import track

WINDOW_FRAMES = 50
SHORTEST_FRAMES = 12
"""A last window shorter than this is read only together with those before it."""
STILL_PEAK = 2.5
SEARCHED_PEAK, TRACKED_PEAK = 3.8, 4.6
"""Height of the pilots, in deviations of noise, from which a decode is worth trying:
where the picture should be, and the highest of all places (one search of pure noise
reaches 3.8 at some place, all of a window's 4.5); and from which bending is."""
FINALISTS = 3
SIZES = np.exp(np.arange(np.log(SMALLEST), np.log(LARGEST), 0.006))
"""Sizes at which the long search asks the pilots themselves, where their power alone
does not stand out of the picture's: a close-up of hair, cut out of a frame."""
PEAKS = 2
TRACKED = (0.09, 1.0)
"""Cycles a canvas pixel up to which carriers lead each round of tracking."""


@dataclass(frozen=True)
class Detection:
    """What was found.

    id: 16 hex digits, and key_id: the name of the key that proves it; None if not
    found. confidence: correlation of the carriers with the pattern of that id, 0..1
    (0 if not found); how clear the mark is, not how sure: a false find has a chance
    of 2**-40 a decode. windows: averaged windows examined until the answer.
    uncropped: neither cropped nor padded, moved, turned or mirrored since the marking.
    """

    found: bool
    id: str | None = None
    key_id: str | None = None
    confidence: float = 0.0
    windows: int = 0
    uncropped: bool = True


def detect(
    lumas: Iterable[NDArray[np.uint8]],
    keys: Sequence[tuple[str, bytes]],
) -> Detection:
    """Read the mark from luma planes, uint8 (H, W), in order, with constant memory.

    keys: (name, key) pairs, likeliest first. Stops at the first window that a key
    proves. What all pictures so far say together is searched longer, a second or so a
    key, so that this is rarely done: more sizes, and more of what looks likely.
    """
    windows = 0
    for flat, deep in _windows(lumas):
        windows += 1
        hit = _read(flat, keys, deep)
        if hit is not None:
            return replace(hit, windows=windows)
    return Detection(False, windows=windows)


def _windows(
    lumas: Iterable[NDArray[np.uint8]],
) -> Iterator[tuple[FloatPlane, bool]]:
    """Averages of flattened canvases: each window; all so far, whenever there are twice
    as many as when they were last read; and all of them at the end. Beside each whether
    it is of all."""
    window = total = np.zeros((0, 0), np.float32)
    count = total_count = read_at = 0
    for luma in lumas:
        flat, _ = flatten(to_canvas(luma))
        if flat.shape != window.shape:
            window, total = np.zeros_like(flat), np.zeros_like(flat)
            count = total_count = read_at = 0
        window += flat
        total += flat
        count += 1
        total_count += 1
        if count < WINDOW_FRAMES:
            continue
        yield _mean(window, count), False
        window, count = np.zeros_like(flat), 0
        if total_count >= 2 * max(read_at, WINDOW_FRAMES):
            read_at = total_count
            yield _mean(total, total_count), True
    if count >= SHORTEST_FRAMES and count < total_count:
        yield _mean(window, count), False
    if total_count not in (0, read_at):
        yield _mean(total, total_count), True


def _mean(total: FloatPlane, count: int) -> FloatPlane:
    return np.asarray(total / count, np.float32)


def _read(
    flat: FloatPlane, keys: Sequence[tuple[str, bytes]], deep: bool
) -> Detection | None:
    if not np.any(flat):
        return None
    still = respond(flat, np.eye(3))
    for name, key in keys:
        lattice = lattice_for(key)
        hit = decode_waves(still.waves, lattice, name, key)
        if hit is not None:
            return hit
    # A placement holds a picture: of hundreds no more are kept than will be tried.
    count = FINALISTS * (2 if deep else 1)
    for one in nlargest(count, _placements(flat, keys, deep), lambda one: one.height):
        hit = _follow(flat, one)
        if hit is not None:
            return hit
    return None


@dataclass(frozen=True)
class _Placement:
    """A pattern of a key laid over a window, and how high its pilots stand."""

    height: float
    name: str
    key: bytes
    response: Response
    shift: tuple[float, float]


def _placements(
    flat: FloatPlane, keys: Sequence[tuple[str, bytes]], deep: bool
) -> Iterator[_Placement]:
    matrices = likely(flat, deep=deep)
    if deep:
        matrices += [size * np.eye(2) for size in SIZES]
    for matrix in matrices:
        response = respond(flat, centred(matrix, flat))
        for way in (response, response.mirrored):
            for name, key in keys:
                for height, shift in shifts(way, lattice_for(key), PEAKS):
                    if height > SEARCHED_PEAK:
                        yield _Placement(height, name, key, way, shift)


def _follow(flat: FloatPlane, one: _Placement) -> Detection | None:
    """Decode a placement as it is, then with the pattern bent to the picture."""
    lattice = lattice_for(one.key)
    matrix = shifted(one.response.matrix, one.shift)
    written = is_as_written(matrix)
    waves = one.response.waves * ramp(one.shift)
    hit = decode_waves(waves, lattice, one.name, one.key)
    if hit is not None:
        return replace(hit, uncropped=written)
    if one.height < TRACKED_PEAK:
        return None
    response = respond(flat, matrix)
    for highest in TRACKED:
        template = _expected(response.waves, lattice)
        template[PERIOD_PX * highest < RADIUS] = 0.0
        response = respond(flat, track(response, template))
        hit = decode_waves(response.waves, lattice, one.name, one.key)
        if hit is not None:
            return replace(hit, uncropped=written)
    return None


def _expected(waves: Waves, lattice: Lattice) -> Waves:
    """What the waves would be without noise: pilots are known, others are guessed."""
    turn = np.exp(1j * lattice.phases)
    carriers = np.real(waves * np.conj(turn))
    trust = _trust(carriers, lattice)
    signs = np.tanh(2 * trust * carriers)
    signs[lattice.pilots] = 1.0
    return np.asarray(trust * signs * turn)


def decode_waves(
    waves: Waves, lattice: Lattice, name: str, key: bytes
) -> Detection | None:
    """Decode aligned carriers, over their noise, (n,); None unless the key proves them.

    Without a trace of the pilots nothing is decoded.
    """
    carriers = np.real(waves * np.exp(-1j * lattice.phases))
    pilots = carriers[lattice.pilots]
    if pilots.sum() < STILL_PEAK * np.sqrt(np.sum(pilots**2)):
        return None
    carriers *= _trust(carriers, lattice)
    soft = np.bincount(
        lattice.code_bit, carriers[lattice.data], minlength=codec.CODE_BITS
    )
    mark_id = codec.decode(key, soft.astype(np.float32))
    if mark_id is None:
        return None
    signs = lattice.signs(codec.encode(key, mark_id))
    agreement = np.sum(carriers * signs) / np.sum(np.abs(carriers))
    return Detection(True, mark_id.hex(), name, round(float(agreement), 3))


FALLS = np.array([0.06, 0.15, 1.0])
LOUDNESS = np.geomspace(0.1, 6.0, 16)
_SHAPES = np.exp(-(RADIUS / PERIOD_PX - RADIUS.min() / PERIOD_PX) / FALLS[:, None])
"""How the mark fades towards high frequencies, more or less, (3, n)."""


def _trust(carriers: NDArray[np.float64], lattice: Lattice) -> NDArray[np.float64]:
    """Likeliest strength of the mark at every carrier, of a few shapes and strengths.

    Pilots say it straight; the others, whose sign is not known, by their size.
    """
    strength = LOUDNESS[:, None, None] * _SHAPES
    # Real parts of noise of power one have variance a half: log likelihood of
    # N(+-s, 1/2) over N(0, 1/2).
    product = 2 * strength * carriers
    score = np.logaddexp(product, -product) - np.log(2)
    score[..., lattice.pilots] = product[..., lattice.pilots]
    total = (score - strength**2).sum(axis=-1)
    loud, shape = np.unravel_index(int(np.argmax(total)), total.shape)
    return np.asarray(strength[loud, shape])
