"""Where manifests lie in an MP4 or MOV, and files that got one more after signing.

C2PA spec 2.4, annex A.5 (BMFF): the manifest signed with the file is a uuid box near
its head, of purpose "manifest". An update leaves the media alone: the first box's
purpose becomes "original", and a box of purpose "update" is put at the very end.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from synthesis.errors import SynthesisError

C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""The UUID that marks a C2PA box in MP4 and MOV."""
MANIFEST, ORIGINAL, UPDATE = b"manifest", b"original", b"update"

_FIXED = 8 + 16 + 4
"""Bytes of a C2PA box before its purpose: size and type, UUID, version and flags."""
_MOST_BOXES, _LARGEST_STORE = 10_000, 64 << 20
_LONGEST_PURPOSE = 16
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Box:
    """One box: bytes start to end of the file, `header` of them before its content.
    open_ended: it says no size and goes on to the end, whatever is put behind it."""

    kind: bytes
    start: int
    header: int
    end: int
    open_ended: bool = False


def top_boxes(file: BinaryIO) -> Iterator[Box]:
    """Yield the boxes at the top level of a file in order, up to the first that is
    none or does not fit. Reads their headers only."""
    end = file.seek(0, io.SEEK_END)
    at = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        stated, header = int.from_bytes(head[:4], "big"), 8
        size = stated or end - at
        if stated == 1:
            size, header = int.from_bytes(head[8:], "big"), 16
        if size < header or at + size > end:
            return
        yield Box(head[4:8], at, header, at + size, open_ended=not stated)
        at += size


@dataclass(frozen=True)
class ManifestBox:
    """start, end: bytes of the file. store: what a reader of application/c2pa gets."""

    start: int
    end: int
    purpose: bytes
    store: bytes

    @property
    def purpose_at(self) -> int:
        """Where in the file the purpose stands."""
        return self.start + _FIXED


def manifest_boxes(file: BinaryIO) -> list[ManifestBox]:
    """Return the C2PA boxes at the top level of a file, in order; none in anything
    that is no MP4 or MOV. Never reads the media, never raises for what is in it."""
    return list(_manifest_boxes(file))


def _manifest_boxes(file: BinaryIO) -> Iterator[ManifestBox]:
    for box in top_boxes(file):
        size = box.end - box.start
        if box.kind == b"uuid" and box.header == 8 and size <= _LARGEST_STORE:
            file.seek(box.start)
            found = _manifest_box(file.read(size), box.start)
            if found is not None:
                yield found


def _manifest_box(box: bytes, at: int) -> ManifestBox | None:
    if box[8:24] != C2PA_BOX:
        return None
    purpose, nul, rest = box[_FIXED:].partition(b"\0")
    if not nul or len(purpose) > _LONGEST_PURPOSE or len(rest) < 8:
        return None
    # Before the store: offset of an auxiliary box, which we never write.
    return ManifestBox(at, at + len(box), purpose, rest[8:])


def skeleton(file: BinaryIO) -> bytes:
    """Return the file from its head to the end of its manifest box: all of it that
    signing an update needs, since an update says nothing of the media's bytes.
    Raises SynthesisError `credential-missing`."""
    first = _first(file)
    file.seek(0)
    return file.read(first.end)


def appended_box(updated: bytes, before: bytes) -> bytes:
    """Return the update box that signing put behind a skeleton. Raises ValueError if
    anything but that box and the purpose has changed."""
    first = _first(io.BytesIO(before))
    at, after = first.purpose_at, first.purpose_at + len(ORIGINAL)
    box = updated[len(before) :]
    found = _manifest_box(box, len(before)) if box else None
    same = (
        updated[:at] == before[:at] and updated[after : len(before)] == before[after:]
    )
    if not same or updated[at:after] != ORIGINAL or found is None:
        raise ValueError("the signed update changed more than it may")
    if found.purpose != UPDATE or int.from_bytes(box[:4], "big") != len(box):
        raise ValueError("the signed update ends in something else")
    return box


def _first(file: BinaryIO) -> ManifestBox:
    for box in manifest_boxes(file):
        if box.purpose in (MANIFEST, ORIGINAL):
            return box
    raise SynthesisError(
        "credential-missing",
        "The stored file carries no Content Credential, so none can be added to it. "
        "Render it again.",
    )


class UpdatedFile(io.RawIOBase):
    """A signed file as it is with an update box: read without writing a copy of it.

    base is the file as first signed and is closed with this; appended may be empty,
    and then this is the file as it is.
    """

    def __init__(self, base: BinaryIO, appended: bytes) -> None:
        super().__init__()
        self._base, self._appended, self._at = base, appended, 0
        self._patch_at = _first(base).purpose_at if appended else 0
        self._base_size = base.seek(0, io.SEEK_END)
        self.size = self._base_size + len(appended)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move as a file does."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Read at most `size` bytes, all that is left if negative or None."""
        wanted = self.size - self._at if size is None or size < 0 else size
        self._base.seek(min(self._at, self._base_size))
        block = self._base.read(max(0, min(wanted, self._base_size - self._at)))
        if len(block) < wanted:
            begin = max(0, self._at + len(block) - self._base_size)
            block += self._appended[begin : begin + wanted - len(block)]
        block = self._patched(block)
        self._at += len(block)
        return block

    def _patched(self, block: bytes) -> bytes:
        if not self._appended:
            return block
        begin, end = self._patch_at - self._at, self._patch_at + 8 - self._at
        if end <= 0 or begin >= len(block):
            return block
        changed = bytearray(block)
        for i in range(max(0, begin), min(end, len(block))):
            changed[i] = ORIGINAL[i - begin]
        return bytes(changed)

    def close(self) -> None:
        """Close the file below too."""
        self._base.close()
        super().close()


def sha256_as_signed(file: BinaryIO) -> tuple[str, bytes]:
    """Return the SHA-256 (hex) of a file as it was before any update was added to it,
    and its update box, empty if it has none.

    A file keeps its identity through updates: approvals name these bytes.
    """
    boxes = manifest_boxes(file)
    size = file.seek(0, io.SEEK_END)
    update = boxes[-1] if len(boxes) == 2 and boxes[1].end == size else None
    if update is None or (boxes[0].purpose, update.purpose) != (ORIGINAL, UPDATE):
        return _sha256(file, size), b""
    file.seek(update.start)
    appended = file.read(update.end - update.start)
    return _sha256(file, update.start, boxes[0].purpose_at), appended


def _sha256(file: BinaryIO, end: int, patch_at: int | None = None) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    if patch_at is not None:
        digest.update(file.read(patch_at) + MANIFEST)
        file.seek(patch_at + len(MANIFEST))
    while (left := end - file.tell()) > 0:
        block = file.read(min(_BLOCK, left))
        if not block:
            break
        digest.update(block)
    return digest.hexdigest()


def opened_updated(base: object, appended: bytes) -> UpdatedFile:
    """UpdatedFile over whatever a storage opened; it reads and seeks as files do."""
    return UpdatedFile(cast(BinaryIO, base), appended)
