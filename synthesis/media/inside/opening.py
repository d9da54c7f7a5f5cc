"""Open untrusted media with a forced demuxer, and find its picture and sound."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, BinaryIO

import av

# PyAV imports these when it first meets such a stream; by then no file can be opened.
import av.audio.codeccontext
import av.audio.resampler
import av.audio.stream
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.codeccontext
import av.video.reformatter
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from synthesis.errors import MediaRefused

_VIDEO_DECODERS = (
    "h264", "hevc", "prores", "dnxhd", "mpeg4", "mpeg2video", "mpeg1video",
    "mjpeg", "vp8", "libvpx", "vp9", "libvpx-vp9", "av1", "libdav1d", "ffv1",
    "rawvideo", "v210", "cfhd", "utvideo", "qtrle", "png", "jpeg2000",
    "huffyuv", "ffvhuff", "dvvideo",
)  # fmt: skip
_SOUND_DECODERS = (
    "aac", "mp3", "mp3float", "mp2", "mp2float", "ac3", "eac3", "flac", "alac",
    "vorbis", "libvorbis", "opus", "libopus",
)  # fmt: skip
_PCM = re.compile(r"pcm_[a-z0-9_]+")
_MOST_STREAMS = 64


def open_media(source: BinaryIO, arguments: dict[str, Any]) -> InputContainer:
    """Open with the demuxer the content called for. Raises MediaRefused.

    No protocol, other container or decoder can be reached from inside the file.
    """
    demuxer = arguments["demuxer"]
    decoders = [*_VIDEO_DECODERS, *_SOUND_DECODERS]
    try:
        container = av.open(
            source,
            mode="r",
            format=demuxer,
            container_options={
                "protocol_whitelist": "none",
                "format_whitelist": f"{demuxer},mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
                "codec_whitelist": ",".join(decoders + _pcm_decoders()),
                "max_streams": str(_MOST_STREAMS),
            },
            metadata_errors="replace",
            buffer_size=1 << 18,
        )
    except av.FFmpegError as error:
        raise MediaRefused(
            "media-damaged",
            "The file begins like a media file but cannot be opened: it is damaged or "
            "incomplete. Export or copy it again.",
        ) from error
    return container


def picture_stream(container: InputContainer) -> VideoStream | None:
    """The first moving picture; cover art of a sound file is none."""
    for stream in container.streams.video:
        still = Disposition.attached_pic | Disposition.timed_thumbnails
        if not stream.disposition & still:
            return stream
    return None


def check_decoder(stream: Any) -> None:
    """Raise MediaRefused unless the stream's decoder is one we mean to run."""
    context = stream.codec_context
    name = context.codec.name if context is not None else "unknown"
    known = name in (*_VIDEO_DECODERS, *_SOUND_DECODERS) or _PCM.fullmatch(name)
    if not known:
        raise MediaRefused(
            "codec-unknown",
            f"The {stream.type} is coded as “{name}”, which is not accepted. Export "
            "it as H.264, HEVC, ProRes, DNxHD, VP9 or AV1, with AAC or PCM sound.",
        )


def zero_s(container: InputContainer) -> Fraction:
    """The file's own zero: an MP3 begins its stamps after the codec's start-up."""
    return Fraction(max(0, container.start_time or 0), 1_000_000)


def layout_name(stream: Any) -> str:
    """The channel layout; the usual one for the count where the file names none."""
    layout = stream.codec_context.layout
    usual = {1: "mono", 2: "stereo", 4: "quad", 5: "5.0", 6: "5.1", 8: "7.1"}
    unnamed = layout.name.endswith(" channels")
    return str(usual.get(layout.nb_channels, layout.name) if unnamed else layout.name)


def _pcm_decoders() -> list[str]:
    return sorted(name for name in av.codecs_available if _PCM.fullmatch(name))
