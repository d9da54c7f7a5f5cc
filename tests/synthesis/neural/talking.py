"""Pieces of the demo scene, as pictures and sound to make films from."""

from __future__ import annotations

from functools import cache

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
