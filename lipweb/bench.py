"""How fast a render is and how much memory it takes, on scenes of two lengths."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, cycle, islice
from pathlib import Path

import av
import numpy as np


def scene_lengthen(source: Path, target: Path, *, seconds: int) -> None:
    """Write source to and fro until it is that many seconds long, same size and rate.
    For measuring only: the source is our own computer-generated scene. No two files
    are the same: of one that was here before, the mouths would be taken ready made."""
    with av.open(str(source)) as clip, av.open(str(target), "w") as out:
        out.metadata["comment"] = secrets.token_hex(8)
        picture = clip.streams.video[0]
        rate = Fraction(picture.average_rate or 25)
        frames = [frame.reformat(format="yuv420p") for frame in clip.decode(picture)]
        stream = out.add_stream("libx264", rate=rate)
        stream.width, stream.height = picture.width, picture.height
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "20", "preset": "veryfast"}
        stream.time_base = stream.codec_context.time_base = 1 / rate
        there_and_back = cycle(chain(frames, frames[-2:0:-1]))
        for index, frame in enumerate(islice(there_and_back, round(seconds * rate))):
            frame.pts, frame.time_base = index, 1 / rate
            out.mux(stream.encode(frame))
        out.mux(stream.encode())


def sound_lengthen(source: Path, target: Path, *, seconds: int) -> None:
    """Write source again and again until it is that many seconds long, as WAV."""
    import soundfile

    sound, rate_hz = soundfile.read(source, dtype="float32")
    again = int(np.ceil(seconds * rate_hz / len(sound)))
    soundfile.write(target, np.tile(sound, again)[: seconds * rate_hz], rate_hz)


@dataclass
class Peak:
    """Most memory held at one time by a process and all below it: sum of PSS, so that
    pages shared between a worker and its forks count once."""

    bytes: int = 0


@contextmanager
def peak_memory(root_pid: int, every_s: float = 0.2) -> Iterator[Peak]:
    """Watch a process tree while the block runs."""
    peak, over = Peak(), threading.Event()

    def watch() -> None:
        while not over.wait(every_s):
            peak.bytes = max(peak.bytes, _tree_pss_bytes(root_pid))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        over.set()
        watcher.join()


def _tree_pss_bytes(root_pid: int) -> int:
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    total, waiting = 0, [root_pid]
    while waiting:
        pid = waiting.pop()
        total += _pss_bytes(pid)
        waiting += children.get(pid, [])
    return total


def _pss_bytes(pid: int) -> int:
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    lines = [line for line in rollup.splitlines() if line.startswith("Pss:")]
    return int(lines[0].split()[1]) << 10 if lines else 0
