"""Canonical bytes are those of RFC 8785."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from consent.canonical import LARGEST_INTEGER, canonical_bytes, sha256_hex
from consent.errors import RecordRefused


def test_fields_are_sorted_by_utf_16_code_units() -> None:
    # RFC 8785 section 3.2.3: an emoji (a surrogate pair) sorts before U+FB33.
    unsorted = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    keys = list(json.loads(canonical_bytes(unsorted)))
    assert keys == ["\r", "1", "\u0080", "ö", "€", "\U0001f600", "\ufb33"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (0, "0"),
        (-7, "-7"),
        (LARGEST_INTEGER, "9007199254740991"),
        ('€$\u000f\nA\'B"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        ("\u007f\u2028", '"\u007f\u2028"'),
        ([], "[]"),
        ((1, [2]), "[1,[2]]"),
        ({"b": 1, "a": {"d": [], "c": ""}}, '{"a":{"c":"","d":[]},"b":1}'),
    ],
)
def test_each_kind_of_value_has_one_spelling(value: Any, text: str) -> None:
    assert canonical_bytes(value) == text.encode()


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), {1: "a"}, {"a": b"b"}, "\ud800", 2**53, -(2**53), {"a", "b"}],
)
def test_what_has_no_single_spelling_is_refused(value: Any) -> None:
    with pytest.raises(RecordRefused):
        canonical_bytes(value)


def test_the_spelling_survives_a_round_trip_through_json() -> None:
    value = {"z": ["ä", 3, None], "a": {"y": True, "x": "\t"}}
    once = canonical_bytes(value)
    assert canonical_bytes(json.loads(once)) == once


def test_text_is_hashed_as_utf_8() -> None:
    assert sha256_hex("ä") == sha256_hex("ä".encode())


def test_the_signed_parts_need_no_django() -> None:
    modules = "canonical, record, sentences, passkeys, merkle, authenticator, errors"
    program = (
        f"from consent import {modules}; import sys; print('django' in sys.modules)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "False"
