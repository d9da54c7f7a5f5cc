"""Manifest stores (application/c2pa) as boxes: JUMBF, ISO/IEC 19566-5."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cbor2

from consent.errors import RecordRefused

SUPERBOX, DESCRIPTION, CBOR = b"jumb", b"jumd", b"cbor"
_MOST_BOXES: Final = 10_000
_DEEPEST: Final = 8
_UUID_AND_TOGGLES: Final = 17


@dataclass(frozen=True)
class Box:
    """A superbox. payload: all of it but its own size and type, which is what a hash of
    it is over. contents: (kind, bytes) of the boxes in it that are no superboxes."""

    label: str
    payload: bytes
    children: tuple[Box, ...]
    contents: tuple[tuple[bytes, bytes], ...]

    @property
    def sha256(self) -> bytes:
        """The hash by which other boxes name this one (C2PA spec 2.4, 8.4.2.3)."""
        return hashlib.sha256(self.payload).digest()

    @property
    def cbor(self) -> bytes:
        """The bytes of its one CBOR box. Raises RecordRefused where it has another."""
        if [kind for kind, _ in self.contents] != [CBOR]:
            raise RecordRefused("A part of the Content Credential is not of its form.")
        return self.contents[0][1]

    def child(self, label: str) -> Box:
        """The one box in it with that label. Raises RecordRefused."""
        found = [one for one in self.children if one.label == label]
        if len(found) != 1:
            raise RecordRefused(f"The Content Credential has no part {label}, or two.")
        return found[0]


def store_read(store: bytes) -> Box:
    """Return the one superbox of a manifest store. Raises RecordRefused."""
    try:
        ((kind, payload),) = _boxes(store)
        box = _superbox(payload, 0) if kind == SUPERBOX else None
    except ValueError as error:
        raise RecordRefused("The Content Credential cannot be read.") from error
    if box is None or box.label != "c2pa":
        raise RecordRefused("The Content Credential is no store of manifests.")
    return box


def cbor_read(content: bytes) -> Any:
    """Return what one CBOR item says, all of it. Raises RecordRefused."""
    try:
        return cbor2.loads(content)
    except (cbor2.CBORDecodeError, ValueError, TypeError, RecursionError) as error:
        raise RecordRefused(
            "A part of the Content Credential cannot be read."
        ) from error


def _superbox(payload: bytes, depth: int) -> Box:
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    (kind, described), *rest = _boxes(payload)
    label, nul, _ = described[_UUID_AND_TOGGLES:].partition(b"\0")
    if kind != DESCRIPTION or not nul:
        raise ValueError("a superbox without its description")
    inner = [
        _superbox(content, depth + 1) for kind, content in rest if kind == SUPERBOX
    ]
    plain = [(kind, content) for kind, content in rest if kind != SUPERBOX]
    return Box(label.decode("utf-8"), payload, tuple(inner), tuple(plain))


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind and the payload of each box. Raises ValueError."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at == len(content):
            return
        size = int.from_bytes(content[at : at + 4], "big")
        if size < 8 or at + size > len(content):
            raise ValueError("a box that does not fit")
        yield content[at + 4 : at + 8], content[at + 8 : at + size]
        at += size
    raise ValueError("too many boxes")
