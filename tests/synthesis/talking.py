"""Short clips of the demo scene, as they are or spoilt, for tests of footage."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from lipweb.demo_production import SCENE

Picture = NDArray[np.uint8]


def excerpt(
    target: Path,
    seconds: float,
    *,
    start_s: float = 0.0,
    change: Callable[[Picture], Picture] | None = None,
    gain: float | None = 1.0,
) -> Path:
    """Write seconds of the demo scene, 640 x 360 px, with its sound.

    change: of each RGB picture. gain: of the sound; None leaves the sound out.
    """
    with av.open(str(SCENE)) as source, av.open(str(target), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        audio = None
        if gain is not None:
            audio = out.add_stream("aac", rate=48000, layout="mono")
        for frame in source.decode(video=0, audio=0):
            at_s = float(frame.time or 0)
            if at_s > start_s + seconds + 1.0:
                break
            if not start_s <= at_s < start_s + seconds:
                continue
            shift = round(start_s / frame.time_base)
            if isinstance(frame, av.VideoFrame):
                small = frame.reformat(640, 360, "yuv420p")
                if change is not None:
                    rgb = change(small.to_ndarray(format="rgb24"))
                    small = av.VideoFrame.from_ndarray(rgb, "rgb24")
                    small = small.reformat(format="yuv420p")
                small.pts, small.time_base = frame.pts - shift, frame.time_base
                out.mux(video.encode(small))
            elif audio is not None:
                samples = frame.to_ndarray() * np.float32(gain)
                louder = av.AudioFrame.from_ndarray(
                    samples.astype(np.float32), frame.format.name, frame.layout.name
                )
                louder.sample_rate = frame.sample_rate
                louder.pts, louder.time_base = frame.pts - shift, frame.time_base
                out.mux(audio.encode(louder))
        out.mux(video.encode(None))
        if audio is not None:
            out.mux(audio.encode(None))
    return target


def shuffled(
    sound: NDArray[np.float32], rng: np.random.Generator, block_s: float = 0.25
) -> NDArray[np.float32]:
    """Permute blocks of 16 kHz sound: the same voice, its timing gone."""
    size = round(block_s * 16_000)
    blocks = [sound[i : i + size] for i in range(0, len(sound), size)]
    return np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])
