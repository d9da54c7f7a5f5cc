"""The same words by another voice, in another room, on another microphone.

One man's voice is most of the training sound. What makes a voice (pitch, length of
the throat, tilt, room) is drawn anew for every window; what makes a word stays.
"""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from synthesis.neural.mel import MEL_BANDS, MEL_RATE_HZ, normalised, resampled

Mel = NDArray[np.float32]
Sound = NDArray[np.floating]

_PLACE = (np.arange(MEL_BANDS) + 0.5) / MEL_BANDS
COSINES = np.cos(np.pi * np.arange(MEL_BANDS)[:, None] * _PLACE)
COSINES *= np.sqrt(np.where(np.arange(MEL_BANDS) == 0, 1, 2) / MEL_BANDS)[:, None]
"""(80, 80): the orthonormal discrete cosine transform, one cosine a row."""

THROAT = 0.12
"""Spread of the logarithm of vocal tract length: men, women and children."""
BEND_BANDS = 1.5
"""Formants do not all move together: so many bands apart."""
LEAST_RIPPLES, MOST_RIPPLES = 14, 50
"""Where the cepstrum is cut to take pitch off; formants live below the least."""


def altered(mel: Mel, rng: np.random.Generator) -> Mel:
    """Return log-mel (frames, 80) by another voice in another room, normalised."""
    heard: Sound = _throat(mel, rng)
    if rng.random() < 0.5:
        heard = without_pitch(heard, int(rng.integers(LEAST_RIPPLES, MOST_RIPPLES)))
    heard = heard + _microphone(rng)
    if rng.random() < 0.3:
        top = _top(heard)
        heard = top + (heard - top) * rng.uniform(0.75, 1.2)
    if rng.random() < 0.4:
        heard = _room(heard, rng)
    if rng.random() < 0.6:
        heard = _noise(heard, rng)
    return normalised(heard.astype(np.float32))


def without_pitch(mel: Sound, ripples: int) -> Mel:
    """Smooth each frame of (frames, 80) to `ripples` cosines: harmonics go first."""
    kept = COSINES[:ripples]
    smooth: Mel = (mel @ kept.T @ kept).astype(np.float32)
    return smooth


def _throat(mel: Mel, rng: np.random.Generator) -> Mel:
    knots = np.linspace(0, MEL_BANDS, 5)
    bend = np.concatenate([[0.0], rng.normal(0, BEND_BANDS, 4)])
    bands = np.arange(MEL_BANDS)
    at = bands * np.exp(rng.normal(0, THROAT)) + np.interp(bands, knots, bend)
    return resampled(mel.T, at).T


def _microphone(rng: np.random.Generator) -> NDArray[np.float64]:
    tilt = rng.normal(0, 1.0)
    bumps = np.interp(
        np.arange(MEL_BANDS), np.linspace(0, MEL_BANDS, 7), rng.normal(0, 0.6, 7)
    )
    return np.asarray(bumps + np.linspace(-tilt, tilt, MEL_BANDS))


def _room(mel: Sound, rng: np.random.Generator) -> NDArray[np.float64]:
    """Let every band's energy linger, 20 to 120 ms, quieter than the voice."""
    decay = np.exp(-1 / (rng.uniform(0.02, 0.12) * MEL_RATE_HZ))
    energy = np.exp(mel.astype(np.float64))
    tail = energy.copy()
    for before, now in itertools.pairwise(tail):
        now += decay * before
    return np.asarray(np.log(energy + rng.uniform(0.02, 0.15) * tail))


def _noise(mel: Sound, rng: np.random.Generator) -> NDArray[np.float64]:
    colour = np.linspace(rng.uniform(-1, 1), rng.uniform(-1, 1), MEL_BANDS)
    depth = rng.uniform(3.0, 8.0)
    noise = _top(mel) - depth + colour + rng.gumbel(0, 0.4, mel.shape)
    return np.asarray(np.logaddexp(mel, noise))


def _top(mel: Sound) -> float:
    return float(np.percentile(mel.max(1), 95))
