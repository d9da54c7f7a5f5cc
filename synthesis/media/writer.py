"""One MP4 or MOV, written once: the scene's own time stamps, the sound as it came.

Plain arrays and packets come in; nothing untrusted is parsed here. The file gets its
name only when it is whole.
"""

from __future__ import annotations

import os
from contextlib import suppress
from fractions import Fraction
from types import TracebackType
from typing import Any, Self

import av
from av.codec.context import Flags
from av.container import OutputContainer
from av.video.stream import VideoStream

from synthesis.errors import OutputFailed
from synthesis.media.aside import aside_path, disk_failed, put_in_place
from synthesis.media.formats import Encoding, Format, encoding_of
from synthesis.media.frames import Planes
from synthesis.media.probe import Probe
from synthesis.media.quicktime import languages_write
from synthesis.media.soundtrack import LaidTrack, SoundTrack, lay_sound
from synthesis.media.subtitles import SubtitleTrack, lay_subtitles

_THREADS = 2
_LEAD_S = Fraction(1, 2)
"""Sound is muxed this far ahead of the picture: players need both close together."""
_MOST_HELD_US = 1_000_000
_BT2020 = 9
_CLV_AT, _CLV_MASK, _CLV_BT2020 = 0x2C, 3 << 1, 1 << 1


class Writer:
    """Write the frames of a scene, one by one, with the scene's exact times.

    A context manager: leaving it normally completes the file and gives it its name;
    leaving it by an exception, or with frames missing, leaves nothing behind.

    path: where the file shall be. like: the scene; its time base, stamps, colour,
    aspect and time code are kept. encoding: how, by default as a final H.264 in MP4.
    size: (width, height) if other than the scene's. gop_frames: longest distance of
    key frames.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        like: Probe,
        encoding: Encoding | None = None,
        size: tuple[int, int] | None = None,
        gop_frames: int | None = None,
    ) -> None:
        self._path, self._like = path, like
        self._encoding = encoding or encoding_of(Format.H264, like)
        self._colour = self._encoding.colour(like)
        self._part = aside_path(path)
        self._size = size or (like.width, like.height)
        self._next = 0
        self._tracks: list[LaidTrack] = []
        self._container: OutputContainer = av.open(
            str(self._part),
            mode="w",
            format=self._encoding.container,
            container_options={
                "movflags": "+faststart",
                # No dates and no library versions; the same in, the same out.
                "fflags": "+bitexact",
                # A track that ends early must not make the muxer hold pictures back.
                "max_interleave_delta": str(_MOST_HELD_US),
            },
        )
        if like.timecode:
            self._container.metadata["timecode"] = like.timecode
        self._video = self._add_video(gop_frames or _usual_gop(like))

    def add_sound(self, track: SoundTrack, *, aac: bool = False) -> str:
        """Lay a sound track under the picture; call before the first `write`.

        Its packets are copied as they are where the container takes the codec; else
        the decoded samples are kept without loss, as FLAC in MP4 and PCM in MOV. aac:
        encode what is not AAC already. What runs over the scene's end is cut.
        Returns 'copied', 'lossless' or 'encoded'. Raises MediaRefused.
        """
        self._still_empty()
        laid = lay_sound(
            self._container, track, self._like.duration, aac=aac, first=self._silent
        )
        self._tracks.append(laid)
        return laid.how

    def add_subtitles(self, track: SubtitleTrack) -> None:
        """Lay a text subtitle track into the file; call before the first `write`.
        Raises MediaRefused."""
        self._still_empty()
        self._tracks.append(lay_subtitles(self._container, track, self._like.duration))

    @property
    def _silent(self) -> bool:
        return not any(track.how != "subtitles" for track in self._tracks)

    def _still_empty(self) -> None:
        if self._next:
            raise ValueError("tracks come before the first frame")

    def write(self, planes: Planes) -> None:
        """Encode the next frame; frames come in order, all of them.

        Raises OutputFailed, ValueError for a frame out of turn.
        """
        if planes.index != self._next:
            raise ValueError(f"frame {planes.index} instead of {self._next}")
        frame = planes.video_frame()
        frame.pts = self._like.pts[planes.index]
        frame.duration = self._like.duration_pts(planes.index)
        frame.time_base = self._like.time_base
        self._tag(frame)
        self._next += 1
        self._mux(self._video.encode(frame))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._complete()
        finally:
            self._discard()

    def _complete(self) -> None:
        if self._next != self._like.frame_count:
            raise OutputFailed(
                "frames-missing",
                f"Only {self._next} of {self._like.frame_count} frames were rendered; "
                "the file was not kept. Start the render again.",
            )
        self._mux(self._video.encode(None))
        try:
            for track in self._tracks:
                track.feed(None)
            self._container.close()
            if self._encoding.container == "mov":
                named = [track.language for track in self._tracks]
                languages_write(self._part, ["", *named])
            put_in_place(self._part, self._path)
        except OSError as error:
            raise disk_failed(error) from error

    def _discard(self) -> None:
        """Close what is open and remove what is not complete."""
        for track in self._tracks:
            track.close()
        with suppress(OSError, av.FFmpegError):
            self._container.close()
        with suppress(OSError):
            self._part.unlink()

    def _mux(self, packets: list[Any]) -> None:
        try:
            for packet in packets:
                if packet.dts is not None:
                    for track in self._tracks:
                        track.feed(packet.dts * packet.time_base + _LEAD_S)
                self._container.mux(self._finished(packet))
        except OSError as error:
            raise disk_failed(error) from error

    def _add_video(self, gop_frames: int) -> VideoStream:
        width, height = self._size
        how = self._encoding
        video: Any = self._container.add_stream(
            how.codec, self._like.rate, options=dict(how.options)
        )
        context = video.codec_context
        context.width, context.height = width, height
        context.pix_fmt = how.pixels.name
        # Both: with only one of them variable frame rates are rounded.
        context.time_base = video.time_base = self._like.time_base
        context.gop_size = gop_frames
        context.thread_count = _THREADS
        context.flags |= Flags.frame_duration | Flags.bitexact | Flags.closed_gop
        context.sample_aspect_ratio = self._like.sample_aspect
        if how.tag:
            context.codec_tag = how.tag
        self._tag(context)
        stream: VideoStream = video
        return stream

    def _tag(self, target: Any) -> None:
        """Put the colour tags onto an encoder or a frame."""
        target.color_range = self._colour.range
        target.colorspace = self._colour.matrix
        target.color_primaries = self._colour.primaries
        target.color_trc = self._colour.transfer

    def _finished(self, packet: Any) -> Any:
        """The packet as encoded; DNxHR's with the matrix that its encoder leaves at
        BT.709 whatever it is told (SMPTE ST 2019-1, the header's CLV)."""
        if self._encoding.codec != "dnxhd" or self._colour.matrix != _BT2020:
            return packet
        content = bytearray(packet)
        content[_CLV_AT] = content[_CLV_AT] & ~_CLV_MASK | _CLV_BT2020
        packet.update(bytes(content))
        return packet


def _usual_gop(like: Probe) -> int:
    """A key frame every two seconds: reviewers jump about."""
    return max(1, round(2 * like.rate))
