"""The mouths of one shot on disk, so that a killed render resumes.

One file a shot, present only when whole. Layout, integers little-endian:
    magic | u32 length | JSON header | records | u64 offset of each record | u64 offset
    of that table. A record is the patch cropped to its visible part, deflated; an
    offset of 0 stands for "leave this frame as it is".
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

import cv2
import numpy as np

from synthesis.engines.base import MouthPatch
from synthesis.errors import PatchesBroken
from synthesis.media.aside import written_aside

_MAGIC = b"lipweb-patches-1"
_RECORD = struct.Struct("<HHHHH6dI")
"""Side, crop's x, y, width, height, affine map, length of the deflated pixels."""
_LEVEL = 1
_MOST_SIDE_PX = 4_096
_MOST_HEADER_BYTES = 1 << 20


def patches_write(
    path: str | os.PathLike[str],
    patches: Iterable[MouthPatch | None],
    *,
    start: int,
    about: dict[str, Any] | None = None,
) -> int:
    """Store a shot's patches, the first for frame `start`; return how many.

    about: JSON kept with them, such as hashes of what they were made from. Takes the
    iterable as it comes, one patch in memory. Raises OutputFailed; nothing is left if
    the iterable raises.
    """
    with written_aside(path) as out:
        header = json.dumps({"start": start, "about": about or {}}).encode()
        out.write(_MAGIC + struct.pack("<I", len(header)) + header)
        offsets = []
        for patch in patches:
            record = _pack(patch) if patch is not None else b""
            offsets.append(out.tell() if record else 0)
            out.write(record)
        table = out.tell()
        out.write(np.asarray(offsets, "<u8").tobytes() + struct.pack("<Q", table))
    return len(offsets)


class PatchFile:
    """A shot's stored patches, by frame number of the scene. A context manager."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._file: BinaryIO = Path(path).open("rb")  # noqa: SIM115 - closed by close
        try:
            self.start, self.about = self._read_header()
            self._offsets = self._read_offsets()
        except (ValueError, KeyError, struct.error, OSError) as error:
            self._file.close()
            raise _broken() from error

    @property
    def stop(self) -> int:
        """One past the last frame."""
        return self.start + len(self._offsets)

    def __getitem__(self, frame: int) -> MouthPatch | None:
        """The patch of a frame; None leaves it as it is.

        Raises IndexError outside start..stop-1, PatchesBroken.
        """
        if not self.start <= frame < self.stop:
            raise IndexError(f"frame {frame} is not in {self.start}..{self.stop}")
        offset = int(self._offsets[frame - self.start])
        try:
            return self._read_record(offset) if offset else None
        except (ValueError, zlib.error, struct.error, OSError) as error:
            raise _broken() from error

    def __iter__(self) -> Iterator[MouthPatch | None]:
        return (self[frame] for frame in range(self.start, self.stop))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def _read_header(self) -> tuple[int, dict[str, Any]]:
        if self._file.read(len(_MAGIC)) != _MAGIC:
            raise ValueError("no patches")
        (length,) = struct.unpack("<I", self._file.read(4))
        if length > _MOST_HEADER_BYTES:
            raise ValueError("header too long")
        header = json.loads(self._file.read(length))
        return int(header["start"]), dict(header["about"])

    def _read_offsets(self) -> Any:
        end = self._file.seek(-8, os.SEEK_END)
        (table,) = struct.unpack("<Q", self._file.read(8))
        if table > end or (end - table) % 8:
            raise ValueError("table out of place")
        self._file.seek(table)
        return np.frombuffer(self._file.read(end - table), "<u8")

    def _read_record(self, offset: int) -> MouthPatch:
        self._file.seek(offset)
        fields = _RECORD.unpack(self._file.read(_RECORD.size))
        side, x, y, width, height = fields[:5]
        if side > _MOST_SIDE_PX or x + width > side or y + height > side:
            raise ValueError("patch out of range")
        pixels = zlib.decompress(self._file.read(fields[11]))
        rgba = np.zeros((side, side, 4), np.uint8)
        crop = np.frombuffer(pixels, np.uint8).reshape(height, width, 4)
        rgba[y : y + height, x : x + width] = crop
        return MouthPatch(rgba, np.array(fields[5:11], np.float64).reshape(2, 3))


def patches_open(path: str | os.PathLike[str]) -> PatchFile:
    """Open a shot's patches for reading. Raises FileNotFoundError, PatchesBroken."""
    return PatchFile(path)


def _pack(patch: MouthPatch) -> bytes:
    rgba = patch.rgba
    x, y, width, height = cv2.boundingRect(cv2.extractChannel(rgba, 3))
    if not width:
        return b""
    crop = rgba[y : y + height, x : x + width]
    pixels = zlib.compress(crop.tobytes(), _LEVEL)
    affine = np.asarray(patch.to_frame, np.float64).reshape(-1)
    side = max(rgba.shape[:2])
    return _RECORD.pack(side, x, y, width, height, *affine, len(pixels)) + pixels


def _broken() -> PatchesBroken:
    return PatchesBroken(
        "patches-broken", "A stored shot cannot be read; it will be rendered anew."
    )
