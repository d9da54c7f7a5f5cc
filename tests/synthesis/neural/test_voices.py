"""Altered sound is another voice with the same words."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.neural.mel import RATE_HZ, log_mel, normalised
from synthesis.neural.voices import altered, without_pitch


def vowels(pitch_hz: float) -> NDArray[np.float32]:
    """Return log-mel of one second each of three vowels, made of harmonics."""
    at = np.arange(RATE_HZ) / RATE_HZ
    pieces = []
    for formants in ((300, 2300), (750, 1200), (320, 800)):
        sound = np.zeros(RATE_HZ)
        for k in range(1, int(5000 / pitch_hz)):
            gain = sum(np.exp(-(((k * pitch_hz - f) / 150) ** 2)) for f in formants)
            sound += (gain + 0.02) / k**0.3 * np.sin(2 * np.pi * k * pitch_hz * at)
        pieces.append(0.1 * sound)
    return log_mel(np.concatenate(pieces).astype(np.float32))


def test_alteration_is_drawn_and_keeps_shape_and_range() -> None:
    mel = vowels(110)
    one, same, two = (altered(mel, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one, same) and not np.allclose(one, two)
    assert one.shape == mel.shape and one.dtype == np.float32
    assert np.isfinite(one).all() and np.abs(one).max() <= 2.0


def test_the_words_stay_where_they_were_in_time() -> None:
    mel = vowels(110)
    for seed in range(6):
        heard = altered(mel, np.random.default_rng(seed))
        means = [heard[s + 20 : s + 80].mean(0) for s in (0, 100, 200)]
        within = np.mean([heard[s + 20 : s + 80].std(0).mean() for s in (0, 100, 200)])
        apart = np.mean([np.abs(means[i] - means[i - 1]).mean() for i in range(3)])
        assert apart > 0.8 * within


def test_without_its_ripples_a_high_voice_looks_like_a_low_one() -> None:
    low, high = normalised(vowels(100)), normalised(vowels(210))
    before = np.abs(low - high)[20:80].mean()
    flat = [without_pitch(m, 16) for m in (low, high)]
    assert np.abs(flat[0] - flat[1])[20:80].mean() < 0.8 * before


def test_keeping_every_ripple_keeps_the_sound() -> None:
    mel = vowels(150)
    assert np.allclose(without_pitch(mel, 80), mel, atol=1e-4)


@pytest.mark.parametrize("frames", [1, 2, 9])
def test_the_shortest_sound_can_be_altered(frames: int) -> None:
    mel = vowels(120)[:frames]
    for seed in range(12):
        assert np.isfinite(altered(mel, np.random.default_rng(seed))).all()


def test_silence_stays_finite() -> None:
    mel = log_mel(np.zeros(RATE_HZ, np.float32))
    for seed in range(12):
        assert np.isfinite(altered(mel, np.random.default_rng(seed))).all()
