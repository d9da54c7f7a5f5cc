"""Where a movie says its samples lie, when everything behind a place moves.

The moov box of an MP4 or MOV lists, track by track, at which byte of the file each
chunk of samples begins (ISO/IEC 14496-12, 8.7.5): in 32 bits in stco, 64 in co64.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.container import top_boxes

Offsets = NDArray[np.uint64]
Move = Callable[[Offsets], Offsets]
"""Says of places in the file where what is there will be."""

_PATH = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
_BYTES = {b"stco": 4, b"co64": 8}
_KIND = {size: kind for kind, size in _BYTES.items()}
_MOST_OF_32_BITS = (1 << 32) - 1


def offsets_moved(moov: bytes, move: Move, *, wide: bool = False) -> bytes:
    """Return a moov box whose chunks lie where `move` says; wide: all in 64 bits.

    Raises OverflowError if a place does not fit into its 32 bits, ValueError where the
    box is not as it should be.
    """
    return _moved(moov, _PATH, move, wide)


def _moved(content: bytes, path: tuple[bytes, ...], move: Move, wide: bool) -> bytes:
    """The boxes of `content`, the offsets in those at the end of `path` moved."""
    parts, at = list[bytes](), 0
    for box in top_boxes(io.BytesIO(content)):
        inner = content[box.start + box.header : box.end]
        if path and box.kind == path[0]:
            parts.append(_boxed(box.kind, _moved(inner, path[1:], move, wide)))
        elif not path and box.kind in _BYTES:
            parts.append(_table_moved(_BYTES[box.kind], inner, move, wide))
        else:
            parts.append(content[box.start : box.end])
        at = box.end
    # QuickTime may end a list of boxes with four zero bytes.
    return b"".join(parts) + content[at:]


def _table_moved(width: int, table: bytes, move: Move, wide: bool) -> bytes:
    count = int.from_bytes(table[4:8], "big")
    if len(table) != 8 + count * width:
        raise ValueError("a table of chunk offsets is longer or shorter than it says")
    offsets = np.frombuffer(table, f">u{width}", offset=8).astype(np.uint64)
    moved, width = move(offsets), 8 if wide else width
    if width == 4 and moved.max(initial=0) > _MOST_OF_32_BITS:
        raise OverflowError("a chunk would begin beyond 4 GiB")
    return _boxed(_KIND[width], table[:8] + moved.astype(f">u{width}").tobytes())


def _boxed(kind: bytes, content: bytes) -> bytes:
    return (8 + len(content)).to_bytes(4, "big") + kind + content
