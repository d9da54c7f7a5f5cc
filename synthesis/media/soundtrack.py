"""The sound under a new picture: packets copied untouched, or one encode to AAC."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer

from synthesis.media.sandbox import Child
from synthesis.media.sound import Samples, SoundReader
from synthesis.media.wire import PACKET_HEADER

AAC_BITS_S = 256_000
"""For two channels or one; surround gets as much for each pair."""

_OTHER_RATE_HZ = 48_000

# Sound that MP4 may hold and browsers play, without a start-up delay that is told only
# outside the packets (MP3 and Opus: copying those would shift lips by 7 to 50 ms).
_COPIED = {"aac", "flac"}
_AAC_LAYOUTS = {"mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"}
_AAC_RATES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000,
    11_025, 8_000,
)  # fmt: skip
_MOST_PACKET_BYTES = 16 << 20
_ON_TIME_S = Fraction(1, 1_000)
_LONGEST_PRIMING_S = Fraction(1, 5)
_AAC_FRAME = 1_024


@dataclass
class Soundtrack:
    """A sound stream of an output file. how: 'copied' or 'encoded'."""

    how: str
    _container: OutputContainer
    _packets: Iterator[Any]
    _source: SoundReader | Child
    _ahead: Any = None

    def feed(self, until_s: Fraction | None) -> None:
        """Mux the packets that start before until_s; None muxes all."""
        while True:
            if self._ahead is None:
                self._ahead = next(self._packets, None)
            packet = self._ahead
            if packet is None:
                return
            if until_s is not None and packet.dts * packet.time_base >= until_s:
                return
            self._ahead = None
            self._container.mux(packet)

    def close(self) -> None:
        self._source.close()


def soundtrack(
    container: OutputContainer,
    path: str | os.PathLike[str],
    number: int,
    origin_s: Fraction | None,
    scene_s: Fraction,
) -> Soundtrack:
    """Add a file's sound to an output, copied if it may be. Raises MediaRefused."""
    if not origin_s and _may_be_copied(path, number, scene_s):
        return _copied(container, path, number)
    return _encoded(container, path, number, origin_s, scene_s)


def _packets(
    path: str | os.PathLike[str], number: int
) -> tuple[Child, dict[str, Any], Iterator[tuple[int, int, int, bool, bytes]]]:
    """The sandboxed source of (pts, dts, duration, is key, bytes), and its header."""
    entry = "synthesis.media.inside.sounds:send_packets"
    child = Child(entry, path, {"number": number})
    try:
        header = child.json()
    except BaseException:
        child.close()
        raise

    def received() -> Iterator[tuple[int, int, int, bool, bytes]]:
        while (length := child.next_bytes(_MOST_PACKET_BYTES)) is not None:
            message = child.take(length)
            stamps = PACKET_HEADER.unpack_from(message)
            yield *stamps, message[PACKET_HEADER.size :]

    return child, header, received()


def _may_be_copied(
    path: str | os.PathLike[str], number: int, scene_s: Fraction
) -> bool:
    """Whether the packets fit an MP4 of that length just as they are."""
    child, header, packets = _packets(path, number)
    with child:
        plain_aac = header["profile"] == "LC" and header["layout"] in _AAC_LAYOUTS
        wrong_aac = header["codec"] == "aac" and not plain_aac
        if header["codec"] not in _COPIED or wrong_aac or not header["extradata"]:
            return False
        base = Fraction(header["time_base"])
        start, end, longest = None, 0, 0
        for pts, _, duration, _, _ in packets:
            start = pts if start is None else start
            end, longest = max(end, pts + duration), max(longest, duration)
    if start is None:
        return False
    # The last packet is padded to the codec's frame: that much is not sound.
    fits = (end - longest) * base < scene_s
    return -_LONGEST_PRIMING_S <= start * base <= _ON_TIME_S and fits


def _copied(
    container: OutputContainer, path: str | os.PathLike[str], number: int
) -> Soundtrack:
    child, header, packets = _packets(path, number)
    stream = container.add_stream(header["codec"], rate=header["rate_hz"])
    context: Any = stream.codec_context
    context.layout = header["layout"]
    # The encoder only stands for the codec while the header is written; what the
    # decoder needs to know comes from the file that is copied.
    context.open()
    context.extradata = base64.b64decode(header["extradata"])
    time_base = Fraction(header["time_base"])

    def muxable() -> Iterator[av.Packet[Any]]:
        for pts, dts, duration, key, content in packets:
            packet: av.Packet[Any] = av.Packet(content)
            packet.stream, packet.time_base = stream, time_base
            packet.pts, packet.dts, packet.duration = pts, dts, duration
            packet.is_keyframe = key
            yield packet

    return Soundtrack("copied", container, muxable(), child)


def _encoded(
    container: OutputContainer,
    path: str | os.PathLike[str],
    number: int,
    origin_s: Fraction | None,
    scene_s: Fraction,
) -> Soundtrack:
    reader = _aac_ready(path, number, origin_s)
    rate, layout = reader.format.rate_hz, reader.format.layout
    stream: Any = container.add_stream("aac", rate=rate)
    stream.codec_context.layout = layout
    stream.codec_context.bit_rate = AAC_BITS_S * max(2, reader.format.channels) // 2
    stream.codec_context.flags |= Flags.bitexact
    stream.codec_context.time_base = Fraction(1, rate)

    def muxable() -> Iterator[av.Packet[Any]]:
        at = 0
        for block in _exactly(reader, round(scene_s * rate)):
            planar = np.ascontiguousarray(block.T)
            frame = av.AudioFrame.from_ndarray(planar, format="fltp", layout=layout)
            frame.sample_rate, frame.pts = rate, at
            frame.time_base = Fraction(1, rate)
            at += len(block)
            yield from stream.encode(frame)
        yield from stream.encode(None)

    return Soundtrack("encoded", container, muxable(), reader)


def _aac_ready(
    path: str | os.PathLike[str], number: int, origin_s: Fraction | None
) -> SoundReader:
    """The sound at its own rate and channels if AAC has them, else 48 kHz, stereo."""
    reader = SoundReader(path, number=number, origin_s=origin_s)
    found = reader.format
    rate = found.rate_hz if found.rate_hz in _AAC_RATES else _OTHER_RATE_HZ
    mix = "own" if found.layout in _AAC_LAYOUTS else "stereo"
    if rate == found.rate_hz and mix == "own":
        return reader
    reader.close()
    return SoundReader(path, number=number, mix=mix, rate_hz=rate, origin_s=origin_s)


def _exactly(reader: SoundReader, total: int) -> Iterator[Samples]:
    """AAC frames of samples, `total` of them: the rest cut, or silence added."""
    held = np.zeros((0, reader.format.channels), np.float32)
    for piece in reader:
        held = np.concatenate([held, piece])
        whole = min(total, len(held) // _AAC_FRAME * _AAC_FRAME)
        for at in range(0, whole, _AAC_FRAME):
            yield held[at : min(at + _AAC_FRAME, whole)]
        total -= whole
        held = held[whole:]
        if total <= 0:
            return
    while total > 0:
        now = min(total, _AAC_FRAME)
        block = np.zeros((now, reader.format.channels), np.float32)
        block[: len(held[:now])] = held[:now]
        yield block
        held, total = held[:0], total - now
