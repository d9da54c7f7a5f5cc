"""Numbers in words."""

import pytest

from synthesis.words import seconds_in_words, size_in_words


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (3_400_000, "3.4 MB"),
        (512_000_000, "512 MB"),
        (20_000_000_000, "20 GB"),
        (2_500_000_000_000, "2500 GB"),
    ],
)
def test_a_size_is_told_as_file_managers_do(size_bytes: int, words: str) -> None:
    assert size_in_words(size_bytes) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (60, "1 min 0 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_time_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words
