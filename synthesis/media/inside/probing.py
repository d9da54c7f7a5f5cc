"""Measure untrusted media: every packet demuxed, every picture decoded once."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, BinaryIO

from av.container import InputContainer
from av.stream import Disposition

from synthesis.errors import MediaRefused
from synthesis.media.inside.boxes import check_boxes
from synthesis.media.inside.lighting import light_of
from synthesis.media.inside.opening import (
    check_decoder,
    layout_name,
    open_media,
    picture_stream,
    zero_s,
)
from synthesis.media.inside.pictures import Stamper, decode, readable, set_up
from synthesis.media.inside.subtitles import TEXTS, subtitle_codec
from synthesis.media.limits import Limits
from synthesis.media.rates import frame_rate, pack_rising
from synthesis.media.wire import Outbox

_REPORT_FRAMES = 25
_REPORT_SAMPLES = 1 << 20
_SHORT_S = Fraction(1, 2)
# One packet may hold several pictures, or one that is never shown.
_UNEVEN_CODECS = {"vp8", "libvpx"}


@dataclass
class _Count:
    """What one pass over a file adds up to; stamps in the picture's time base."""

    shown: dict[int, int] = field(default_factory=dict)
    """pts -> duration of every picture that decoded."""
    expected: dict[int, int] = field(default_factory=dict)
    """pts -> duration of every packet that should become a picture."""
    keys: set[int] = field(default_factory=set)
    stamper: Stamper = field(default_factory=Stamper)
    unstamped: bool = False
    interlaced: bool = False
    first: Any = None
    sounds: dict[int, list[Fraction]] = field(default_factory=dict)
    reached_s: Fraction = Fraction(0)

    @property
    def trustworthy(self) -> bool:
        """Whether every packet and picture carries a stamp of its own."""
        return not (self.unstamped or self.stamper.guessed)


def probe(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Send {"frames": n} now and then, and the fields of Probe at the end."""
    limits = Limits(**arguments["limits"])
    cut = arguments["demuxer"] == "mov" and check_boxes(source)
    source.seek(0)
    container = open_media(source, arguments)
    stream = picture_stream(container)
    if stream is None:
        raise _no_picture(container)
    check_decoder(stream)
    _check_picture(stream, container, limits)
    set_up(stream)
    count = _count(container, stream, limits, outbox)
    pts = _settle(count, stream)
    _check_whole(count, pts, stream, container, cut)
    outbox.json(_fields(count, pts, stream, container, limits, arguments))


def probe_sounds(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Send {"samples": n} now and then, and {"sounds": fields of SoundStream} at the
    end. Only the first stream is decoded."""
    limits = Limits(**arguments["limits"])
    if arguments["demuxer"] == "mov":
        check_boxes(source)
    source.seek(0)
    container = open_media(source, arguments)
    if not container.streams.audio:
        raise MediaRefused(
            "no-sound",
            "There is no sound in this file. Upload the dub as WAV, AIFF, FLAC, MP3, "
            "AAC, M4A or Ogg.",
        )
    stream = container.streams.audio[0]
    check_decoder(stream)
    _check_sound(stream, limits)
    rate = stream.codec_context.sample_rate
    first, samples = None, 0
    for packet in readable(container.demux(stream)):
        for frame in decode(packet):
            if first is None:
                first = Fraction(frame.pts or 0) * (stream.time_base or 0)
            samples += frame.samples
            if (
                samples // _REPORT_SAMPLES
                > (samples - frame.samples) // _REPORT_SAMPLES
            ):
                outbox.json({"samples": samples})  # a sign of life
            if samples > limits.duration_s * rate:
                raise _too_long(limits)
    if not samples:
        raise MediaRefused(
            "media-damaged", "The sound in this file is empty or cannot be decoded."
        )
    start_s = max(Fraction(0), (first or 0) - zero_s(container))
    others = container.streams.audio[1 : limits.sound_streams]
    for other in others:
        check_decoder(other)
        _check_sound(other, limits)
    length_s = Fraction(samples, rate)
    sounds = [_sound_fields(0, stream, start_s, length_s)]
    sounds += [
        _sound_fields(number, other, start_s, length_s)
        for number, other in enumerate(others, start=1)
    ]
    outbox.json({"sounds": sounds})


def _count(
    container: InputContainer, stream: Any, limits: Limits, outbox: Outbox
) -> _Count:
    count = _Count()
    sounds = container.streams.audio[: limits.sound_streams]
    wanted = [stream, *sounds, *container.streams.subtitles]
    for packet in readable(container.demux(wanted)):
        if packet.stream is not stream:
            _count_beside(count, packet)
            continue
        if packet.size:
            _count_packet(count, packet)
        for frame in decode(packet):  # the empty packet at the end flushes
            _count_frame(count, frame, stream.time_base, limits)
            if len(count.shown) % _REPORT_FRAMES == 0:
                outbox.json({"frames": len(count.shown)})
    return count


def _count_packet(count: _Count, packet: Any) -> None:
    if packet.pts is None:
        count.unstamped = True
        return
    if packet.is_discard:
        return
    count.expected[packet.pts] = packet.duration or 0
    if packet.is_keyframe:
        count.keys.add(packet.pts)
    end = (packet.pts + (packet.duration or 0)) * packet.time_base
    count.reached_s = max(count.reached_s, end)


def _count_frame(
    count: _Count, frame: Any, time_base: Fraction, limits: Limits
) -> None:
    if count.first is None:
        count.first = frame
    elif (frame.width, frame.height) != (count.first.width, count.first.height):
        raise MediaRefused(
            "size-changes",
            f"The picture changes its size at frame {len(count.shown)}, from "
            f"{count.first.width}x{count.first.height} to {frame.width}x"
            f"{frame.height}. Export it with one size throughout.",
        )
    pts = count.stamper.stamp(frame)
    count.shown[pts] = frame.duration or count.expected.get(pts, 0)
    count.interlaced = count.interlaced or frame.interlaced_frame
    if len(count.shown) > limits.frames:
        raise _too_long(limits)
    if (pts - next(iter(count.shown))) * time_base > limits.duration_s:
        raise _too_long(limits)


def _count_beside(count: _Count, packet: Any) -> None:
    """Sound, or subtitles, which may go on when the pictures have ended."""
    if packet.pts is None:
        return
    start = packet.pts * packet.time_base
    end = start + (packet.duration or 0) * packet.time_base
    count.reached_s = max(count.reached_s, end)
    if packet.stream.type != "audio":
        return
    span = count.sounds.setdefault(packet.stream.index, [start, end])
    span[0], span[1] = min(span[0], start), max(span[1], end)


def _settle(count: _Count, stream: Any) -> list[int]:
    """The stamps of all frames, those that could not be decoded included."""
    if not count.shown:
        raise MediaRefused(
            "media-damaged",
            "Not one picture of this file can be decoded: it is damaged, or protected. "
            "Export it again, for instance as H.264 in MP4.",
        )
    uneven = stream.codec_context.codec.name in _UNEVEN_CODECS
    if not count.trustworthy or uneven or not set(count.shown) <= set(count.expected):
        return sorted(count.shown)
    return sorted(count.expected)


def _check_whole(
    count: _Count, pts: list[int], stream: Any, container: InputContainer, cut: bool
) -> None:
    """Raise MediaRefused if the file ends before the pictures it promises."""
    base = stream.time_base
    promised = max(len(stream.index_entries), 0) if cut else 0
    declared = Fraction(container.duration or 0, 1_000_000)
    short_s = declared - count.reached_s  # Matroska's duration counts from its zero
    ends_early = len(pts) < promised or (
        container.format.name.startswith("matroska") and short_s > _SHORT_S
    )
    if not ends_early:
        return
    good = [stamp for stamp in pts if stamp in count.shown]
    at_s = float((good[-1] - pts[0] + count.shown[good[-1]]) * base)
    raise MediaRefused(
        "media-truncated",
        f"The file breaks off: its pictures end after {at_s:.2f} s of "
        f"{float(declared):.2f} s. The copy was cut short; upload it again.",
    )


def _check_picture(stream: Any, container: InputContainer, limits: Limits) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width < 1 or height < 1:
        raise MediaRefused(
            "media-damaged",
            "The file does not say how large its picture is: it is damaged or "
            "incomplete. Export it again.",
        )
    if max(width, height) > limits.side_px or width * height > limits.picture_px:
        raise MediaRefused(
            "picture-too-large",
            f"The picture has {width}x{height} pixels; at most {limits.side_px} on a "
            f"side and {limits.picture_px / 1e6:.1f} million in all are taken.",
        )
    if (container.duration or 0) / 1e6 > limits.duration_s:
        raise _too_long(limits)
    if len(container.streams.audio) > limits.sound_streams:
        raise MediaRefused(
            "too-many-sounds",
            f"The file has {len(container.streams.audio)} sound streams; at most "
            f"{limits.sound_streams} are taken.",
        )


def _check_sound(stream: Any, limits: Limits) -> None:
    context = stream.codec_context
    channels, rate = context.channels, context.sample_rate
    if (
        not 1 <= channels <= limits.sound_channels
        or not 1 <= rate <= limits.sound_rate_hz
    ):
        raise MediaRefused(
            "sound-too-large",
            f"The sound has {channels} channels at {rate} Hz; at most "
            f"{limits.sound_channels} channels at {limits.sound_rate_hz} Hz are taken.",
        )


def _fields(
    count: _Count,
    pts: list[int],
    stream: Any,
    container: InputContainer,
    limits: Limits,
    arguments: dict[str, Any],
) -> dict[str, Any]:
    frame, base, start = count.first, stream.time_base, pts[0]
    broken = [i for i, stamp in enumerate(pts) if stamp not in count.shown]
    if len(broken) > limits.broken_share * len(pts):
        raise MediaRefused(
            "too-broken",
            f"{len(broken)} of {len(pts)} pictures cannot be decoded: the file is "
            "damaged. Export or copy it again.",
        )
    declared = stream.guessed_rate or stream.average_rate
    rate, variable = frame_rate([p - start for p in pts], base, declared)
    end = _end(count, pts, variable, 1 / (rate * base))
    turned = -frame.rotation % 360 // 90 * 90
    aspect = stream.sample_aspect_ratio or Fraction(1)
    if turned in (90, 270):
        aspect = 1 / aspect
        frame_size = (frame.height, frame.width)
    else:
        frame_size = (frame.width, frame.height)
    return {
        "demuxer": arguments["demuxer"],
        "codec": stream.codec_context.codec.canonical_name,
        "pix_fmt": frame.format.name,
        "bits": max(part.bits for part in frame.format.components),
        "width": frame_size[0],
        "height": frame_size[1],
        "rotation": turned,
        "sample_aspect": str(aspect),
        "rate": str(rate),
        "variable_rate": variable,
        "interlaced": count.interlaced,
        "time_base": str(base),
        "start_pts": start,
        "end_pts": end,
        "colour": _colour(frame),
        "light": light_of(frame),
        "timecode": _timecode(container, stream),
        "sounds": _sounds(count, container, limits, start * base),
        "subtitles": _subtitles(container),
        "broken": broken,
        "pts": pack_rising(tuple(p - start for p in pts)),
        # Without trustworthy stamps on packets the reader starts at the beginning.
        "keyframes": pack_rising(
            _key_indexes(count.keys, pts) if count.trustworthy else ()
        ),
    }


def _end(count: _Count, pts: list[int], variable: bool, step: Fraction) -> int:
    """Where the last picture ends; containers round its duration, a rate does not."""
    if not variable:
        return max(pts[-1] - pts[0] + 1, round(len(pts) * step))
    last = count.shown.get(pts[-1]) or count.expected.get(pts[-1]) or round(step)
    return pts[-1] - pts[0] + max(1, last)


def _key_indexes(keys: set[int], pts: list[int]) -> tuple[int, ...]:
    return tuple(i for i, stamp in enumerate(pts) if stamp in keys)


def _colour(frame: Any) -> dict[str, int]:
    full = frame.format.name.startswith("yuvj")
    return {
        "matrix": int(frame.colorspace),
        "range": 2 if full else int(frame.color_range),
        "primaries": int(frame.color_primaries),
        "transfer": int(frame.color_trc),
    }


def _timecode(container: InputContainer, stream: Any) -> str:
    for metadata in (
        stream.metadata,
        container.metadata,
        *(data.metadata for data in container.streams.data),
    ):
        if "timecode" in metadata:
            return str(metadata["timecode"])[:16]
    return ""


def _sounds(
    count: _Count, container: InputContainer, limits: Limits, origin_s: Fraction
) -> list[dict[str, Any]]:
    sounds = []
    for number, stream in enumerate(container.streams.audio):
        if stream.index not in count.sounds:
            continue
        check_decoder(stream)
        _check_sound(stream, limits)
        start, end = count.sounds[stream.index]
        # Before the file's own zero lies the codec's start-up, which is never heard.
        start = max(start, Fraction(0))
        sounds.append(_sound_fields(number, stream, start - origin_s, end - start))
    return sounds


def _sound_fields(
    number: int, stream: Any, start_s: Fraction, duration_s: Fraction
) -> dict[str, Any]:
    context = stream.codec_context
    return {
        "number": number,
        "codec": context.codec.canonical_name,
        "rate_hz": context.sample_rate,
        "channels": context.channels,
        "layout": layout_name(stream),
        "start_s": str(start_s),
        "duration_s": str(duration_s),
    } | _named(stream)


def _subtitles(container: InputContainer) -> list[dict[str, Any]]:
    return [
        {
            "number": number,
            "codec": subtitle_codec(stream),
            "is_text": subtitle_codec(stream) in TEXTS,
            "shown": bool(stream.disposition & Disposition.default),
        }
        | _named(stream)
        for number, stream in enumerate(container.streams.subtitles)
    ]


def _named(stream: Any) -> dict[str, str]:
    """What a stream says of itself, cut to a length that pages can show."""
    found = stream.metadata
    title = str(found.get("title") or found.get("name") or "")
    return {
        "language": str(found.get("language", ""))[:8],
        "title": "".join(c for c in title if c.isprintable())[:80],
    }


def _too_long(limits: Limits) -> MediaRefused:
    return MediaRefused(
        "too-long",
        f"The file is longer than {limits.duration_s / 60:.0f} minutes or "
        f"{limits.frames} frames. Split it into scenes.",
    )


def _no_picture(container: InputContainer) -> MediaRefused:
    if container.streams.audio:
        return MediaRefused(
            "sound-only",
            "There is sound in this file but no moving picture. Upload it as a dub, "
            "or choose the scene's video.",
        )
    return MediaRefused(
        "no-picture", "There is neither moving picture nor sound in this file."
    )
