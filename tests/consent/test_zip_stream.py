"""A zip made while it is sent is whole, and never held in memory."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime

import pytest

from consent.zip_stream import json_blocks, json_rows, zip_stream

AT = datetime(2026, 11, 21, 10, 30)


def test_what_goes_in_comes_out() -> None:
    files = [("a.txt", [b"one ", b"two"]), ("folder/b.json", json_blocks({"ä": 1}))]
    data = b"".join(zip_stream(files, at=AT))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.read("a.txt") == b"one two"
        assert json.loads(archive.read("folder/b.json")) == {"ä": 1}
        assert archive.getinfo("a.txt").date_time == (2026, 11, 21, 10, 30, 0)


def test_no_more_than_a_block_is_made_ahead() -> None:
    asked: list[int] = []

    def blocks() -> Iterator[bytes]:
        for number in range(100):
            asked.append(number)
            # Bytes that do not shrink, so that each block leads to output.
            yield bytes((number * i * i) % 251 for i in range(1 << 14))

    stream = zip_stream([("large", blocks())], at=AT)
    first = next(stream)
    assert len(asked) == 1
    largest = max(len(first), *(len(part) for part in stream))
    assert len(asked) == 100
    assert largest < 1 << 18


@pytest.mark.parametrize("rows", [[], [1], [{"a": 1}, {"b": "ü"}]])
def test_rows_make_one_array(rows: list[object]) -> None:
    assert json.loads(b"".join(json_rows(rows))) == rows
