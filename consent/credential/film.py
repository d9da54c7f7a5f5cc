"""Whether a film is the one that a claim's hash binds it to (C2PA spec 2.4, 9.2)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from consent.errors import RecordRefused, SignatureRefused

BINDING: Final = "c2pa.hash.bmff.v3"
_STEP: Final = 1 << 20
_MOST_BOXES: Final = 100_000
_LARGEST_BLOCK: Final = 256 << 20
_KNOWN: Final = {"xpath", "data", "subset"}
_KNOWN_OF_BLOCKS: Final = {
    "uniqueId", "localId", "count", "alg", "hashes", "fixedBlockSize"
}  # fmt: skip
_IN_THE_FILE_HASH: Final = 16
"""Bytes of a box of media data that are hashed with the other boxes, the rest being
hashed in blocks."""


@dataclass(frozen=True)
class _Blocks:
    """The hash of each `size` bytes of the media data, the last block shorter."""

    size: int
    hashes: tuple[bytes, ...]


def verify_binding(path: Path, binding: Mapping[str, Any]) -> None:
    """Raise SignatureRefused unless the film's boxes have the hashes that were signed,
    RecordRefused where they were made in a way not known here. Raises OSError."""
    blocks = _blocks(binding)
    whole, found = hashlib.sha256(), list[bytes]()
    with path.open("rb") as file:
        for kind, at, size in _boxes(file):
            exclusion = _exclusion(file, kind, at, binding["exclusions"])
            if exclusion is not None and not exclusion.get("subset"):
                continue
            in_whole = size if exclusion is None else min(size, _IN_THE_FILE_HASH)
            whole.update(at.to_bytes(8, "big"))
            for piece in _pieces(file, at, at + in_whole, _STEP):
                whole.update(piece)
            if exclusion is not None and blocks is not None:
                if found:
                    raise _unknown_way()
                found = [
                    hashlib.sha256(piece).digest()
                    for piece in _pieces(file, at + in_whole, at + size, blocks.size)
                ]
    hashes = blocks.hashes if blocks is not None else ()
    if whole.digest() != bytes(binding["hash"]) or tuple(found) != hashes:
        raise SignatureRefused("The film is not the one its credential was signed for.")


def _blocks(binding: Mapping[str, Any]) -> _Blocks | None:
    """The blocks a binding names, None if it has none. Raises RecordRefused."""
    subsets = [one for one in binding["exclusions"] if one.get("subset")]
    known = all(_said(one) <= _KNOWN for one in binding["exclusions"])
    if not known or binding.get("alg", "sha256") != "sha256":
        raise _unknown_way()
    trees = binding.get("merkle") or []
    if not trees and not subsets:
        return None
    if len(trees) != 1 or len(subsets) != 1:
        raise _unknown_way()
    (tree,), (media,) = trees, subsets
    rest = {"offset": _IN_THE_FILE_HASH, "length": 0}
    hashes = tuple(bytes(one) for one in tree["hashes"])
    if (
        not _said(tree) <= _KNOWN_OF_BLOCKS
        or tree.get("alg", "sha256") != "sha256"
        or media["xpath"] != "/mdat"
        or media.get("data")
        or [dict(one) for one in media["subset"]] != [rest]
        or tree["count"] != len(hashes)
        or not 0 < int(tree.get("fixedBlockSize") or 0) <= _LARGEST_BLOCK
    ):
        raise _unknown_way()
    return _Blocks(int(tree["fixedBlockSize"]), hashes)


def _said(fields: Mapping[str, Any]) -> set[str]:
    return {key for key, value in fields.items() if value is not None}


def _unknown_way() -> RecordRefused:
    return RecordRefused("The film is bound to its credential in an unknown way.")


def _exclusion(
    file: BinaryIO, kind: bytes, at: int, exclusions: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """The exclusion that a box falls under."""
    for one in exclusions:
        if one["xpath"] == "/" + kind.decode("latin-1") and all(
            _holds(file, at + int(part["offset"]), bytes(part["value"]))
            for part in one.get("data") or ()
        ):
            return one
    return None


def _holds(file: BinaryIO, at: int, wanted: bytes) -> bool:
    file.seek(at)
    return file.read(len(wanted)) == wanted


def _pieces(file: BinaryIO, start: int, end: int, size: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (piece := file.read(min(size, end - start))):
        start += len(piece)
        yield piece


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
