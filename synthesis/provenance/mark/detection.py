"""Find the mark in a stream of frames, and prove it with a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.mark import codec
from synthesis.provenance.mark.geometry import NOMINAL, Geometry, likely, respond
from synthesis.provenance.mark.lattice import (
    CARRIERS,
    HIGHEST,
    LOWEST,
    PERIOD_PX,
    RADIUS,
    FloatPlane,
    Lattice,
    flatten,
    lattice_for,
    to_canvas,
)

WINDOW_FRAMES = 50
SHORTEST_FRAMES = 12
"""A last window shorter than this is read only together with those before it."""
BANDS = 6
GRID = 4 * PERIOD_PX
PILOT_PEAK = 4.2
"""The highest peak of pure noise is about here; a lower one is not worth a decode."""


@dataclass(frozen=True)
class Detection:
    """What was found.

    id: 16 hex digits, and key_id: the name of the key that proves it; None if not
    found. confidence: correlation of the carriers with the pattern of that id, 0..1
    (0 if not found); how clear the mark is, not how sure: a false find has a chance
    of 2**-40 a decode. windows: averaged windows examined until the answer.
    uncropped: neither cropped nor padded, turned or mirrored since it was marked.
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
    *,
    deep: bool = False,
) -> Detection:
    """Read the mark from luma planes, uint8 (H, W), in order, with constant memory.

    keys: (name, key) pairs, likeliest first. Stops at the first window that a key
    proves. deep: look at more sizes, small rotations and the mirror image too.
    """
    windows = 0
    for flat in _windows(lumas):
        windows += 1
        hit = _read(flat, keys, deep)
        if hit is not None:
            return replace(hit, windows=windows)
    return Detection(False, windows=windows)


def _windows(lumas: Iterable[NDArray[np.uint8]]) -> Iterator[FloatPlane]:
    """Averages of flattened canvases: each window, then all windows so far."""
    total: FloatPlane | None = None
    window: FloatPlane | None = None
    count = total_count = 0
    for luma in lumas:
        flat, _ = flatten(to_canvas(luma))
        if window is None or window.shape != flat.shape:
            window, total, count, total_count = flat.copy(), None, 1, 0
        else:
            window += flat
            count += 1
        if count < WINDOW_FRAMES:
            continue
        yield _mean(window, count)
        if total is None:
            total, total_count = window, count
        else:
            total += window
            total_count += count
            yield _mean(total, total_count)
        window, count = np.zeros_like(flat), 0
    if window is None or count == 0:
        return
    if count >= SHORTEST_FRAMES or total is None:
        yield _mean(window, count)
    if total is not None:
        yield _mean(total + window, total_count + count)


def _mean(total: FloatPlane, count: int) -> FloatPlane:
    return np.asarray(total / count, np.float32)


def _read(
    flat: FloatPlane, keys: Sequence[tuple[str, bytes]], deep: bool
) -> Detection | None:
    if not np.any(flat):
        return None
    hit = _try(flat, NOMINAL, keys)
    if hit is not None:
        return hit
    for geometry in likely(flat, deep=deep):
        hit = _try(flat, geometry, keys)
        if hit is not None:
            return hit
    return None


def _try(
    flat: FloatPlane, geometry: Geometry, keys: Sequence[tuple[str, bytes]]
) -> Detection | None:
    """Decode the window under one geometry with every key."""
    response, noise = respond(flat, geometry)
    whitened = response / noise
    for key_id, key in keys:
        lattice = lattice_for(key)
        turned = whitened * np.exp(-1j * lattice.phases)
        for ramp in _alignments(turned, lattice, still=geometry == NOMINAL):
            carriers = np.real(turned * ramp)
            carriers *= _trust(carriers, lattice)
            soft = np.bincount(
                lattice.code_bit, carriers[lattice.data], minlength=codec.CODE_BITS
            )
            mark_id = codec.decode(key, soft.astype(np.float32))
            if mark_id is not None:
                signs = lattice.signs(codec.encode(key, mark_id))
                agreement = np.sum(carriers * signs) / np.sum(np.abs(carriers))
                return Detection(
                    found=True,
                    id=mark_id.hex(),
                    key_id=key_id,
                    confidence=round(float(agreement), 3),
                    uncropped=geometry.is_as_written,
                )
    return None


def _alignments(
    turned: NDArray[np.complex128], lattice: Lattice, *, still: bool
) -> Iterator[NDArray[np.complex128]]:
    """Phase ramps that undo the likeliest shift of the pattern.

    still: nothing was cropped, perhaps, so try no shift before the pilots are asked.
    """
    if still:
        yield np.ones(len(CARRIERS), np.complex128)
    points = CARRIERS[lattice.pilots]
    pilots = (turned / RADIUS)[lattice.pilots]  # Low ones are the loudest, mostly.
    grid = np.zeros((GRID, GRID), np.complex64)
    grid[points[:, 1], points[:, 0]] = pilots
    heights = np.real(np.fft.ifft2(grid)) * GRID**2
    top = int(np.argmax(heights))
    deviation = float(np.sqrt(np.sum(np.abs(pilots) ** 2) / 2))
    if heights.flat[top] > PILOT_PEAK * deviation:
        down, across = divmod(top, GRID)
        shift = (CARRIERS[:, 0] * across + CARRIERS[:, 1] * down) / GRID
        yield np.exp(2j * np.pi * shift)


def _trust(carriers: NDArray[np.float64], lattice: Lattice) -> NDArray[np.float64]:
    """Weight of each carrier: the mean pilot in its band of frequencies, >= 0.05."""
    band = ((RADIUS / PERIOD_PX - LOWEST) / (HIGHEST - LOWEST) * BANDS).astype(int)
    band = np.clip(band, 0, BANDS - 1)
    pilots = band[lattice.pilots]
    total = np.bincount(pilots, carriers[lattice.pilots], minlength=BANDS)
    mean = total / np.maximum(np.bincount(pilots, minlength=BANDS), 1)
    return np.asarray(np.maximum(mean, 0.05)[band])
