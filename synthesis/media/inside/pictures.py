"""Decoded pictures as compact planes, frame-exact from any start."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import ColorRange, Interpolation
from numpy.typing import NDArray

from synthesis.errors import MediaRefused
from synthesis.media.inside.opening import check_decoder, open_media, picture_stream
from synthesis.media.pixels import pixels_named
from synthesis.media.rates import unpack_rising
from synthesis.media.wire import FRAME_HEADER, Outbox

Planes = NDArray[np.uint8] | NDArray[np.uint16]
"""Y, U and V of one picture, one after the other, without padding."""


class Stamper:
    """Gives every decoded picture a stamp of its own, the same one in every pass."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.guessed = False
        self._highest = -1

    def stamp(self, frame: Any) -> int:
        """The frame's own pts; one past the highest where it has none or a twin's."""
        pts = frame.pts if frame.pts is not None else frame.dts
        if pts is None or pts in self.seen:
            self.guessed = True
            pts = self._highest + 1
        self.seen.add(pts)
        self._highest = max(self._highest, pts)
        return int(pts)


def readable(packets: Iterable[Any]) -> Iterator[Any]:
    """Packets until the file ends or cannot be read on."""
    stream = iter(packets)
    while True:
        try:
            packet = next(stream, None)
        except av.FFmpegError:
            return
        if packet is None:
            return
        yield packet


def decode(packet: Any) -> list[Any]:
    """Frames a packet yields; none if its bytes are broken."""
    try:
        return list(packet.decode())
    except av.FFmpegError:
        return []


def set_up(stream: Any) -> None:
    """Two threads, and damaged pictures handed out rather than held back."""
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = 2
    stream.codec_context.flags |= Flags.output_corrupt


def send_frames(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Send FRAME_HEADER and the planes of every frame from start to stop.

    One message is sent for each index, whatever the decoder makes of the file: a
    picture that cannot be decoded is stood in for by the one before it.
    """
    pts = unpack_rising(arguments["pts"])
    start, stop = arguments["start"], arguments["stop"]
    keys = unpack_rising(arguments["keyframes"])
    key = max((k for k in keys if k <= start), default=0)
    pictures = _pictures(source, arguments, key, pts)
    last: Planes | None = None
    ahead = next(pictures, None)
    for index in range(start, stop):
        while ahead is not None and ahead[0] < index:
            last, ahead = ahead[1], next(pictures, None)
        present = ahead is not None and ahead[0] == index
        if ahead is not None and (present or last is None):
            last = ahead[1]
        if present:
            ahead = next(pictures, None)
        if last is None:
            raise MediaRefused(
                "media-damaged", f"No picture can be decoded from frame {index} on."
            )
        outbox.raw(FRAME_HEADER.pack(index, not present), last.view(np.uint8).data)


def _pictures(
    source: BinaryIO, arguments: dict[str, Any], key: int, pts: tuple[int, ...]
) -> Iterator[tuple[int, Planes]]:
    """(index, planes) with rising indexes, from the key frame at index `key` on."""
    index_of = {stamp + arguments["start_pts"]: i for i, stamp in enumerate(pts)}
    reached = -1
    at = pts[key] + arguments["start_pts"] if key else None
    for stamp, frame in _decoded(source, arguments, at):
        index = index_of.get(stamp, -1)
        if reached < 0 and key and index > key:
            # The seek landed late. Slow and right beats quick and one frame off.
            yield from _pictures(source, arguments, 0, pts)
            return
        if index > reached:
            planes = _planes(frame, arguments)
            if planes is not None:
                reached = index
                yield index, planes


def _decoded(
    source: BinaryIO, arguments: dict[str, Any], at: int | None
) -> Iterator[tuple[int, Any]]:
    """(stamp, frame) from the key frame stamped `at`, or from the beginning."""
    source.seek(0)
    container = open_media(source, arguments)
    stream = picture_stream(container)
    if stream is None:
        return
    check_decoder(stream)
    set_up(stream)
    if at is not None:
        container.seek(at, stream=stream)
    stamper = Stamper()
    for packet in readable(container.demux(stream)):
        for frame in decode(packet):
            yield stamper.stamp(frame), frame


def _planes(frame: Any, arguments: dict[str, Any]) -> Planes | None:
    """The frame as wanted and upright; None if its size is another."""
    turned, planes = arguments["rotation"], arguments["planes"]
    width, height = arguments["width"], arguments["height"]
    if turned in (90, 270):
        width, height = height, width
    if (frame.width, frame.height) != (width, height):
        return None
    if not turned:
        return _flat(_laid_out(frame, planes, arguments), planes)
    # Chroma that is halved one way only cannot be turned by a quarter.
    whole = planes.replace("422", "444")
    upright = _turned(_flat(_laid_out(frame, whole, arguments), whole), frame, turned)
    if whole == planes:
        return upright
    again = av.VideoFrame(arguments["width"], arguments["height"], whole)
    _fill(again, upright)
    wanted = arguments["full_range_wanted"]
    return _flat(_laid_out(again, planes, arguments | {"full_range": wanted}), planes)


def _laid_out(frame: Any, planes: str, arguments: dict[str, Any]) -> Any:
    """The frame in that layout and range; itself where it lies so already."""
    same_range = arguments["full_range"] == arguments["full_range_wanted"]
    if same_range and frame.format.name in (planes, planes.replace("yuv", "yuvj")):
        return frame
    return frame.reformat(
        format=planes,
        src_colorspace=arguments["matrix"],
        dst_colorspace=arguments["matrix"],
        src_color_range=_range(arguments["full_range"]),
        dst_color_range=_range(arguments["full_range_wanted"]),
        interpolation=Interpolation.BICUBIC | Interpolation.ACCURATE_RND,
    )


def _range(full: bool) -> int:
    return int(ColorRange.JPEG if full else ColorRange.MPEG)


def _flat(frame: Any, planes: str) -> Planes:
    """The samples of a frame that lies as `planes` says."""
    kind = pixels_named(planes).dtype
    return np.concatenate(
        [
            np.frombuffer(plane, kind)
            .reshape(plane.height, -1)[:, : plane.width]
            .reshape(-1)
            for plane in frame.planes
        ]
    )


def _fill(frame: Any, flat: Planes) -> None:
    at = 0
    for plane in frame.planes:
        count = plane.width * plane.height
        rows = np.frombuffer(plane, flat.dtype).reshape(plane.height, -1)
        rows[:, : plane.width] = flat[at : at + count].reshape(plane.height, -1)
        at += count


def _turned(flat: Planes, frame: Any, turned: int) -> Planes:
    """Turn each plane clockwise by 90, 180 or 270 degrees."""
    luma = frame.width * frame.height
    shrink = 1 if len(flat) == 3 * luma else 2
    small = (frame.height // shrink, frame.width // shrink)
    sizes, at = [(frame.height, frame.width), small, small], 0
    parts: list[Any] = []
    for rows, columns in sizes:
        plane = flat[at : at + rows * columns].reshape(rows, columns)
        parts.append(np.rot90(plane, -turned // 90).reshape(-1))
        at += rows * columns
    return np.concatenate(parts)
