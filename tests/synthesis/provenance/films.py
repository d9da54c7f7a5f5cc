"""Films as containers may lay them out, for the tests of what is put into them."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from synthesis.provenance.chunk_offsets import offsets_moved
from synthesis.provenance.container import Box, top_boxes


def talking(path: Path, *, codec: str = "libx264", **options: str) -> Path:
    """A film of picture and sound, 25 frames, in the container its name asks for."""
    random = np.random.default_rng(3)
    with av.open(str(path), "w", container_options=options) as out:
        picture = out.add_stream(codec, rate=25)
        picture.width, picture.height = 96, 64
        picture.pix_fmt = "yuv422p10le" if codec.startswith("prores") else "yuv420p"
        sound = out.add_stream("pcm_s16le" if path.suffix == ".mov" else "aac", 16_000)
        for index in range(25):
            noise = random.integers(16, 235, (64, 96, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, "rgb24")
            out.mux(picture.encode(frame))
            tone = random.integers(-9000, 9000, (1, 640), dtype=np.int16)
            samples = av.AudioFrame.from_ndarray(tone, "s16", "mono")
            samples.sample_rate, samples.pts = 16_000, 640 * index
            samples.time_base = Fraction(1, 16_000)
            out.mux(sound.encode(samples))
        out.mux(picture.encode())
        out.mux(sound.encode())
    return path


def seen_and_heard(path: Path) -> list[NDArray[np.generic]]:
    """Every picture and every stretch of sound, decoded."""
    with av.open(str(path)) as film:
        return [
            frame.to_ndarray()
            for packet in film.demux()
            for frame in packet.decode()
            if isinstance(frame, av.VideoFrame | av.AudioFrame)
        ]


def parts(path: Path) -> list[tuple[Box, bytes]]:
    """The boxes of a file and their bytes."""
    content = path.read_bytes()
    with path.open("rb") as file:
        return [(box, content[box.start : box.end]) for box in top_boxes(file)]


def with_wide_offsets(path: Path) -> Path:
    """The same film, its chunk offsets in 64 bits; its moov must be its last box."""
    (*first, (last, moov)) = parts(path)
    assert last.kind == b"moov"
    wide = offsets_moved(moov, lambda offsets: offsets, wide=True)
    longer = path.with_name("wide-" + path.name)
    longer.write_bytes(b"".join(content for _, content in first) + wide)
    return longer


def stretched(path: Path, target: Path, *, size: int) -> Path:
    """The same film with so many bytes more of media data, a hole that costs no disk.
    Its media data must lie behind an empty box and before its moov."""
    with target.open("wb") as file:
        for box, content in parts(path):
            if box.kind == b"free":
                continue  # a longer header takes its place
            if box.kind == b"mdat":
                file.write(struct.pack(">I4sQ", 1, b"mdat", len(content) + 8 + size))
                file.write(content[8:])
                file.truncate(file.tell() + size)
                file.seek(size, 1)
            else:
                file.write(content)
    return target
