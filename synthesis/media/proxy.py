"""A light copy of a scene for the review player: same frames, same times."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from synthesis.media.formats import Encoding
from synthesis.media.frames import Plane, Planes, read_frames
from synthesis.media.pixels import even_pixels
from synthesis.media.probe import Probe
from synthesis.media.sound import scene_origin_s
from synthesis.media.soundtrack import SoundTrack
from synthesis.media.writer import Writer

_MOST_LINES = 720
_OPTIONS = {"crf": "23", "preset": "veryfast"}
_GOP_S = 0.5
"""Short groups: a browser steps to any frame without decoding seconds."""
_PLAYED = {"aac", "flac"}


def write_proxy(
    path: str | os.PathLike[str],
    probe: Probe,
    out: str | os.PathLike[str],
    report: Callable[[int], None] | None = None,
) -> None:
    """Write H.264 4:2:0, 720 lines at most, and the scene's own first sound as AAC.

    report: called with the number of frames written. Constant memory.
    Raises MediaRefused, OutputFailed.
    """
    size = proxy_size(probe)
    gop = max(1, round(_GOP_S * probe.rate))
    encoding = Encoding(
        "libx264", "mp4", even_pixels(*size), probe.colour.full_range, _OPTIONS
    )
    with Writer(
        out, like=probe, encoding=encoding, size=size, gop_frames=gop
    ) as writer:
        if probe.sounds:
            number, origin_s = probe.sounds[0].number, scene_origin_s(probe)
            writer.add_sound(SoundTrack(path, number, origin_s), aac=True)
        for planes in read_frames(path, probe):
            writer.write(_resized(planes, size))
            if report:
                report(planes.index + 1)


def browsers_play(probe: Probe) -> bool:
    """Whether a file plays as it is wherever reviewers watch: H.264 with eight bits in
    an MP4 (told by the caller), its first sound AAC or FLAC."""
    sounds = {sound.codec for sound in probe.sounds[:1]}
    return probe.codec == "h264" and probe.bits == 8 and sounds <= _PLAYED


def proxy_size(probe: Probe) -> tuple[int, int]:
    """Even (width, height) of the proxy; as the scene, or 720 lines."""
    shrink = min(1.0, _MOST_LINES / probe.height)
    sides = (probe.width * shrink, probe.height * shrink)
    width, height = (max(2, 2 * round(side / 2)) for side in sides)
    return width, height


def _resized(planes: Planes, size: tuple[int, int]) -> Planes:
    width, height = size
    if planes.size == size and planes.pixels.name == "yuv420p":
        return planes
    half = (width // 2, height // 2)
    return replace(
        planes,
        y=_plane(planes.y, size),
        u=_plane(planes.u, half),
        v=_plane(planes.v, half),
    )


def _plane(plane: Plane, size: tuple[int, int]) -> Plane:
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.uint8)
