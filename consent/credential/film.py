"""Whether a film is the one that a claim's hash binds it to (C2PA spec 2.4, 9.2)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from consent.errors import RecordRefused, SignatureRefused

BINDING: Final = "c2pa.hash.bmff.v3"
_BLOCK: Final = 1 << 20
_MOST_BOXES: Final = 100_000
_KNOWN: Final = {"xpath", "data"}
_MEDIA: Final = b"mdat"
_NOT_IN_BLOCKS: Final = 16
"""So many bytes of the media data's box are hashed with the other boxes."""
_THE_REST_IN_BLOCKS: Final = {
    "xpath": "/mdat",
    "subset": [{"offset": _NOT_IN_BLOCKS, "length": 0}],
}
_LARGEST_BLOCK: Final = 64 << 20


def verify_binding(path: Path, binding: Mapping[str, Any]) -> None:
    """Raise SignatureRefused unless the film's boxes have the hashes that were signed,
    RecordRefused where they were made in a way not known here. Raises OSError."""
    said = [_said(one) for one in binding["exclusions"]]
    blocks = _blocks_read(binding.get("merkle"))
    if (blocks is not None) != (_THE_REST_IN_BLOCKS in said):
        raise _unknown()
    exclusions = [one for one in said if one != _THE_REST_IN_BLOCKS]
    if binding.get("alg", "sha256") != "sha256" or not all(
        one.keys() <= _KNOWN for one in exclusions
    ):
        raise _unknown()
    with path.open("rb") as file:
        boxes = list(_boxes(file))
        if blocks is not None and [kind for kind, *_ in boxes].count(_MEDIA) != 1:
            raise _another()
        digest = hashlib.sha256()
        for kind, at, size in boxes:
            if any(_is_excluded(file, kind, at, one) for one in exclusions):
                continue
            digest.update(at.to_bytes(8, "big"))
            in_whole = size
            if blocks is not None and kind == _MEDIA:
                in_whole = min(size, _NOT_IN_BLOCKS)
                _verify_blocks(file, at + in_whole, at + size, blocks)
            for block in _read(file, at, at + in_whole, _BLOCK):
                digest.update(block)
    if digest.digest() != bytes(binding["hash"]):
        raise _another()


@dataclass(frozen=True)
class _Blocks:
    """SHA-256 of each block of the media data, all but the last of `size` bytes."""

    size: int
    hashes: tuple[bytes, ...]


def _blocks_read(maps: object) -> _Blocks | None:
    """The blocks of a binding, None where it has none. Raises RecordRefused for trees
    that this house never makes: only the hashes of all blocks are known here."""
    if maps is None:
        return None
    if not isinstance(maps, list) or len(maps) != 1 or not isinstance(maps[0], dict):
        raise _unknown()
    one = _said(maps[0])
    hashes, size = one.pop("hashes", None), one.pop("fixedBlockSize", None)
    named = {"uniqueId": 0, "localId": 0, "alg": "sha256"}
    if (
        not isinstance(hashes, list)
        or not all(isinstance(each, bytes) for each in hashes)
        or not isinstance(size, int)
        or not 0 < size <= _LARGEST_BLOCK
        or one != named | {"count": len(hashes)}
    ):
        raise _unknown()
    return _Blocks(size, tuple(hashes))


def _verify_blocks(file: BinaryIO, start: int, end: int, blocks: _Blocks) -> None:
    found = iter(_read(file, start, end, blocks.size))
    for wanted in blocks.hashes:
        if hashlib.sha256(next(found, b"")).digest() != wanted:
            raise _another()
    if next(found, None) is not None:
        raise _another()


def _read(file: BinaryIO, start: int, end: int, most: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (block := file.read(min(most, end - start))):
        start += len(block)
        yield block


def _said(one: Mapping[str, Any]) -> dict[str, Any]:
    """What it says; absent and null are the same."""
    return {key: value for key, value in one.items() if value is not None}


def _unknown() -> RecordRefused:
    return RecordRefused("The film is bound to its credential in an unknown way.")


def _another() -> SignatureRefused:
    return SignatureRefused("The film is not the one its credential was signed for.")


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
