"""A light copy of a scene for the review player: same frames, same times."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from synthesis.media.frames import Plane, Planes, read_frames
from synthesis.media.probe import Probe
from synthesis.media.sound import scene_origin_s
from synthesis.media.writer import Writer

_MOST_LINES = 720
_CRF, _PRESET = 23, "veryfast"
_GOP_S = 0.5
"""Short groups: a browser steps to any frame without decoding seconds."""


def write_proxy(
    path: str | os.PathLike[str],
    probe: Probe,
    out: str | os.PathLike[str],
    report: Callable[[int], None] | None = None,
) -> None:
    """Write H.264 4:2:0, 720 lines at most, and the scene's own first sound.

    report: called with the number of frames written. Constant memory.
    Raises MediaRefused, OutputFailed.
    """
    size = proxy_size(probe)
    gop = max(1, round(_GOP_S * probe.rate))
    with Writer(
        out, like=probe, crf=_CRF, preset=_PRESET, size=size, gop_frames=gop
    ) as writer:
        if probe.sounds:
            number, origin_s = probe.sounds[0].number, scene_origin_s(probe)
            writer.add_sound(path, number=number, origin_s=origin_s)
        for planes in read_frames(path, probe):
            writer.write(_resized(planes, size))
            if report:
                report(planes.index + 1)


def proxy_size(probe: Probe) -> tuple[int, int]:
    """Even (width, height) of the proxy; as the scene, or 720 lines."""
    shrink = min(1.0, _MOST_LINES / probe.height)
    sides = (probe.width * shrink, probe.height * shrink)
    width, height = (max(2, 2 * round(side / 2)) for side in sides)
    return width, height


def _resized(planes: Planes, size: tuple[int, int]) -> Planes:
    width, height = size
    if planes.size == size and planes.subsampled:
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
