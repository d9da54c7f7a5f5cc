"""Private files over HTTP, a range at a time, in constant memory."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from django.core.files import File
from django.db.models.fields.files import FieldFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils.http import content_disposition_header

from synthesis.provenance.container import opened_updated

BLOCK_BYTES = 256 << 10
ASK_EVERY_S = 1.0
"""While a file goes out, whether it still may is asked this often."""
ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
KINDS = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "jpg": "image/jpeg",
    "png": "image/png",
}


def range_wanted(header: str, size_bytes: int) -> tuple[int, int] | None:
    """The (first, last) byte a Range header asks for, both inclusive, cut to the file.

    None where there is no single well-formed range (the whole file is then the
    answer, RFC 9110 section 14.2). Raises ValueError where it lies outside the file."""
    match = ONE_RANGE.fullmatch(header.replace(" ", ""))
    if not match or match.group(1) == match.group(2) == "":
        return None
    if match.group(1) == "":  # the last so many bytes
        first, last = size_bytes - int(match.group(2)), size_bytes - 1
    else:
        first = int(match.group(1))
        last = int(match.group(2)) if match.group(2) else max(first, size_bytes - 1)
    if last < first and match.group(1):
        return None
    if first >= size_bytes:
        raise ValueError("the range lies outside the file")
    return max(0, first), min(last, size_bytes - 1)


def blocks(
    opened: BinaryIO | File[bytes],
    first: int,
    length: int,
    ask: Callable[[], None] | None = None,
) -> Iterator[bytes]:
    """The bytes asked for, block by block; closes the file at the end.

    ask raises once they may not go out any more. That breaks the connection off: the
    receiver, who was told a length, sees that the file is not whole."""
    asked = time.monotonic()
    with opened:
        opened.seek(first)
        while length > 0:
            if ask and time.monotonic() - asked >= ASK_EVERY_S:
                ask()
                asked = time.monotonic()
            block = opened.read(min(BLOCK_BYTES, length))
            if not block:
                return
            length -= len(block)
            yield block


def serve_private(
    request: HttpRequest,
    opened: BinaryIO | File[bytes],
    *,
    size_bytes: int,
    tag: str,
    name: str,
    download: bool = False,
    ask: Callable[[], None] | None = None,
) -> HttpResponse | StreamingHttpResponse:
    """Answers with an open file: 200, 206 for one range, 416 for one outside.

    The caller has asked for permission already and does so at each call; nothing may
    be kept by any cache. tag names exactly these bytes; name is what a download is
    called; ask as for blocks."""
    etag = f'"{tag}"'
    header = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        header = ""
    status, wanted = 200, None
    try:
        wanted = range_wanted(header, size_bytes)
    except ValueError:
        status = 416
    first, last = wanted or (0, size_bytes - 1)
    response: HttpResponse | StreamingHttpResponse
    if status == 416 or request.method == "HEAD":
        opened.close()
        response = HttpResponse(status=206 if wanted else status)
    else:
        body = blocks(opened, first, last - first + 1, ask)
        response = StreamingHttpResponse(body, status=206 if wanted else 200)
    if wanted:
        response["Content-Range"] = f"bytes {first}-{last}/{size_bytes}"
    if status == 416:
        response["Content-Range"] = f"bytes */{size_bytes}"
    else:
        response["Content-Length"] = str(last - first + 1)
    suffix = name.rpartition(".")[2].lower()
    response["Content-Type"] = KINDS.get(suffix, "application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(download, name) or ""
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-store"
    return response


def serve_stored(
    request: HttpRequest,
    field: FieldFile,
    *,
    tag: str,
    name: str,
    download: bool = False,
    ask: Callable[[], None] | None = None,
    appended: bytes = b"",
) -> HttpResponse | StreamingHttpResponse:
    """serve_private for a file in the private storage, near or far; appended: the box
    that updates its Content Credential."""
    opened = opened_updated(field.storage.open(field.name or "", "rb"), appended)
    return serve_private(
        request,
        cast(BinaryIO, opened),
        size_bytes=opened.size,
        tag=tag,
        name=name,
        download=download,
        ask=ask,
    )
