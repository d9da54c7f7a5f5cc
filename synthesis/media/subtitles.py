"""Text subtitles carried over into an MP4 or MOV: 3GPP timed text (TS 26.245)."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.container import OutputContainer

from synthesis.media.sandbox import Child
from synthesis.media.soundtrack import LaidTrack, name_track
from synthesis.media.wire import PACKET_HEADER

_MOST_TEXT_BYTES = 1 << 16
_HEADER = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, \
BackColour, Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, \
BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Sans,18,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@dataclass(frozen=True)
class SubtitleTrack:
    """One text subtitle stream of a scene. origin_s as of a SoundTrack."""

    path: str | os.PathLike[str]
    number: int
    origin_s: Fraction
    language: str = ""
    title: str = ""
    first: bool = False
    """Whether it was shown of itself in the scene."""


def lay_subtitles(
    container: OutputContainer, track: SubtitleTrack, scene_s: Fraction
) -> LaidTrack:
    """Add a subtitle track to an output of that length. Raises MediaRefused."""
    arguments = {
        "number": track.number,
        "origin_s": str(track.origin_s),
        "end_s": str(scene_s),
    }
    child = Child("synthesis.media.inside.subtitles:send_texts", track.path, arguments)
    try:
        header = child.json()
        base = Fraction(header["time_base"])
        stream = _stream(container, base, base64.b64decode(header["extradata"]))
    except BaseException:
        child.close()
        raise
    stream.time_base = base
    name_track(stream, track.language, track.title, first=track.first)

    def muxable() -> Iterator[av.Packet[Any]]:
        while (length := child.next_bytes(_MOST_TEXT_BYTES)) is not None:
            message = child.take(length)
            pts, _, duration, _ = PACKET_HEADER.unpack_from(message)
            packet: av.Packet[Any] = av.Packet(message[PACKET_HEADER.size :])
            packet.stream, packet.time_base = stream, base
            packet.pts = packet.dts = pts
            packet.duration, packet.is_keyframe = duration, True
            yield packet

    return LaidTrack("subtitles", track.language, container, muxable(), child)


def _stream(container: OutputContainer, base: Fraction, extradata: bytes) -> Any:
    stream: Any = container.add_stream("mov_text")
    context = stream.codec_context
    context.subtitle_header = _HEADER
    context.time_base = base
    context.codec_tag = "tx3g"
    # The encoder stands for the codec while the header is written; it makes the
    # sample description where the scene brings none.
    context.open()
    if extradata:
        context.extradata = extradata
    return stream
