"""What binds a manifest to its film, and the copy of the film with room for it.

The hard binding is that of C2PA spec 2.4 for BMFF files (c2pa.hash.bmff.v3): one hash
over all boxes but the manifest's own, each with its place in the file, and one hash for
each block of the media data. By blocks neither who signs nor who reads ever holds more
than one of them; over a whole film the native library takes half a GiB.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from synthesis.provenance.chunk_offsets import Offsets, offsets_moved
from synthesis.provenance.container import C2PA_BOX, Box, top_boxes

BINDING_LABEL = "c2pa.hash.bmff.v3"

MOST_BLOCKS = 4096
_LEAST_BLOCK = 1 << 20
_IN_THE_FILE_HASH = 16
"""Bytes of a box of media data that are hashed with the other boxes, by the spec: as
many as its longest header."""
_LARGEST_MOOV = 256 << 20
_FRAGMENTS = {b"moof", b"mfra", b"meta"}
"""Boxes that say of bytes where in the file they are, and that we never write."""


@dataclass(frozen=True)
class Binding:
    """hash: SHA-256 of all that is not in blocks. blocks: SHA-256 of each block of
    media data, block_bytes long, the last one shorter; None if it is all in `hash`."""

    hash: bytes
    blocks: tuple[bytes, ...] | None
    block_bytes: int

    def assertion(self) -> dict[str, Any]:
        """The assertion, as the native library takes one."""
        exclusions: list[dict[str, Any]] = [
            {"xpath": "/uuid", "data": [{"offset": 8, "value": list(C2PA_BOX)}]},
            {"xpath": "/ftyp"},
            {"xpath": "/mfra"},
        ]
        data: dict[str, Any] = {
            "exclusions": exclusions,
            "alg": "sha256",
            "hash": list(self.hash),
            "name": "jumbf manifest",
        }
        if self.blocks is not None:
            # A length of 0 is "to its end".
            subset = [{"offset": _IN_THE_FILE_HASH, "length": 0}]
            exclusions.append({"xpath": "/mdat", "subset": subset})
            data["merkle"] = [
                {
                    "uniqueId": 0,
                    "localId": 0,
                    "count": len(self.blocks),
                    "alg": "sha256",
                    "hashes": [list(one) for one in self.blocks],
                    "fixedBlockSize": self.block_bytes,
                }
            ]
        return {"label": BINDING_LABEL, "data": data}


class Film:
    """An MP4 or MOV as our encoder leaves it, about to get a manifest.

    Raises ValueError for any other file: one in fragments, with a manifest already, cut
    off, or ending in a box without a size.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._boxes = file, list(top_boxes(file))
        self._check(file.seek(0, io.SEEK_END))
        media = [box for box in self._boxes if box.kind == b"mdat"]
        longest = max((box.end - box.start for box in media), default=0)
        # Readers mix the blocks of several boxes up (c2pa-rs 0.91), so those get none.
        in_blocks = len(media) == 1 and longest > _IN_THE_FILE_HASH
        self._blocked = longest - _IN_THE_FILE_HASH if in_blocks else None
        blocks = -(-longest // (MOST_BLOCKS * _LEAST_BLOCK))
        self._block_bytes = max(1, blocks) * _LEAST_BLOCK

    def _check(self, size: int) -> None:
        kinds = [box.kind for box in self._boxes]
        if kinds[:1] != [b"ftyp"] or kinds.count(b"moov") != 1:
            raise ValueError("this is no MP4 or MOV")
        if self._boxes[-1].end != size or any(box.open_ended for box in self._boxes):
            raise ValueError("the film does not end where it says")
        if _FRAGMENTS & set(kinds):
            raise ValueError("the film is in fragments")
        for box in self._boxes:
            if box.kind == b"uuid" and self._bytes(box, 24)[8:] == C2PA_BOX:
                raise ValueError("the film has a manifest already")
            if box.kind == b"moov" and box.end - box.start > _LARGEST_MOOV:
                raise ValueError("the film has too many samples")

    @property
    def head(self) -> bytes:
        """The file type box: the manifest comes right behind it."""
        return self._bytes(self._boxes[0])

    def blank(self) -> Binding:
        """A binding that is as long as the real one."""
        count = -(-(self._blocked or 0) // self._block_bytes)
        blocks = None if self._blocked is None else (bytes(32),) * count
        return Binding(bytes(32), blocks, self._block_bytes)

    def copied(self, target: BinaryIO, room: int) -> Binding:
        """Write the film to `target` with so many bytes left free behind its head, and
        return what binds a manifest to it there. Raises ValueError, OSError."""
        moov = self._moov_moved(room)
        whole, blocks = hashlib.sha256(), list[bytes]()
        target.write(self.head)
        target.seek(room, io.SEEK_CUR)
        for box in self._boxes[1:]:
            whole.update(target.tell().to_bytes(8, "big"))
            if box.kind == b"moov":
                whole.update(moov)
                target.write(moov)
                continue
            in_whole = box.end - box.start
            if box.kind == b"mdat" and self._blocked is not None:
                in_whole = _IN_THE_FILE_HASH
            for block in self._read(box.start, box.start + in_whole):
                whole.update(block)
                target.write(block)
            for block in self._read(box.start + in_whole, box.end):
                blocks.append(hashlib.sha256(block).digest())
                target.write(block)
        in_blocks = None if self._blocked is None else tuple(blocks)
        return Binding(whole.digest(), in_blocks, self._block_bytes)

    def _moov_moved(self, room: int) -> bytes:
        """The moov box as it must be where all behind the head lies later."""
        (box,) = (box for box in self._boxes if box.kind == b"moov")
        moov, head = self._bytes(box), self._boxes[0].end
        grown = 0

        def move(offsets: Offsets) -> Offsets:
            by = room * (offsets >= head) + grown * (offsets >= box.end)
            return offsets + by.astype(offsets.dtype)

        try:
            return offsets_moved(moov, move)
        except OverflowError:
            # Wider offsets make it longer, which moves what is behind it once more.
            grown = len(offsets_moved(moov, move, wide=True)) - len(moov)
            return offsets_moved(moov, move, wide=True)

    def _bytes(self, box: Box, most: int | None = None) -> bytes:
        self._file.seek(box.start)
        size = box.end - box.start
        return self._file.read(size if most is None else min(most, size))

    def _read(self, start: int, end: int) -> Iterator[bytes]:
        self._file.seek(start)
        while start < end:
            block = self._file.read(min(self._block_bytes, end - start))
            if not block:
                raise OSError("the film became shorter while it was read")
            start += len(block)
            yield block
