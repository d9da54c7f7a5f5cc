"""The published networks on languages they never heard, from synthetic voices.

sounds/*.ogg: espeak-ng (no real voice): half a second of silence, a sentence, 1.2 s of
silence, another sentence, silence. en-her.ogg: the first English one, another voice.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.neural import footage
from synthesis.neural.articulation import correlation, motion
from synthesis.neural.control_training import opening_of
from synthesis.neural.mel import log_mel
from synthesis.neural.speech import codes_of_sound
from synthesis.neural.weights import GENERAL, WeightFolder

SOUNDS = Path(__file__).parent / "sounds"
FIRST_ENDS_S = {"fr": 2.70, "ja": 2.50, "en": 2.45}
PAUSE_S = 1.2
LANGUAGES = sorted(FIRST_ENDS_S)


@cache
def codes_of(name: str) -> NDArray[np.float32]:
    """Codes at 50 Hz, in the manner of an unknown actor."""
    sound = footage.sound(SOUNDS / f"{name}.ogg")
    return codes_of_sound(WeightFolder(GENERAL).control(), log_mel(sound), 0)


def opening(name: str) -> NDArray[np.float64]:
    """Lip gap over rest at 50 Hz, in eye distances."""
    axes = opening_of(WeightFolder(GENERAL).lip_code())
    return np.asarray(codes_of(name) @ axes, np.float64)


def times_of(codes: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.arange(len(codes)) / 50


def sentences(name: str) -> tuple[slice, slice]:
    """Steps of the first and of the second sentence."""
    second_s = FIRST_ENDS_S[name] + PAUSE_S
    ends = round(FIRST_ENDS_S[name] * 50)
    return slice(25, ends), slice(round(second_s * 50), len(opening(name)) - 30)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mouth_moves_with_words_and_rests_in_the_pause(language: str) -> None:
    codes = codes_of(language)
    times_s = times_of(codes)
    ends = FIRST_ENDS_S[language]
    pause = (times_s > ends + 0.35) & (times_s < ends + PAUSE_S - 0.35)
    speech = (times_s > 0.5) & (times_s < ends)
    assert pause.sum() >= 20
    assert motion(codes, times_s, pause) < 0.02 * motion(codes, times_s, speech)
    assert np.abs(opening(language)[pause]).max() < 0.005


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mouth_opens_and_closes_several_times_in_a_sentence(language: str) -> None:
    curve = opening(language)
    for sentence in sentences(language):
        said = curve[sentence]
        assert np.percentile(said, 95) > 0.035
        assert np.percentile(said, 10) < 0.5 * np.percentile(said, 95)
        turns = np.diff(np.sign(np.diff(said))) != 0
        # Twice a syllable, of which nobody says more than about six a second.
        assert 4 <= turns.sum() <= 12 * len(said) / 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_different_words_give_different_curves(language: str) -> None:
    curve = opening(language)
    first, second = (curve[s] for s in sentences(language))
    length = min(len(first), len(second))
    assert correlation(first[:length], second[:length]) < 0.6


def test_the_same_words_by_another_voice_give_the_same_curve() -> None:
    his, hers = opening("en"), opening("en-her")
    length = round(1.9 * 50)
    assert correlation(his[25 : 25 + length], hers[25 : 25 + length]) > 0.75
    other = his[sentences("en")[1]]
    length = min(length, len(other))
    assert correlation(other[:length], hers[25 : 25 + length]) < 0.6


def test_lips_close_on_the_bilabials_of_an_unheard_sentence() -> None:
    """My brother bought a big blue boat: m b b b b b, and no sound between shuts."""
    curve = opening("en")[25 : 25 + round(1.95 * 50)]
    closed = curve < 0.02
    shut = int((np.diff(closed.astype(int)) == 1).sum()) + int(closed[0])
    assert shut >= 3
