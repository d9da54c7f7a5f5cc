"""Manifest stores (application/c2pa) as boxes: JUMBF superboxes, ISO/IEC 19566-5.

A store is one `jumb` box: a `jumd` box that describes it, then a `jumb` box for each
manifest. The last one is the active manifest (C2PA spec 2.4, 11.1.4).
"""

from __future__ import annotations

from collections.abc import Iterator

SUPERBOX, DESCRIPTION = b"jumb", b"jumd"


def active_manifest(store: bytes) -> bytes:
    """Return a store with nothing in it but the active manifest. Raises ValueError
    where `store` is no manifest store."""
    outer = list(_boxes(store))
    if [kind for kind, _ in outer] != [SUPERBOX]:
        raise ValueError("not one superbox")
    described, *manifests = _boxes(outer[0][1][8:])
    kinds = {kind for kind, _ in manifests}
    if described[0] != DESCRIPTION or kinds != {SUPERBOX}:
        raise ValueError("not a store of manifests")
    content = described[1] + manifests[-1][1]
    return (len(content) + 8).to_bytes(4, "big") + SUPERBOX + content


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind of each box, and all of its bytes."""
    at = 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if size < 8 or at + size > len(content):
            raise ValueError("a box that does not fit")
        yield content[at + 4 : at + 8], content[at : at + size]
        at += size
