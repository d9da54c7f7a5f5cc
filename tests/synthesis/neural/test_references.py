"""The choice of reference pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from synthesis.neural.references import APART_FRAMES, REFERENCES, Bank, choose, draw

SPREAD = np.ones(12, np.float32)


def bank(count: int = 80) -> Bank:
    codes = np.zeros((count, 12), np.float32)
    codes[:, 0] = 2 + 2 * np.sin(np.arange(count) / 6)
    return described(codes)


def described(codes: NDArray[np.float32]) -> Bank:
    count = len(codes)
    light = np.full((count, 3), 120, np.float32)
    return Bank(
        codes, np.zeros((count, 2)), np.arange(count), light, np.zeros((count, 16, 2))
    )


def test_no_reference_is_taken_near_its_target() -> None:
    rows = choose(bank(), bank(), SPREAD)
    assert rows.shape == (80, REFERENCES)
    assert (np.abs(rows - np.arange(80)[:, None]) > APART_FRAMES).all()


def test_the_four_are_near_near_open_and_closed() -> None:
    footage = bank()
    rows = choose(footage, footage, SPREAD)
    chosen = footage.codes[rows, 0]
    wanted = footage.codes[:, 0]
    assert np.abs(chosen[:, 0] - wanted).mean() < 0.6
    assert (chosen[:, 2] > 3).all()
    assert (chosen[:, 3] < 1).all()


def test_the_two_near_ones_are_different_pictures() -> None:
    rows = choose(bank(), bank(), SPREAD)
    assert (np.abs(rows[:, 0] - rows[:, 1]) >= 3).all()


def test_smoothing_in_time_changes_pictures_less_often() -> None:
    noisy = bank()
    noise = np.random.default_rng(1).normal(0, 0.3, noisy.codes.shape)
    noisy = replace(noisy, codes=(noisy.codes + noise).astype(np.float32))

    def changes(rows: NDArray[np.int64]) -> int:
        return int((np.diff(rows[:, 0]) != 0).sum())

    calm, nervous = (choose(noisy, noisy, SPREAD, smooth=s) for s in (True, False))
    assert changes(calm) < changes(nervous)


def test_a_head_turned_the_same_way_is_preferred() -> None:
    footage = described(np.zeros((40, 12), np.float32))
    footage.turns[20:, 0] = 25
    rows = choose(elsewhere(footage[39:]), footage, SPREAD)
    assert (rows >= 20).all()


def test_a_picture_in_the_same_light_is_preferred() -> None:
    footage = described(np.zeros((40, 12), np.float32))
    footage.light[20:] = 60
    assert (choose(elsewhere(footage[39:]), footage, SPREAD) >= 20).all()


def test_a_face_lying_in_the_same_place_is_preferred() -> None:
    footage = described(np.zeros((40, 12), np.float32))
    footage.places[20:] = 0.1
    assert (choose(elsewhere(footage[39:]), footage, SPREAD) >= 20).all()


def elsewhere(target: Bank) -> Bank:
    """The same frames, as if of other footage."""
    return replace(target, frames=target.frames + 1000)


def test_a_shot_of_a_few_frames_still_gets_references() -> None:
    assert choose(bank(3), bank(3), SPREAD).shape == (3, REFERENCES)
    assert choose(bank(1), bank(1), SPREAD).tolist() == [[0, 0, 0, 0]]


def test_training_draws_repeat_with_the_same_seed_and_never_cheat() -> None:
    target = bank()[40:41]
    first = draw(target, bank(), SPREAD, np.random.default_rng(5))
    again = draw(target, bank(), SPREAD, np.random.default_rng(5))
    assert first.tolist() == again.tolist()
    assert (np.abs(first - 40) > APART_FRAMES).all()
