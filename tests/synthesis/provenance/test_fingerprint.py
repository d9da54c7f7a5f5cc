"""The fingerprint: alike for copies and pieces of a film, unlike for other takes."""

from __future__ import annotations

import zlib
from fractions import Fraction

import cv2
import numpy as np
import pytest

from synthesis.provenance.fingerprint import (
    ALIKE,
    STRANGE,
    Fingerprint,
    similarity,
    unpacked,
)
from synthesis.provenance.mark_trial.attacks import ATTACKS
from synthesis.provenance.mark_trial.pictures import grey
from tests.synthesis.provenance.conftest import Plane

RATE = Fraction(25)
WIDTH, HEIGHT = 320, 180


def fingerprint(lumas: list[Plane], rate: Fraction = RATE) -> bytes:
    collector = Fingerprint(rate)
    for luma in lumas:
        collector.push(luma)
    return collector.bytes()


def take(seed: int, *, stage: int = 1, frames: int = 100) -> list[Plane]:
    """A talker before a set: `stage` says which set, `seed` how it is said."""
    of_stage, of_take = np.random.default_rng(stage), np.random.default_rng(seed)
    coarse = of_stage.uniform(40, 200, (9, 16)).astype(np.float32)
    set_ = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    beats_hz, phases = of_take.uniform((0.3, 0), (4, 7), (3, 4, 2)).transpose(2, 0, 1)
    times_s = np.arange(frames)[:, None, None] / 25
    swings = 2.5 * np.sin(2 * np.pi * beats_hz * times_s + phases).sum(axis=2)
    planes = []
    for across, down, opening in swings:
        picture = np.clip(set_, 16, 235).astype(np.uint8)
        middle = (round(WIDTH / 2 + across), round(HEIGHT / 2 + down))
        cv2.ellipse(picture, middle, (34, 52), 0, 0, 360, (150,), -1, cv2.LINE_AA)
        mouth = (middle[0], middle[1] + 26)
        high = 3 + round(abs(opening))
        cv2.ellipse(picture, mouth, (15, high), 0, 0, 360, (50,), -1, cv2.LINE_AA)
        planes.append(picture)
    return planes


def after(name: str, lumas: list[Plane]) -> bytes:
    (attack,) = (one for one in ATTACKS if one.name == name)
    done = attack.on([grey(luma) for luma in lumas], RATE)
    return fingerprint([picture.y for picture in done.pictures], done.rate)


@pytest.fixture(scope="module")
def film() -> list[Plane]:
    return take(1)


@pytest.fixture(scope="module")
def kept(film: list[Plane]) -> bytes:
    return fingerprint(film)


def test_ten_coarse_pictures_a_second_at_any_rate(film: list[Plane]) -> None:
    for rate in (Fraction(25), Fraction(24_000, 1001), Fraction(60), Fraction(8)):
        pictures = unpacked(fingerprint(film, rate))
        assert abs(len(pictures) - 10 * len(film) / rate) <= 1
        assert pictures.shape[1:] == (16, 28)
    assert len(unpacked(fingerprint(film[:1]))) == 1


def test_a_coarse_picture_is_the_mean_of_its_frames(film: list[Plane]) -> None:
    pictures = unpacked(fingerprint(film))
    wanted = [
        cv2.resize(y, (28, 16), interpolation=cv2.INTER_AREA) for y in film[95:98]
    ]
    assert np.abs(pictures[38] - np.mean(wanted, axis=0)).max() <= 1.5


def test_a_kilobyte_a_second_or_so(kept: bytes) -> None:
    assert len(kept) < 4 * 2000


def test_it_may_be_asked_before_the_end(film: list[Plane]) -> None:
    collector = Fingerprint(RATE)
    for luma in film[:50]:
        collector.push(luma)
    half = collector.bytes()
    assert half == collector.bytes() == fingerprint(film[:50])
    for luma in film[50:]:
        collector.push(luma)
    assert collector.bytes() == fingerprint(film)


def test_a_film_that_changes_size_half_way_is_taken(film: list[Plane]) -> None:
    grown = [cv2.resize(luma, (640, 480)) for luma in film[50:]]
    mixed = fingerprint(film[:50] + [np.asarray(luma, np.uint8) for luma in grown])
    assert similarity(fingerprint(film), mixed) >= ALIKE


@pytest.mark.parametrize(
    "name",
    [
        "H.264 CRF 33",
        "scaled to 33 %",
        "crop 40 %",
        "crop 40 %, off centre",
        "letterbox",
        "mirror",
        "rotation 2 deg",
        "gamma 0.7",
        "noise sigma 12",
        "15 fps",
        "logo and subtitle",
        "filmed from a screen",
    ],
)
@pytest.mark.parametrize("start", [0, 37])
def test_two_attacked_seconds_from_anywhere_are_still_the_film(
    film: list[Plane], kept: bytes, name: str, start: int
) -> None:
    assert similarity(kept, after(name, film[start : start + 50])) >= ALIKE


def test_another_take_in_the_same_framing_is_another_film(film: list[Plane]) -> None:
    prints = [fingerprint(take(seed)) for seed in range(2, 10)]
    for name in ("H.264 CRF 23", "crop 25 %"):
        piece = after(name, film[30:80])
        assert max(similarity(other, piece) for other in prints) < ALIKE


def test_another_place_is_stranger_still(film: list[Plane]) -> None:
    piece = fingerprint(film[:50])
    prints = [fingerprint(take(seed, stage=seed)) for seed in range(2, 8)]
    alike = [similarity(other, piece) for other in prints]
    assert max(alike) < ALIKE
    assert np.median(alike) < STRANGE


def test_the_film_may_be_a_piece_of_the_file(film: list[Plane]) -> None:
    trailer = take(7, stage=7, frames=50) + film[:60] + take(8, stage=8, frames=50)
    assert similarity(fingerprint(film), fingerprint(trailer)) >= ALIKE
    assert similarity(fingerprint(film[:30]), fingerprint(film)) >= ALIKE


def test_a_still_is_known_by_its_looks_and_a_film_is_not(film: list[Plane]) -> None:
    still, other = film[:1] * 50, take(5, stage=5)[:1] * 50
    kept = fingerprint(film[:50] + film[50:51] * 60)
    assert similarity(fingerprint(still), after("H.264 CRF 28", still)) >= ALIKE
    assert similarity(kept, fingerprint(film[50:51] * 50)) >= ALIKE
    assert similarity(fingerprint(still), fingerprint(other)) < ALIKE
    assert similarity(fingerprint(still), fingerprint(film[20:70])) < ALIKE


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"short",
        b"\2\x1c\x10 not packed",
        b"\1\x1c\x10" + zlib.compress(bytes(448)),
        b"\2\0\0" + zlib.compress(bytes(448)),
        b"\2\x1c\x10" + zlib.compress(bytes(447)),
    ],
)
def test_what_is_no_fingerprint_is_like_nothing(broken: bytes, kept: bytes) -> None:
    assert similarity(broken, kept) == similarity(kept, broken) == 0.0


@pytest.mark.parametrize("size", [(1, 1), (2, 400), (16, 16)])
def test_tiny_and_odd_pictures_are_answered(size: tuple[int, int], kept: bytes) -> None:
    tiny = fingerprint([np.full(size, 90, np.uint8)] * 30)
    assert similarity(kept, tiny) < ALIKE
    assert 0 <= similarity(tiny, kept) <= 1
