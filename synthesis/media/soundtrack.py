"""Sound under a new picture: packets copied untouched, or samples kept without loss."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any, Literal

import av
import numpy as np
from av.codec.context import Flags
from av.container import OutputContainer
from av.stream import Disposition

from synthesis.media.sandbox import Child
from synthesis.media.sound import Samples, SoundReader
from synthesis.media.wire import PACKET_HEADER

AAC_BITS_S = 256_000
"""For two channels or one; surround gets as much for each pair."""

_OTHER_RATE_HZ = 48_000

# Copied where the container takes the codec. Not MP3 and Opus: their start-up delay is
# told only outside the packets, and copying those would shift lips by 7 to 50 ms.
_COPIED = {
    "mp4": {"aac", "ac3", "eac3", "alac", "flac", "pcm_f32le", "pcm_s32le"},
    "mov": {"aac", "ac3", "eac3", "alac"}
    | {f"pcm_{kind}le" for kind in ("s16", "s24", "s32", "f32")}
    | {f"pcm_{kind}be" for kind in ("s16", "s24", "s32", "f32")},
}
_AAC_LAYOUTS = {"mono", "stereo", "3.0", "4.0", "5.0", "5.1", "7.1"}
_AAC_RATES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000,
    11_025, 8_000,
)  # fmt: skip
_FLAC_LAYOUTS = {
    "mono", "stereo", "3.0", "quad", "quad(side)", "5.0", "5.0(side)", "5.1",
    "5.1(side)", "6.1", "7.1",
}  # fmt: skip
_MOST_PACKET_BYTES = 16 << 20
_LONGEST_PRIMING_S = Fraction(1, 5)
"""Packets before the start that are kept: decoders run up on them, unheard."""
_BLOCK = 4_096

How = Literal["copied", "lossless", "encoded", "subtitles"]


@dataclass(frozen=True)
class SoundTrack:
    """One sound stream of a file, to be laid under a picture.

    origin_s: time on the file's clock that becomes the picture's beginning; None, the
    file's own beginning, for a dub; `scene_origin_s(probe)` for a scene's own sound.
    start_s: the sound begins so much after the picture. language: ISO 639-2, '' if
    not known.
    """

    path: str | os.PathLike[str]
    number: int = 0
    origin_s: Fraction | None = None
    start_s: Fraction = Fraction(0)
    language: str = ""
    title: str = ""


@dataclass
class LaidTrack:
    """A stream of an output file beside its picture."""

    how: How
    language: str
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


def lay_sound(
    container: OutputContainer,
    track: SoundTrack,
    scene_s: Fraction,
    *,
    aac: bool = False,
    first: bool = True,
) -> LaidTrack:
    """Add a sound track to an output of that length; first: players begin with it.
    Raises MediaRefused."""
    header = _header(track)
    lay = _encoded if aac else _lossless
    if _may_be_copied(header, container.format.name) and not (
        aac and header["codec"] != "aac"
    ):
        lay = _copied
    stream, laid = lay(container, track, header, scene_s)
    name_track(stream, track.language, track.title, first=first)
    return laid


def name_track(stream: Any, language: str, title: str, *, first: bool) -> None:
    """Give an output's stream its language and title; players begin with the first."""
    if language:
        stream.metadata["language"] = language
    if title:
        stream.metadata["title"] = title
    stream.disposition = Disposition.default if first else Disposition(0)


def _child(track: SoundTrack) -> Child:
    origin_s = None if track.origin_s is None else str(track.origin_s)
    arguments = {"number": track.number, "origin_s": origin_s}
    return Child("synthesis.media.inside.sounds:send_packets", track.path, arguments)


def _header(track: SoundTrack) -> dict[str, Any]:
    with _child(track) as child:
        return child.json()


def _may_be_copied(header: dict[str, Any], container: str) -> bool:
    codec = header["codec"]
    if codec == "aac":
        # Without the decoder's configuration the codec's start-up is not known either.
        plain = header["profile"] == "LC" and header["layout"] in _AAC_LAYOUTS
        return bool(plain and header["extradata"])
    return codec in _COPIED[container]


def _copied(
    container: OutputContainer,
    track: SoundTrack,
    header: dict[str, Any],
    scene_s: Fraction,
) -> tuple[Any, LaidTrack]:
    child = _child(track)
    try:
        child.json()
        stream = copied_stream(container, header)
    except BaseException:
        child.close()
        raise
    packets = _received(child, Fraction(header["time_base"]), track.start_s, scene_s)
    if header["codec"].startswith("pcm_"):
        packets = _cut_to_samples(packets, header, scene_s)

    def muxable() -> Iterator[av.Packet[Any]]:
        for one in packets:
            packet: av.Packet[Any] = av.Packet(one.content)
            packet.stream, packet.time_base = stream, one.time_base
            packet.pts, packet.dts, packet.duration = one.pts, one.pts, one.duration
            packet.is_keyframe = one.key
            yield packet

    return stream, LaidTrack("copied", track.language, container, muxable(), child)


def copied_stream(container: OutputContainer, header: dict[str, Any]) -> Any:
    """A stream for packets that somebody else encoded."""
    stream: Any = container.add_stream(header["codec"], rate=header["rate_hz"])
    context = stream.codec_context
    context.layout = header["layout"]
    if header["codec"] in ("alac", "flac") or header["codec"].startswith("pcm_"):
        context.format = header["sample_format"]
    # The encoder only stands for the codec while the header is written; what the
    # decoder needs to know comes from the file that is copied.
    context.open()
    extradata = base64.b64decode(header["extradata"])
    if extradata:
        context.extradata = extradata
    return stream


@dataclass(frozen=True)
class _Packet:
    pts: int
    duration: int
    time_base: Fraction
    key: bool
    content: bytes


def _received(
    child: Child, base: Fraction, start_s: Fraction, scene_s: Fraction
) -> Iterator[_Packet]:
    """The packets that are heard while the picture lasts, on the output's clock."""
    shift = round(start_s / base)
    while (length := child.next_bytes(_MOST_PACKET_BYTES)) is not None:
        message = child.take(length)
        pts, _, duration, key = PACKET_HEADER.unpack_from(message)
        pts += shift
        if (pts + duration) * base <= -_LONGEST_PRIMING_S:
            continue
        left = int(scene_s // base) - pts
        if left <= 0:
            return
        # The last one is cut to what is heard; players see it in the track's length.
        duration = min(duration, left)
        yield _Packet(pts, duration, base, key, message[PACKET_HEADER.size :])


def _cut_to_samples(
    packets: Iterator[_Packet], header: dict[str, Any], scene_s: Fraction
) -> Iterator[_Packet]:
    """PCM from time 0 to the scene's end, to the sample."""
    rate, width = header["rate_hz"], header["sample_bytes"]
    base, end = Fraction(1, rate), ceil(scene_s * rate)
    for one in packets:
        at = round(one.pts * one.time_base * rate)
        first = max(0, -at)
        samples = min(len(one.content) // width, end - at)
        if first < samples:
            content = one.content[first * width : samples * width]
            yield _Packet(at + first, samples - first, base, True, content)


def _lossless(
    container: OutputContainer,
    track: SoundTrack,
    header: dict[str, Any],
    scene_s: Fraction,
) -> tuple[Any, LaidTrack]:
    """The decoded samples: 16 bits stay 16, others become 24, deeper PCM float."""
    reader = _reader(track)
    codec, kind, bits = _storage(header, container.format.name)
    stream: Any = container.add_stream(
        codec, rate=reader.format.rate_hz, options=_flac_options(codec, bits)
    )
    context = stream.codec_context
    context.layout, context.format = reader.format.layout, kind
    return stream, _written(container, stream, reader, track, scene_s, "lossless", kind)


def _storage(header: dict[str, Any], container: str) -> tuple[str, str, int]:
    """(codec, sample format, bits) that hold the samples exactly."""
    bits = header["bits"]
    if bits > 24:
        return "pcm_f32le", "flt", 32
    deep = bits != 16
    flac = container == "mp4" and header["layout"] in _FLAC_LAYOUTS
    if flac:
        return ("flac", "s32", 24) if deep else ("flac", "s16", 16)
    return ("pcm_s24le", "s32", 24) if deep else ("pcm_s16le", "s16", 16)


def _flac_options(codec: str, bits: int) -> dict[str, str]:
    return {"bits_per_raw_sample": str(bits)} if codec == "flac" and bits == 24 else {}


def _encoded(
    container: OutputContainer,
    track: SoundTrack,
    header: dict[str, Any],
    scene_s: Fraction,
) -> tuple[Any, LaidTrack]:
    reader = _aac_ready(track)
    stream: Any = container.add_stream("aac", rate=reader.format.rate_hz)
    context = stream.codec_context
    context.layout = reader.format.layout
    context.bit_rate = AAC_BITS_S * max(2, reader.format.channels) // 2
    return stream, _written(container, stream, reader, track, scene_s, "encoded", "flt")


def _written(
    container: OutputContainer,
    stream: Any,
    reader: SoundReader,
    track: SoundTrack,
    scene_s: Fraction,
    how: How,
    kind: str,
) -> LaidTrack:
    """The reader's samples through the stream's encoder, as long as the scene."""
    rate, layout = reader.format.rate_hz, reader.format.layout
    stream.codec_context.flags |= Flags.bitexact
    stream.codec_context.time_base = Fraction(1, rate)
    samples = _exactly(reader, round(track.start_s * rate), round(scene_s * rate))

    def muxable() -> Iterator[av.Packet[Any]]:
        at = 0
        for block in samples:
            # Packed, for PyAV takes no more than seven planes of sound.
            packed = _of_kind(block, kind).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, format=kind, layout=layout)
            frame.sample_rate, frame.pts = rate, at
            frame.time_base = Fraction(1, rate)
            at += len(block)
            yield from stream.encode(frame)
        yield from stream.encode(None)

    return LaidTrack(how, track.language, container, muxable(), reader)


def _of_kind(block: Samples, kind: str) -> Any:
    """Float samples as FFmpeg's 'flt', 's16', or 's32' with 24 bits in its upper part.
    Both are exact for what came from so many bits."""
    if kind == "flt":
        return np.ascontiguousarray(block)
    if kind == "s16":
        return np.clip(np.rint(block * 32_768.0), -32_768, 32_767).astype(np.int16)
    whole = np.rint(block.astype(np.float64) * 8_388_608.0)
    return np.clip(whole, -8_388_608, 8_388_607).astype(np.int32) << 8


def _reader(track: SoundTrack, **wanted: Any) -> SoundReader:
    return SoundReader(
        track.path, number=track.number, origin_s=track.origin_s, **wanted
    )


def _aac_ready(track: SoundTrack) -> SoundReader:
    """The sound at its own rate and channels if AAC has them, else 48 kHz, stereo."""
    reader = _reader(track)
    found = reader.format
    rate = found.rate_hz if found.rate_hz in _AAC_RATES else _OTHER_RATE_HZ
    mix = "own" if found.layout in _AAC_LAYOUTS else "stereo"
    if rate == found.rate_hz and mix == "own":
        return reader
    reader.close()
    return _reader(track, mix=mix, rate_hz=rate)


def _exactly(reader: SoundReader, start: int, total: int) -> Iterator[Samples]:
    """Blocks of samples, `total` of them: `start` of silence, then the sound, the rest
    cut or silence added."""
    channels = reader.format.channels
    held = np.zeros((0, channels), np.float32)
    for piece in _after_silence(reader, start, total):
        held = np.concatenate([held, piece])
        whole = min(total, len(held) // _BLOCK * _BLOCK)
        for at in range(0, whole, _BLOCK):
            yield held[at : min(at + _BLOCK, whole)]
        total -= whole
        held = held[whole:]
        if total <= 0:
            return
    while total > 0:
        now = min(total, _BLOCK)
        block = np.zeros((now, channels), np.float32)
        block[: len(held[:now])] = held[:now]
        yield block
        held, total = held[:0], total - now


def _after_silence(reader: SoundReader, start: int, total: int) -> Iterator[Samples]:
    left = min(start, total)
    while left > 0:
        now = min(left, 1 << 16)
        yield np.zeros((now, reader.format.channels), np.float32)
        left -= now
    yield from reader
