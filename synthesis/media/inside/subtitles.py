"""The texts of one untrusted subtitle stream, as 3GPP timed text (TS 26.245)."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO

from synthesis.errors import MediaRefused
from synthesis.media.inside.opening import open_media
from synthesis.media.inside.pictures import readable
from synthesis.media.wire import PACKET_HEADER, Outbox

TEXTS = frozenset({"mov_text", "subrip", "text", "webvtt", "ass", "ssa"})
"""Codecs whose packets are words. What the letters look like is kept of mov_text only.
"""

_CLOCK = Fraction(1, 1_000_000)
"""FFmpeg's muxer compares where a text ends with the stamps of other tracks as if all
counted alike, and cuts in with texts of no length: not where ours counts the finest."""
_MOST_CHARACTERS = 8_000
_ASS_FIELDS = 8
_TAG = re.compile(r"<[^>]{0,80}>|\{[^}]{0,200}\}")


@dataclass(frozen=True)
class _Text:
    start: int
    end: int
    sample: bytes


def send_texts(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Send {"time_base", "extradata"}, then samples that follow each other without gap
    or overlap: an empty one stands wherever nothing is shown."""
    container = open_media(source, arguments)
    streams = container.streams.subtitles
    if arguments["number"] >= len(streams):
        raise MediaRefused("no-subtitles", "There is no such subtitle stream here.")
    stream: Any = streams[arguments["number"]]
    codec = subtitle_codec(stream)
    if codec not in TEXTS:
        raise MediaRefused("subtitles-no-text", "These subtitles are not text.")
    own = codec == "mov_text"
    extradata = (stream.codec_context.extradata or b"") if own else b""
    outbox.json(
        {"time_base": str(_CLOCK), "extradata": base64.b64encode(extradata).decode()}
    )
    origin = round(Fraction(arguments["origin_s"]) / _CLOCK)
    end = round(Fraction(arguments["end_s"]) / _CLOCK)
    texts = _texts(container, stream, codec)
    for text in _without_gaps(texts, origin, end):
        header = PACKET_HEADER.pack(text.start, text.start, text.end - text.start, True)
        outbox.raw(header, text.sample)


def subtitle_codec(stream: Any) -> str:
    """FFmpeg's name of a subtitle stream's codec; '' where there is no decoder."""
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else ""


def _texts(container: Any, stream: Any, codec: str) -> Iterator[_Text]:
    for packet in readable(container.demux(stream)):
        if packet.pts is None or not packet.size:
            continue
        scale = packet.time_base / _CLOCK
        start = round(packet.pts * scale)
        end = start + round((packet.duration or 0) * scale)
        content = bytes(packet)
        sample = content if codec == "mov_text" else _sample(content, codec)
        yield _Text(start, end, sample)


def _without_gaps(texts: Iterator[_Text], origin: int, end: int) -> Iterator[_Text]:
    """Texts on the scene's clock from 0 to its end, each shown until the next."""
    empty = struct.pack(">H", 0)
    at, held = 0, None
    for text in texts:
        start = max(0, text.start - origin)
        if start >= end:
            break
        if held is not None:
            shown = min(held.end, start)
            if shown > held.start:
                yield _Text(held.start, shown, held.sample)
                at = shown
        if start > at:
            yield _Text(at, start, empty)
        at = max(at, start)
        held = _Text(at, max(at, min(end, text.end - origin)), text.sample)
    if held is not None and held.end > held.start:
        yield held
        at = held.end
    if at < end:
        yield _Text(at, end, empty)


def _sample(content: bytes, codec: str) -> bytes:
    """The words of a packet: their length in two bytes, and UTF-8."""
    words = content.decode("utf-8", "replace").replace("\r\n", "\n")
    if codec in ("ass", "ssa"):
        words = words.split(",", _ASS_FIELDS)[-1]
        words = words.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    words = _TAG.sub("", words).strip("\n\0")[:_MOST_CHARACTERS]
    encoded = words.encode("utf-8")
    return struct.pack(">H", len(encoded)) + encoded
