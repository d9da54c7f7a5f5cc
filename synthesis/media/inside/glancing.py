"""Brightness planes in one pass, of a file that nobody has measured."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from synthesis.errors import MediaRefused
from synthesis.media.inside.opening import check_decoder, open_media, picture_stream
from synthesis.media.inside.pictures import decode, readable, set_up
from synthesis.media.wire import LUMA_HEADER, Outbox

_PLAIN = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12")
"""Formats whose first plane is the brightness, eight bits each."""


def send_lumas(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Send {"rate", "length_s"} as the file states them, then LUMA_HEADER and the plane
    of each picture that can be decoded. Damage ends it, or leaves a picture out."""
    container = open_media(source, arguments)
    stream = picture_stream(container)
    if stream is None:
        raise MediaRefused("no-picture", "There is no moving picture in this file.")
    check_decoder(stream)
    set_up(stream)
    rate = stream.guessed_rate or stream.average_rate or Fraction(25)
    length_s = max(0.0, (container.duration or 0) / 1e6)
    outbox.json({"rate": str(rate), "length_s": length_s})
    base, first = float(stream.time_base or 0), None
    for packet in readable(container.demux(stream)):
        for frame in decode(packet):
            height, width = frame.height, frame.width
            if width * height > arguments["picture_px"]:
                raise MediaRefused("picture-too-large", "The picture is too large.")
            stamp = (frame.pts or 0) * base
            first = stamp if first is None else first
            luma = _luma(frame)
            header = LUMA_HEADER.pack(luma.shape[1], luma.shape[0], stamp - first)
            outbox.raw(header, luma.reshape(-1).data)


def _luma(frame: Any) -> NDArray[np.uint8]:
    """The first plane of a picture, uint8 (H, W), upright, without padding."""
    if frame.format.name not in _PLAIN:
        frame = frame.reformat(format="yuv420p")
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
    luma = rows[: frame.height, : frame.width]
    turned = -frame.rotation % 360 // 90
    return np.ascontiguousarray(np.rot90(luma, -turned) if turned else luma)
