"""The fingerprint: alike for the same pictures, unlike for others."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from synthesis.provenance.fingerprint import ALIKE, Fingerprint, similarity
from tests.synthesis.provenance.conftest import Plane, film, recoded
from tests.synthesis.provenance.test_mark import marked, resized


def fingerprint(lumas: list[Plane], rate: Fraction = Fraction(25)) -> bytes:
    collector = Fingerprint(rate)
    for luma in lumas:
        collector.push(luma)
    return collector.bytes()


def test_eight_bytes_a_second_and_a_long_rest_counts() -> None:
    assert len(fingerprint(film(1, frames=50))) == 16
    assert len(fingerprint(film(1, frames=55))) == 16
    assert len(fingerprint(film(1, frames=65))) == 24
    assert len(fingerprint(film(1, frames=3))) == 8
    assert fingerprint([]) == b""


def test_fractional_rates_are_taken() -> None:
    assert len(fingerprint(film(1, frames=48), Fraction(24_000, 1001))) == 16


def test_a_marked_shrunk_and_encoded_film_is_still_itself(tmp_path: Path) -> None:
    lumas = film(1)
    worn = recoded(tmp_path, resized(marked(lumas), 0.5), crf=30)
    assert similarity(fingerprint(lumas), fingerprint(worn)) > 0.9


def test_other_films_are_strangers() -> None:
    prints = [fingerprint(film(seed, frames=25)) for seed in range(8)]
    pairs = [
        similarity(one, other) for at, one in enumerate(prints) for other in prints[:at]
    ]
    assert max(pairs) < ALIKE


def test_a_piece_is_found_in_the_whole() -> None:
    whole = np.random.default_rng(0).bytes(80)
    assert similarity(whole, whole[24:48]) == 1.0
    assert similarity(whole[24:48], whole) == 1.0


@pytest.mark.parametrize("empty", [b"", b"short"])
def test_an_empty_fingerprint_is_like_nothing(empty: bytes) -> None:
    assert similarity(empty, bytes(16)) == 0.0
