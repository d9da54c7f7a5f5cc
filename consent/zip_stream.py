"""A zip file made while it is sent, with no more of it in memory than one block."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any


class _Sink:
    """Takes what ZipFile writes, and gives it away. It cannot be sought in, so sizes
    and checksums go behind each file (APPNOTE 4.3.9)."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: bytes, /) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nothing is open here."""

    def take(self) -> bytes:
        taken, self._blocks = b"".join(self._blocks), []
        return taken


def zip_stream(
    files: Iterable[tuple[str, Iterable[bytes]]], *, at: datetime
) -> Iterator[bytes]:
    """Yield the bytes of a zip of the files, each a name and its blocks. They are read
    one after the other and only as fast as the zip is taken."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, blocks in files:
            about = zipfile.ZipInfo(name, at.timetuple()[:6])
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o600 << 16
            with archive.open(about, "w") as member:
                for block in blocks:
                    member.write(block)
                    yield sink.take()
            yield sink.take()
    yield sink.take()


def json_blocks(value: Any) -> Iterator[bytes]:
    """Yield a JSON value to be read by a person, in one block."""
    yield json.dumps(value, indent=2, ensure_ascii=False, default=str).encode() + b"\n"


def json_rows(rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield JSON values as one JSON array, a block each."""
    before = b"["
    for row in rows:
        yield before + b"\n"
        yield json.dumps(row, indent=1, ensure_ascii=False, default=str).encode()
        before = b","
    yield b"[]\n" if before == b"[" else b"\n]\n"
