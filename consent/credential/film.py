"""Whether a film is the one that a claim's hash binds it to (C2PA spec 2.4, 9.2)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from consent.errors import RecordRefused, SignatureRefused

BINDING: Final = "c2pa.hash.bmff.v3"
_BLOCK: Final = 1 << 20
_MOST_BOXES: Final = 100_000
_KNOWN: Final = {"xpath", "data"}


def verify_binding(path: Path, binding: Mapping[str, Any]) -> None:
    """Raise SignatureRefused unless the film's boxes have the hash that was signed,
    RecordRefused where it was made in a way not known here. Raises OSError."""
    exclusions = binding["exclusions"]
    plain = all(
        {key for key, value in one.items() if value is not None} <= _KNOWN
        for one in exclusions
    )
    if binding.get("merkle") or binding.get("alg", "sha256") != "sha256" or not plain:
        raise RecordRefused("The film is bound to its credential in an unknown way.")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for kind, at, size in _boxes(file):
            if any(_is_excluded(file, kind, at, one) for one in exclusions):
                continue
            digest.update(at.to_bytes(8, "big"))
            file.seek(at)
            left = size
            while left and (block := file.read(min(_BLOCK, left))):
                digest.update(block)
                left -= len(block)
    if digest.digest() != bytes(binding["hash"]):
        raise SignatureRefused("The film is not the one its credential was signed for.")


def _is_excluded(
    file: BinaryIO, kind: bytes, at: int, exclusion: Mapping[str, Any]
) -> bool:
    if exclusion["xpath"] != "/" + kind.decode("latin-1"):
        return False
    for one in exclusion.get("data") or ():
        file.seek(at + int(one["offset"]))
        if file.read(len(one["value"])) != bytes(one["value"]):
            return False
    return True


def _boxes(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and size in bytes of each box at the top level."""
    end, at = file.seek(0, io.SEEK_END), 0
    for _ in range(_MOST_BOXES):
        if at == end:
            return
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:], "big")
        elif size == 0:
            size = end - at
        if len(head) < 8 or size < 8 or at + size > end:
            raise SignatureRefused("The film is broken or cut off.")
        yield head[4:8], at, size
        at += size
    raise SignatureRefused("The film is broken or cut off.")
