"""Private files in ranges."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any, BinaryIO

import pytest
from django.test import RequestFactory

from synthesis.review.media import BLOCK_BYTES, range_wanted, serve_private

FILE = bytes(range(256)) * 40


def serve(opened: BinaryIO | None = None, size: int = len(FILE), **headers: str) -> Any:
    request = RequestFactory().get("/", headers=headers)
    opened = opened or io.BytesIO(FILE)
    return serve_private(request, opened, size_bytes=size, tag="t1", name="a.mp4")


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=0-99", (0, 99)),
        ("bytes=100-", (100, 999)),
        ("bytes=-1", (999, 999)),
        ("bytes=-5000", (0, 999)),
        ("bytes=990-5000", (990, 999)),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=9-3", None),
        ("bytes=0-1,5-6", None),
        ("seconds=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_a_range_is_read_as_the_standard_says(
    header: str, wanted: tuple[int, int] | None
) -> None:
    assert range_wanted(header, 1000) == wanted


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=4000-5000", "bytes=-0"])
def test_a_range_outside_the_file_is_an_error(header: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        range_wanted(header, 1000)


def test_without_a_range_the_whole_file_comes() -> None:
    response = serve()
    assert response.status_code == 200
    assert response["Content-Length"] == str(len(FILE))
    assert response["Accept-Ranges"] == "bytes"
    assert body_of(response) == FILE


def test_a_range_comes_with_its_place_in_the_file() -> None:
    response = serve(Range="bytes=300-555")
    assert response.status_code == 206
    assert response["Content-Range"] == f"bytes 300-555/{len(FILE)}"
    assert response["Content-Length"] == "256"
    assert body_of(response) == FILE[300:556]


def test_a_range_outside_is_answered_with_416() -> None:
    response = serve(Range="bytes=99999-")
    assert response.status_code == 416
    assert response["Content-Range"] == f"bytes */{len(FILE)}"


def test_a_range_of_a_file_that_has_changed_brings_the_new_one_whole() -> None:
    assert serve(**{"Range": "bytes=0-9", "If-Range": '"t1"'}).status_code == 206
    assert serve(**{"Range": "bytes=0-9", "If-Range": '"t0"'}).status_code == 200


def test_head_tells_all_but_the_bytes() -> None:
    request = RequestFactory().head("/", headers={"Range": "bytes=0-9"})
    opened = io.BytesIO(FILE)
    response = serve_private(
        request, opened, size_bytes=len(FILE), tag="t1", name="a.mp4"
    )
    assert (response.status_code, response["Content-Length"]) == (206, "10")
    assert response.content == b""
    assert opened.closed


def test_no_cache_may_keep_anything() -> None:
    response = serve()
    assert response["Cache-Control"] == "private, no-store"
    assert response["ETag"] == '"t1"'


def test_a_download_carries_its_name_whatever_is_in_it() -> None:
    request = RequestFactory().get("/")
    response = serve_private(
        request,
        io.BytesIO(FILE),
        size_bytes=len(FILE),
        tag="t1",
        name='muelle "ñ" 🎬.mp4',
        download=True,
    )
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''")


def test_the_file_is_closed_once_it_was_sent() -> None:
    opened = io.BytesIO(FILE)
    body_of(serve(opened))
    assert opened.closed


class Endless(io.RawIOBase):
    """A file of any length that takes no memory."""

    def seek(self, place: int, whence: int = 0) -> int:
        return place

    def read(self, size: int = -1) -> bytes:
        return bytes(size)


def test_memory_does_not_grow_with_the_file() -> None:
    size = 400 * BLOCK_BYTES
    tracemalloc.start()
    sent = 0
    for block in serve(Endless(), size=size).streaming_content:  # type: ignore[arg-type]
        sent += len(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sent == size
    assert peak < 8 * BLOCK_BYTES
