"""Small clips and sounds, made on the spot. Every picture shows its own number."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from numpy.typing import NDArray

_BITS = 8


def make_clip(
    path: Path,
    *,
    size: tuple[int, int] = (64, 48),
    rate: Fraction | int = 25,
    frames: int = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    container: str | None = None,
    sound: str | None = None,
    sound_rate_hz: int = 48_000,
    sound_layout: str = "mono",
    pts: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    rotation: int = 0,
    aspect: Fraction | None = None,
    colour: dict[str, int] | None = None,
    timecode: str | None = None,
    cuts: Sequence[int] = (),
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode a clip whose frame i shows i as eight black and white bars.

    pts and time_base make the rate variable. sound: a codec; a 440 Hz tone as long as
    the picture. cuts: frames from which another background begins. Returns the path.
    """
    with av.open(
        str(path), "w", format=container, container_options=container_options or {}
    ) as out:
        video: Any = out.add_stream(codec, rate=Fraction(rate), options=options or {})
        context = video.codec_context
        context.width, context.height, context.pix_fmt = *size, pix_fmt
        base = time_base or 1 / Fraction(rate)
        context.time_base = video.time_base = base
        context.flags |= Flags.frame_duration
        if aspect:
            context.sample_aspect_ratio = aspect
        for name, value in (colour or {}).items():
            setattr(context, name, value)
        if timecode:
            out.metadata["timecode"] = timecode
        if rotation:
            video.set_display_rotation(rotation)
        stamps = list(pts) if pts is not None else list(range(frames))
        track = None
        if sound:
            track = out.add_stream(sound, rate=sound_rate_hz)
            track.codec_context.layout = sound_layout
        for i, stamp in enumerate(stamps):
            shade = 60 + 90 * (sum(i >= cut for cut in cuts) % 2)
            frame = _frame(picture(i, size, shade), pix_fmt)
            frame.pts, frame.time_base = stamp, base
            after = stamps[i + 1] if i + 1 < len(stamps) else 2 * stamp - stamps[i - 1]
            frame.duration = max(1, after - stamp)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if track is not None:
            length_s = float((2 * stamps[-1] - stamps[-2]) * base)
            _encode_tone(out, track, length_s, sound_rate_hz, sound_layout)
    return path


def make_film(
    path: Path,
    pictures: Sequence[NDArray[np.uint8]],
    sound: NDArray[np.float32] | None,
    *,
    rate: int = 25,
    sound_rate_hz: int = 16_000,
) -> Path:
    """Encode RGB pictures (H, W, 3), any sizes alike, with mono sound as it is."""
    height, width = pictures[0].shape[:2]
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=rate, options={"crf": "14"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        track = None
        if sound is not None:
            track = out.add_stream("pcm_s16le", rate=sound_rate_hz)
            track.codec_context.layout = "mono"
        for number, rgb in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
            frame.pts = number
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if track is not None and sound is not None:
            pcm = (np.clip(sound, -1, 1) * 32767).astype(np.int16)[None]
            heard = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
            heard.sample_rate, heard.pts = sound_rate_hz, 0
            out.mux(track.encode(heard))
            out.mux(track.encode(None))
    return path


def picture(number: int, size: tuple[int, int], shade: int = 60) -> NDArray[np.uint8]:
    """uint8 (H, W): the number as bars in the lower half, `shade` above."""
    width, height = size
    luma = np.full((height, width), shade, np.uint8)
    for bit in range(_BITS):
        left, right = bit * width // _BITS, (bit + 1) * width // _BITS
        luma[height // 2 :, left:right] = 220 if number >> bit & 1 else 30
    return luma


def _frame(luma: NDArray[np.uint8], pix_fmt: str) -> av.VideoFrame:
    """A colourless frame of any format; luma goes in as it is where there is any."""
    if pix_fmt == "gray":
        return av.VideoFrame.from_ndarray(luma, "gray")
    colourless = np.full_like(luma, 128)
    planar = av.VideoFrame.from_ndarray(
        np.stack([luma, colourless, colourless]), "yuv444p"
    )
    return planar if pix_fmt == "yuv444p" else planar.reformat(format=pix_fmt)


def number_shown(luma: NDArray[np.uint8]) -> int:
    """The number a decoded picture shows, modulo 256."""
    height, width = luma.shape
    row = luma[height * 3 // 4].astype(int)
    middles = [(2 * bit + 1) * width // (2 * _BITS) for bit in range(_BITS)]
    return sum((row[x] > 125) << bit for bit, x in enumerate(middles))


def make_sound(
    path: Path,
    *,
    seconds: float = 1.0,
    rate_hz: int = 48_000,
    layout: str = "mono",
    codec: str = "pcm_s16le",
    container: str | None = None,
    loud_channels: Sequence[int] | None = None,
    silent_after_s: float | None = None,
) -> Path:
    """Encode a 440 Hz tone at half scale; silence in other channels and later."""
    with av.open(str(path), "w", format=container) as out:
        track: Any = out.add_stream(codec, rate=rate_hz)
        track.codec_context.layout = layout
        _encode_tone(
            out, track, seconds, rate_hz, layout, loud_channels, silent_after_s
        )
    return path


def _encode_tone(
    out: Any,
    track: Any,
    seconds: float,
    rate_hz: int,
    layout: str,
    loud_channels: Sequence[int] | None = None,
    silent_after_s: float | None = None,
) -> None:
    channels = av.AudioLayout(layout).nb_channels
    times_s = np.arange(round(seconds * rate_hz)) / rate_hz
    tone = (0.5 * np.sin(2 * np.pi * 440 * times_s)).astype(np.float32)
    if silent_after_s is not None:
        tone[times_s >= silent_after_s] = 0
    sound = np.zeros((channels, len(tone)), np.float32)
    sound[list(loud_channels) if loud_channels is not None else slice(None)] = tone
    for at in range(0, len(tone), 1_024):
        block = np.ascontiguousarray(sound[:, at : at + 1_024].T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format="flt", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, at
        frame.time_base = Fraction(1, rate_hz)
        out.mux(track.encode(frame))
    out.mux(track.encode(None))
