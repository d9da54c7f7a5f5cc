"""What FFmpeg's muxer leaves out of a QuickTime file, put right in place.

It knows only the languages of the classic Macintosh there; QuickTime takes ISO 639-2
as well, packed as in MP4 (QuickTime File Format, "Language Code Values").
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from synthesis.media.inside.boxes import boxes

_LEAST_PACKED = 0x60
_UNDETERMINED = "und"


def languages_write(path: str | os.PathLike[str], languages: Sequence[str]) -> None:
    """Say each track's language, in the order of the file's tracks; '' for not known.
    Only for a file of our own making, before it is signed."""
    with Path(path).open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        headers = [
            at
            for name, start, end in boxes(file, 0, size)
            if name == b"moov"
            for at in _media_headers(file, start, end)
        ]
        # A time code track comes last and has no language.
        for at, language in zip(headers, languages, strict=False):
            file.seek(at)
            long = file.read(1) == b"\x01"
            file.seek(at + (32 if long else 20))
            file.write(struct.pack(">H", packed(language)))


def packed(language: str) -> int:
    """Three letters of five bits each."""
    letters = language if len(language) == 3 and language.isascii() else _UNDETERMINED
    first, second, third = (ord(letter) - _LEAST_PACKED for letter in letters.lower())
    return first << 10 | second << 5 | third


def _media_headers(file: BinaryIO, start: int, end: int) -> list[int]:
    """Where the content of each track's mdhd begins."""
    found = []
    for name, inner, stop in boxes(file, start, end):
        if name in (b"trak", b"mdia"):
            found += _media_headers(file, inner, stop)
        elif name == b"mdhd":
            found.append(inner)
    return found
