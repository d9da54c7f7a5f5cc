"""How the sandboxed child talks to its parent: messages over one pipe.

A message is a kind (one byte), a length (8 bytes, big-endian) and a payload:
    J  JSON object                    R  refusal: JSON {"code", "sentence"}
    B  raw bytes, layout agreed on    Z  done, nothing follows; no Z means a crash
"""

from __future__ import annotations

import json
import os
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Buffer

HEADER = struct.Struct(">cQ")
JSON, BYTES, REFUSAL, DONE = b"J", b"B", b"R", b"Z"

FRAME_HEADER = struct.Struct(">Q?7x")
"""Before each frame's planes: its index, and whether a neighbour stands in for it."""

LUMA_HEADER = struct.Struct(">IId")
"""Before each brightness plane: its width, its height, seconds since the first."""

PACKET_HEADER = struct.Struct(">qqq?7x")
"""Before each copied packet: pts, dts, duration, and whether it is a key."""


class Outbox:
    """The child's end of the pipe."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def json(self, message: dict[str, Any]) -> None:
        self._send(JSON, json.dumps(message).encode())

    def raw(self, *parts: Buffer) -> None:
        """Send the parts as one message, without joining them first."""
        self._send(BYTES, *parts)

    def refuse(self, code: str, sentence: str) -> None:
        refusal = {"code": code, "sentence": sentence}
        self._send(REFUSAL, json.dumps(refusal).encode())

    def done(self) -> None:
        self._send(DONE)

    def _send(self, kind: bytes, *parts: Buffer) -> None:
        views = [memoryview(part).cast("B") for part in parts]
        self._write(HEADER.pack(kind, sum(len(view) for view in views)))
        for view in views:
            self._write(view)

    def _write(self, view: Buffer) -> None:
        rest = memoryview(view)
        while len(rest):
            rest = rest[os.write(self._fd, rest) :]
