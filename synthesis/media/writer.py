"""One H.264 MP4, written once: the scene's own time stamps, the dub's own sound.

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
from synthesis.media.colour import Colour
from synthesis.media.frames import Planes, planes_format
from synthesis.media.probe import Probe
from synthesis.media.soundtrack import Soundtrack, soundtrack

_THREADS = 2
_LEAD_S = Fraction(1, 2)
"""Sound is muxed this far ahead of the picture: players need both close together."""


class Writer:
    """Write the frames of a scene, one by one, with the scene's exact times.

    A context manager: leaving it normally completes the file and gives it its name;
    leaving it by an exception, or with frames missing, leaves nothing behind.

    path: where the MP4 shall be. like: the scene; its time base, stamps, colour,
    aspect and time code are kept. crf: 0..51, lower is better. size: (width, height)
    if other than the scene's. gop_frames: longest distance of key frames.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        like: Probe,
        crf: int = 16,
        preset: str = "veryfast",
        size: tuple[int, int] | None = None,
        gop_frames: int | None = None,
    ) -> None:
        self._path, self._like = path, like
        self._part = aside_path(path)
        self._size = size or (like.width, like.height)
        self._next = 0
        self._sound: Soundtrack | None = None
        self._container: OutputContainer = av.open(
            str(self._part),
            mode="w",
            format="mp4",
            # bitexact: no dates and no library versions; the same in, the same out.
            container_options={"movflags": "+faststart", "fflags": "+bitexact"},
        )
        if like.timecode:
            self._container.metadata["timecode"] = like.timecode
        self._video = self._add_video(crf, preset, gop_frames or _usual_gop(like))

    def add_sound(
        self,
        path: str | os.PathLike[str],
        *,
        number: int = 0,
        origin_s: Fraction | None = None,
    ) -> str:
        """Lay a sound file under the picture; call before the first `write`.

        Copied as it is where MP4 players take the codec and it starts with the scene
        and ends within it; else encoded once as AAC at its own rate and channels, with
        silence up to the scene's end. What runs over is cut: see `fit_sound`.
        origin_s as in `read_sound`: None for a dub.
        Returns 'copied' or 'encoded'. Raises MediaRefused.
        """
        if self._sound is not None or self._next:
            raise ValueError("sound comes once, before the first frame")
        self._sound = soundtrack(
            self._container, path, number, origin_s, self._like.duration
        )
        return self._sound.how

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
            if self._sound:
                self._sound.feed(None)
            self._container.close()
            put_in_place(self._part, self._path)
        except OSError as error:
            raise disk_failed(error) from error

    def _discard(self) -> None:
        """Close what is open and remove what is not complete."""
        if self._sound:
            self._sound.close()
        with suppress(OSError, av.FFmpegError):
            self._container.close()
        with suppress(OSError):
            self._part.unlink()

    def _mux(self, packets: list[Any]) -> None:
        try:
            for packet in packets:
                if self._sound and packet.dts is not None:
                    self._sound.feed(packet.dts * packet.time_base + _LEAD_S)
                self._container.mux(packet)
        except OSError as error:
            raise disk_failed(error) from error

    def _add_video(self, crf: int, preset: str, gop_frames: int) -> VideoStream:
        width, height = self._size
        options = {"crf": str(crf), "preset": preset}
        video = self._container.add_stream("libx264", self._like.rate, options=options)
        context = video.codec_context
        context.width, context.height = width, height
        context.pix_fmt = planes_format(width, height)
        # Both: with only one of them variable frame rates are rounded.
        context.time_base = video.time_base = self._like.time_base
        context.gop_size = gop_frames
        context.thread_count = _THREADS
        context.flags |= Flags.frame_duration | Flags.bitexact | Flags.closed_gop
        context.sample_aspect_ratio = self._like.sample_aspect
        self._tag(context)
        return video

    def _tag(self, target: Any) -> None:
        """Copy the colour tags onto an encoder or a frame."""
        colour = _said(self._like)
        target.color_range = colour.range
        target.colorspace = colour.matrix
        target.color_primaries = colour.primaries
        target.color_trc = colour.transfer


def _said(like: Probe) -> Colour:
    """The scene's colour tags; planes made from RGB get the matrix used for that."""
    if like.colour.matrix:
        return like.colour
    matrix = 1 if like.colour.effective_matrix(like.height) == "bt709" else 6
    colour = like.colour
    return Colour(matrix, colour.range, colour.primaries, colour.transfer)


def _usual_gop(like: Probe) -> int:
    """A key frame every two seconds: reviewers jump about."""
    return max(1, round(2 * like.rate))
