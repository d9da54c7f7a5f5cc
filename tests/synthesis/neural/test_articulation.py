"""Figures of articulation: known mouths get known figures."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.neural.articulation import (
    BILABIALS,
    PHONES,
    PRONUNCIATION,
    UNTOLD,
    Said,
    Spoken,
    bilabial_instants,
    closures,
    correlation,
    false_closures,
    judge,
    motion,
    over_rest,
    phone_rows,
    r_squared,
    read_align,
    silent,
    sounds_of,
    words_beside,
)

TIMES_S = np.arange(75) / 25
WORDS = [
    Spoken("sil", 0.0, 0.8),
    Spoken("bin", 0.8, 1.0),
    Spoken("by", 1.2, 1.4),
    Spoken("m", 1.6, 2.0),
    Spoken("sil", 2.0, 3.0),
]


def mouth(*closed_s: float) -> NDArray[np.float64]:
    """Return openings: at rest but for .7 to 2.1 s, closed for 80 ms at each moment."""
    gap = np.where((TIMES_S > 0.7) & (TIMES_S < 2.1), 0.08, 0.0)
    for at in closed_s:
        gap[np.abs(TIMES_S - at) < 0.05] = 0.0
    return gap + 0.05


def test_a_grid_alignment_is_read_in_seconds(tmp_path: Path) -> None:
    clip = tmp_path / "bbaf2n.mp4"
    assert words_beside(clip) is None
    clip.with_suffix(".align").write_text("0 23750 sil\n23750 29500 bin\n")
    words = words_beside(clip)
    assert words == [Spoken("sil", 0.0, 0.95), Spoken("bin", 0.95, 1.18)]


def test_an_alignment_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.align").write_text("not an alignment\n")
    with pytest.raises(ValueError):
        read_align(tmp_path / "a.align")


def test_all_51_words_are_known_and_only_some_close_the_lips() -> None:
    assert len(PRONUNCIATION) == 51
    closing = {w for w, s in PRONUNCIATION.items() if BILABIALS & set(s)}
    assert closing == {"bin", "blue", "by", "b", "place", "please", "p", "m"}


def test_each_moment_of_a_known_word_has_its_sound_and_silence_has_none() -> None:
    rows = phone_rows(WORDS, np.array([0.1, 0.82, 0.9, 0.99, 1.1, 1.7]))
    said = [PHONES[row - 1] if row else "" for row in rows]
    # Of "m", a vowel of two parts and the consonant: 1.7 s is in the first.
    assert said == ["", "b", "ih", "n", "", "eh"]


def test_what_nobody_wrote_down_and_unknown_words_are_untold() -> None:
    times_s = np.array([0.5, 1.5])
    assert (phone_rows(None, times_s) == UNTOLD).all()
    words = [Spoken("reshoot", 0.0, 1.0), Spoken("sil", 1.0, 2.0)]
    assert phone_rows(words, times_s).tolist() == [UNTOLD, 0]


def test_sounds_fill_their_word_and_vowels_last_longer() -> None:
    sounds = sounds_of([Spoken("place", 1.0, 2.0), Spoken("sil", 2.0, 3.0)])
    assert [s.text for s in sounds] == ["p", "l", "ey", "s"]
    assert sounds[0].start_s == 1.0 and sounds[-1].end_s == pytest.approx(2.0)
    assert sounds[2].end_s - sounds[2].start_s == pytest.approx(0.4)


def test_lips_close_where_a_plosive_begins_and_within_an_m() -> None:
    bin_s, by_s, m_s = bilabial_instants(WORDS)
    assert (bin_s, by_s) == (0.8, 1.2)
    assert 1.85 < m_s < 2.0


def test_words_without_bilabials_have_no_instants() -> None:
    assert bilabial_instants([Spoken("red", 0, 1), Spoken("soon", 1, 2)]).size == 0


def test_a_closure_counts_near_its_instant_only() -> None:
    gap = over_rest(mouth(0.84, 1.5))
    assert closures(gap, TIMES_S, np.array([0.8, 1.2, 1.5])).tolist() == [
        True, False, True,
    ]  # fmt: skip


def test_instants_off_the_clip_are_left_out() -> None:
    assert closures(np.zeros(75), TIMES_S, np.array([-1.0, 9.0])).size == 0


def test_only_clearly_open_frames_can_be_falsely_closed() -> None:
    real = np.array([0.0, 0.025, 0.05, 0.05])
    assert false_closures(np.zeros(4), real).tolist() == [True, True]
    assert not false_closures(real, real).any()


def test_the_gap_over_rest_is_nought_for_a_mouth_at_rest() -> None:
    assert np.allclose(over_rest(np.full(50, 0.07)), 0)
    assert over_rest(mouth())[30] == pytest.approx(0.08)


def test_silence_keeps_away_from_words() -> None:
    quiet = silent(WORDS, TIMES_S)
    assert quiet[TIMES_S < 0.49].all() and quiet[TIMES_S > 2.31].all()
    assert not quiet[(TIMES_S > 0.51) & (TIMES_S < 2.29)].any()


def test_motion_is_speed_in_units_a_second() -> None:
    assert motion(2 * TIMES_S, TIMES_S, np.ones(75, bool)) == pytest.approx(2)
    both = np.stack([3 * TIMES_S, 4 * TIMES_S], 1)
    assert motion(both, TIMES_S, np.ones(75, bool)) == pytest.approx(5)
    assert math.isnan(motion(both, TIMES_S, np.zeros(75, bool)))


def test_a_still_mouth_correlates_with_nothing() -> None:
    assert correlation(np.zeros(9), np.arange(9)) == 0
    assert correlation(np.arange(9), 3 * np.arange(9) + 1) == pytest.approx(1)


def test_r_squared_is_one_for_the_truth_nought_for_its_mean_less_for_worse() -> None:
    rng = np.random.default_rng(1)
    real = [rng.normal(size=(40, 3)), rng.normal(2, 1, (40, 3))]
    mean = np.concatenate(real).mean(0)
    assert np.allclose(r_squared(real, real), 1)
    assert np.allclose(r_squared([mean + 0 * r for r in real], real), 0)
    assert (r_squared([-r for r in real], real) < 0).all()


def test_what_a_talker_holds_all_along_counts_only_across_clips() -> None:
    rng = np.random.default_rng(2)
    real = [rng.normal(size=(40, 1)), rng.normal(size=(40, 1))]
    made = [real[0] + 3, real[1] - 3]
    assert np.allclose(r_squared(made, real, within=True), 1)
    assert r_squared(made, real)[0] < 0


def test_real_video_judged_as_its_own_copy_is_perfect() -> None:
    real = mouth(0.8, 1.2, 1.9)
    figures = judge([Said(real, real, TIMES_S, WORDS)])
    assert figures.opening_r == pytest.approx(1)
    assert (figures.bilabials, figures.closed, figures.closed_real) == (3, 1.0, 1.0)
    assert figures.false_closed == 0


def test_a_mouth_that_never_closes_or_never_opens_is_found_out() -> None:
    real = mouth(0.8, 1.2, 1.9)
    gaping = judge([Said(mouth(), real, TIMES_S, WORDS)])
    assert (gaping.closed, gaping.closed_real, gaping.false_closed) == (0.0, 1.0, 0.0)
    shut = judge([Said(np.full(75, 0.05), real, TIMES_S, WORDS)])
    assert (shut.closed, shut.false_closed) == (1.0, 1.0)
    assert shut.opening_r == shut.opening_r_least == 0


def test_a_mouth_that_twitches_in_silence_is_found_out() -> None:
    noise = np.random.default_rng(3).normal(0, 1e-3, 75)
    real = mouth(0.8) + noise
    as_calm, restless = mouth(0.8) - noise, mouth(0.8) + 3 * noise
    assert judge([Said(as_calm, real, TIMES_S, WORDS)]).silence == pytest.approx(1)
    assert judge([Said(restless, real, TIMES_S, WORDS)]).silence == pytest.approx(3)


def test_a_breath_before_the_first_word_spoils_the_whole_but_not_the_speech() -> None:
    made, real = mouth(0.84, 1.2, 1.5), mouth(0.84, 1.2, 1.5)
    real[TIMES_S < 0.5] += 0.08
    figures = judge([Said(made, real, TIMES_S, WORDS)])
    assert figures.speech_r == pytest.approx(1)
    assert figures.false_closed == 0
    assert figures.opening_r < 0.8


def test_clips_without_words_tell_of_correlation_alone() -> None:
    figures = judge([Said(mouth(1.0), mouth(1.1), TIMES_S)])
    assert figures.opening_r > 0.8
    assert math.isnan(figures.closed) and math.isnan(figures.silence)
    assert math.isnan(figures.speech_r)
