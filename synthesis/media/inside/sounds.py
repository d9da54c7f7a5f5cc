"""Decoded samples, or packets as they are, of one untrusted sound stream."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from synthesis.errors import MediaRefused
from synthesis.media.inside.opening import (
    check_decoder,
    layout_name,
    open_media,
    zero_s,
)
from synthesis.media.inside.pictures import decode, readable
from synthesis.media.wire import PACKET_HEADER, Outbox

Samples = NDArray[np.float32]

_GAP_S = 0.02
"""Smaller jumps of the time stamps are rounding, not gaps."""
_CENTRE, _SIDE = 1.0, 0.25
"""Where there is a centre channel it carries the dialogue; the rest is 12 dB down."""


def send_sound(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Send {"rate_hz", "channels", "layout"}, then float32 (n, channels) messages.

    mix: "own" keeps the channels, "stereo" and "dialogue" (mono) reduce them, the name
    of another layout spreads them over its channels.
    Sample 0 is the time origin_s of the file, or its own zero for None; silence
    fills what is missing.
    """
    container, stream = _open(source, arguments)
    rate = stream.codec_context.sample_rate
    layout = av.AudioLayout(layout_name(stream))
    mix, out_rate = arguments["mix"], arguments["rate_hz"] or rate
    own = mix == "own" or (mix == "stereo" and layout.nb_channels <= 2)
    out_layout = layout.name if own else {"dialogue": "mono"}.get(mix, mix)
    channels = av.AudioLayout(out_layout).nb_channels
    outbox.json({"rate_hz": out_rate, "channels": channels, "layout": out_layout})
    origin_s = arguments["origin_s"]
    zero = zero_s(container) if origin_s is None else Fraction(origin_s)
    samples = _on_the_clock(container, stream, zero, arguments["most_s"])
    if mix == "dialogue":
        weights = dialogue_weights([channel.name for channel in layout.channels])
        samples = (piece @ weights[:, None] for piece in samples)
        layout = av.AudioLayout("mono")
    for piece in _resampled(samples, layout, rate, out_layout, out_rate):
        outbox.raw(np.ascontiguousarray(piece, np.float32).data)


def send_packets(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Send what a muxer needs to know of the codec, then every packet unopened, the
    stamps counted from the time origin_s of the file, or its own zero for None."""
    container, stream = _open(source, arguments)
    context, base = stream.codec_context, stream.time_base
    pcm = context.codec.canonical_name.startswith("pcm_")
    bits = _bits(context)
    outbox.json(
        {
            "codec": context.codec.canonical_name,
            "profile": context.profile or "",
            "rate_hz": context.sample_rate,
            "layout": layout_name(stream),
            "sample_format": context.format.name,
            "bits": bits,
            "sample_bytes": bits // 8 * context.layout.nb_channels if pcm else 0,
            "extradata": base64.b64encode(context.extradata or b"").decode(),
            "time_base": str(base),
        }
    )
    origin_s = arguments["origin_s"]
    zero = round((zero_s(container) if origin_s is None else Fraction(origin_s)) / base)
    for packet in readable(container.demux(stream)):
        if not packet.size:
            continue
        if packet.pts is None:
            raise MediaRefused("sound-unstamped", "The sound carries no time stamps.")
        pts = packet.pts - zero
        header = PACKET_HEADER.pack(pts, pts, packet.duration or 0, packet.is_keyframe)
        outbox.raw(header, bytes(packet))


_DEPTH = re.compile(r"pcm_[suf](\d+)")
_LOSSLESS = ("flac", "alac")


def _bits(context: Any) -> int:
    """Bits of a sample that a copy has to keep; 24 of codecs that lose some anyway."""
    name = context.codec.canonical_name
    if found := _DEPTH.match(name):
        return int(found[1])
    if name.startswith("pcm_") or (
        name in _LOSSLESS and context.format.name.startswith("s16")
    ):
        return 16  # A-law and such decode to 16
    return 24


def dialogue_weights(names: list[str]) -> NDArray[np.float32]:
    """Weight of each channel in the mono dialogue; they add up to 1 or less.

    The LFE is left out. Without a centre all channels count alike.
    """
    centre = "FC" in names and len(names) > 1
    loud = [0.0 if n == "LFE" else 1.0 if not centre else _SIDE for n in names]
    if centre:
        loud[names.index("FC")] = _CENTRE
        return np.asarray(loud, np.float32)
    return np.asarray(loud, np.float32) / max(1.0, sum(loud))


def _open(source: BinaryIO, arguments: dict[str, Any]) -> tuple[Any, Any]:
    container = open_media(source, arguments)
    if arguments["number"] >= len(container.streams.audio):
        raise MediaRefused("no-sound", "There is no such sound stream in this file.")
    stream = container.streams.audio[arguments["number"]]
    check_decoder(stream)
    return container, stream


def _on_the_clock(
    container: Any, stream: Any, origin_s: Fraction, most_s: float
) -> Iterator[Samples]:
    """Samples (n, channels) without gap or overlap, the first at time origin_s."""
    context = stream.codec_context
    rate, channels = context.sample_rate, context.layout.nb_channels
    to_float = av.AudioResampler(format="flt", layout=context.layout.name, rate=rate)
    at, slack = None, 0  # number of the next sample; those below 0 are not sent
    for packet in readable(container.demux(stream)):
        for frame in decode(packet):
            _check_format(frame, rate, channels)
            start = at or 0
            if frame.pts is not None:
                start = round((frame.pts * stream.time_base - origin_s) * rate)
            if start > most_s * rate:
                raise MediaRefused(
                    "too-long", f"The sound is longer than {most_s / 60:.0f} minutes."
                )
            # The first stamp sets the clock to the sample; later ones if they jump.
            at = min(start, 0) if at is None else at
            jump = start - at if abs(start - at) > slack else 0
            slack = int(_GAP_S * rate)
            if jump > 0:
                yield from _silence(at + jump - max(0, at), channels)
                at += jump
            for part in to_float.resample(frame):
                piece = _interleaved(part, channels)[max(0, -jump) :]
                unheard = max(0, -at)
                at += len(piece)
                if len(piece) > unheard:
                    yield piece[unheard:]


def _check_format(frame: Any, rate: int, channels: int) -> None:
    if (frame.sample_rate, frame.layout.nb_channels) != (rate, channels):
        raise MediaRefused(
            "sound-changes",
            "The sound changes its sample rate or channels in the middle. Export it "
            "with one format throughout.",
        )


def _interleaved(frame: Any, channels: int) -> Samples:
    """An AudioFrame of packed floats as (n, channels)."""
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1, channels)


def _silence(samples: int, channels: int) -> Iterator[Samples]:
    while samples > 0:
        now = min(samples, 1 << 16)
        yield np.zeros((now, channels), np.float32)
        samples -= now


def _resampled(
    pieces: Iterator[Samples], layout: Any, rate: int, out_layout: str, out_rate: int
) -> Iterator[Samples]:
    if layout.name == out_layout and rate == out_rate:
        yield from pieces
        return
    channels = av.AudioLayout(out_layout).nb_channels
    resampler = av.AudioResampler(format="flt", layout=out_layout, rate=out_rate)
    at = 0
    for piece in pieces:
        flat = np.ascontiguousarray(piece, np.float32).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(flat, format="flt", layout=layout.name)
        frame.sample_rate, frame.pts = rate, at
        frame.time_base = Fraction(1, rate)
        at += len(piece)
        for part in resampler.resample(frame):
            yield _interleaved(part, channels)
    for part in resampler.resample(None):
        yield _interleaved(part, channels)
