"""Just enough of ISO BMFF boxes (ISO/IEC 14496-12) to say why an MP4 is refused."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from synthesis.errors import MediaRefused

_MOST_BOXES = 10_000
_ENCRYPTED = {b"encv", b"enca", b"drmi", b"drms", b"encs", b"p608"}


def check_boxes(source: BinaryIO) -> bool:
    """Look through an MP4 or MOV before it is parsed; return whether it breaks off.

    Raises MediaRefused: mp4-no-index (cut short, or never finished), encrypted.
    """
    size = os.fstat(source.fileno()).st_size
    found: dict[bytes, tuple[int, int]] = {}
    cut = False
    for name, start, stop in boxes(source, 0, size):
        found.setdefault(name, (start, stop))
        cut = cut or stop > size
    if b"moov" not in found and b"moof" not in found:
        raise MediaRefused(
            "mp4-no-index",
            "The MP4 is incomplete: its index (the “moov” part) is missing"
            + (", and the file breaks off" if cut else "")
            + ". The recording or the copy was cut short. Export or copy it again.",
        )
    if b"moov" in found and _ENCRYPTED & set(_sample_entries(source, *found[b"moov"])):
        raise MediaRefused(
            "encrypted",
            "The file is encrypted (DRM). Export it again without protection.",
        )
    return cut


def boxes(source: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, start of the content, end as claimed) of each box in a range."""
    for _ in range(_MOST_BOXES):
        if at + 8 > end:
            return
        source.seek(at)
        head = source.read(16)
        if len(head) < 8:
            return
        size, name = struct.unpack(">I4s", head[:8])
        start = at + 8
        if size == 1 and len(head) == 16:
            size, start = struct.unpack(">Q", head[8:])[0], at + 16
        elif size == 0:
            size = end - at
        if size < start - at:
            return
        yield name, start, at + size
        at += size


def _sample_entries(source: BinaryIO, start: int, stop: int) -> Iterator[bytes]:
    """Names of the sample entries of every track under a moov box."""
    path = {b"trak", b"mdia", b"minf", b"stbl"}
    for name, inner, end in boxes(source, start, stop):
        if name in path:
            yield from _sample_entries(source, inner, min(end, stop))
        elif name == b"stsd":
            for entry, _, _ in boxes(source, inner + 8, min(end, stop)):
                yield entry
