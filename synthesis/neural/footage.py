"""Reading consented clips for training and evaluation: frames and 16 kHz sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from synthesis.errors import SynthesisError
from synthesis.neural.mel import RATE_HZ

UNREADABLE = (FFmpegError, ValueError)
"""PyAV says ValueError where a stream changes its format on the way."""
CLIP_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".mpg")


class FootageError(SynthesisError):
    """A clip cannot be used; `code` is stable, `sentence` says why."""


def clip_paths(folder: Path) -> list[Path]:
    """Return every clip below folder (or the one file given), sorted."""
    if folder.is_file():
        return [folder]
    found = [p for p in folder.rglob("*") if p.suffix.lower() in CLIP_SUFFIXES]
    return sorted(p for p in found if not p.is_dir())


def frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """Yield RGB uint8 (H, W, 3), one a frame. Raises FootageError."""
    for _, frame in timed_frames(path):
        yield frame


def timed_frames(path: Path) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """Yield (seconds, RGB uint8 (H, W, 3)), one a frame. Raises FootageError."""
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise FootageError("no-picture", f"{path.name} has no picture.")
            container.streams.video[0].thread_count = 1
            for frame in container.decode(video=0):
                picture = frame.to_ndarray(format="rgb24")
                yield float(frame.time or 0.0), np.asarray(picture, np.uint8)
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def sound(path: Path) -> NDArray[np.float32]:
    """Return mono float32 (samples,) at 16 kHz, -1..1; sample 0 is time 0.

    Raises FootageError where there is no sound.
    """
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
    pieces: list[NDArray[np.float32]] = []
    start_s = 0.0
    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise FootageError("no-sound", f"{path.name} has no sound.")
            for frame in container.decode(audio=0):
                if not pieces:
                    start_s = float(frame.time or 0.0)
                for part in resampler.resample(frame):
                    pieces.append(_flat(part))
            for part in resampler.resample(None):
                pieces.append(_flat(part))
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    if not pieces:
        raise FootageError("no-sound", f"{path.name} has no sound.")
    samples = np.concatenate(pieces).astype(np.float32)
    lead = round(start_s * RATE_HZ)
    return np.pad(samples, (lead, 0)) if lead >= 0 else samples[-lead:]


def _unreadable(path: Path, error: Exception) -> FootageError:
    why = getattr(error, "strerror", None) or error
    return FootageError("unreadable", f"{path.name} cannot be read: {why}.")


def _flat(part: av.AudioFrame) -> NDArray[np.float32]:
    return np.asarray(part.to_ndarray(), np.float32).reshape(-1)
