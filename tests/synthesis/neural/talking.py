"""Pieces of the demo scene, as pictures and sound to make films from."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from lipweb.demo_production import SCENE
from synthesis.neural import footage
from synthesis.neural.mel import RATE_HZ

FPS = 25
Film = tuple[list[NDArray[np.uint8]], NDArray[np.float32]]


@cache
def _demo() -> Film:
    with av.open(str(SCENE)) as film:
        pictures = [
            frame.reformat(640, 360, "rgb24").to_ndarray()
            for frame in film.decode(video=0)
        ]
    return pictures, footage.sound(SCENE)


def robin(first: int, stop: int) -> Film:
    """Frames first..stop-1 of the demo scene, RGB 360 x 640, and their sound."""
    pictures, sound = _demo()
    samples = RATE_HZ // FPS
    return pictures[first:stop], sound[first * samples : stop * samples]


def joined(*films: Film) -> Film:
    """The films one after another, cut to cut."""
    pictures = [picture for film in films for picture in film[0]]
    return pictures, np.concatenate([film[1] for film in films])


def excerpt(target: Path, seconds: float) -> None:
    """Write the first seconds of the demo scene as an MP4, quarter size, with sound."""
    with av.open(str(SCENE)) as source, av.open(str(target), "w") as out:
        video = out.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        audio = out.add_stream("aac", rate=48000, layout="mono")
        for frame in source.decode(video=0, audio=0):
            if float(frame.time or 0) >= seconds:
                continue
            if isinstance(frame, av.VideoFrame):
                small = frame.reformat(640, 360, "yuv420p")
                small.pts, small.time_base = frame.pts, frame.time_base
                out.mux(video.encode(small))
            else:
                out.mux(audio.encode(frame))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))
