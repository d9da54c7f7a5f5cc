"""Sound from the sandbox: streamed, mixed, measured; float32 in -1..1 throughout."""

from __future__ import annotations

import os
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from synthesis.media.aside import written_aside
from synthesis.media.limits import Limits
from synthesis.media.probe import Probe, SoundStream, probe_sound
from synthesis.media.sandbox import Child

Samples = NDArray[np.float32]

DIALOGUE_RATE_HZ = 16_000
MIX_RATE_HZ = 48_000
SILENT = 10 ** (-60 / 20)
"""Peak below which sound counts as silence: -60 dBFS."""

_BLOCK = 1 << 15
_MOST_MESSAGE_BYTES = 256 << 20


@dataclass(frozen=True)
class SoundFormat:
    """What comes out of a stream of samples."""

    rate_hz: int
    channels: int
    layout: str


@dataclass(frozen=True)
class SoundFit:
    """How a dub's sound lies against its scene.

    over_s: seconds beyond the scene's end, 0 if none. over_silent: all of that is
    below -60 dBFS, so that cutting it loses nothing.
    """

    length_s: Fraction
    over_s: Fraction
    over_silent: bool


@dataclass(frozen=True)
class Line:
    """A stretch of dialogue laid into a scene. gain is linear; 1 leaves it as it is."""

    path: str | os.PathLike[str]
    start_s: float = 0.0
    gain: float = 1.0


class SoundReader:
    """One sound stream, decoded piece by piece. A context manager and an iterator.

    mix: 'own' keeps the channels, 'stereo' reduces to two, 'dialogue' is mono with the
    centre channel in front, the name of a layout spreads them over it. Sample 0 is time
    origin_s on the file's clock, None for the file's own beginning; where the stream
    starts later or has gaps there is silence.
    Yields float32 (n, channels).
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        number: int = 0,
        mix: str = "own",
        rate_hz: int | None = None,
        origin_s: Fraction | None = None,
    ) -> None:
        arguments = {
            "number": number,
            "mix": mix,
            "rate_hz": rate_hz,
            "most_s": Limits().duration_s,
            "origin_s": None if origin_s is None else str(origin_s),
        }
        entry = "synthesis.media.inside.sounds:send_sound"
        self._child = Child(entry, path, arguments)
        try:
            self.format = SoundFormat(**self._child.json())
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> SoundReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._child.close()

    def __iter__(self) -> Iterator[Samples]:
        channels = self.format.channels
        while (length := self._child.next_bytes(_MOST_MESSAGE_BYTES)) is not None:
            flat = np.frombuffer(self._child.take(length), np.float32)
            yield flat.reshape(-1, channels)


def scene_origin_s(probe: Probe) -> Fraction:
    """Where the scene's clock starts on the file's own: the first picture."""
    return probe.start_pts * probe.time_base


def read_sound(
    path: str | os.PathLike[str],
    *,
    rate_hz: int | None = None,
    mono: bool = True,
    origin_s: Fraction | None = None,
) -> Iterator[Samples]:
    """Yield float32 pieces: (n,) dialogue if mono, else (n, channels).

    origin_s: time on the file's clock that becomes sample 0; None, its own beginning,
    for a dub, `scene_origin_s(probe)` for the sound of a scene. Raises MediaRefused.
    """
    mix = "dialogue" if mono else "own"
    with SoundReader(path, mix=mix, rate_hz=rate_hz, origin_s=origin_s) as reader:
        for piece in reader:
            yield piece[:, 0] if mono else piece


def sound_mono_16k(
    path: str | os.PathLike[str],
    start_s: float = 0.0,
    stop_s: float | None = None,
    *,
    origin_s: Fraction | None = None,
) -> Samples:
    """The dialogue from start_s to stop_s as float32 (n,), 16 kHz, -1..1.

    Silence stands where the file has nothing: before its first sample and, if stop_s
    is given, after its last. Raises MediaRefused.
    """
    start = round(start_s * DIALOGUE_RATE_HZ)
    stop = None if stop_s is None else round(stop_s * DIALOGUE_RATE_HZ)
    kept, at = [np.zeros(max(0, -start), np.float32)], 0
    pieces = read_sound(path, rate_hz=DIALOGUE_RATE_HZ, origin_s=origin_s)
    with closing(pieces):  # type: ignore[type-var]
        for piece in pieces:
            after = at + len(piece)
            if stop is not None and at >= stop:
                break
            first = max(0, start - at)
            last = len(piece) if stop is None else max(0, stop - at)
            kept.append(piece[first:last])
            at = after
    sound = np.concatenate(kept)
    if stop is not None and len(sound) < stop - start:
        sound = np.pad(sound, (0, stop - start - len(sound)))
    return np.clip(sound, -1.0, 1.0)


def fit_sound(path: str | os.PathLike[str], scene_s: Fraction) -> SoundFit:
    """Measure how far a dub runs over its scene, and whether that part is silent.

    Raises MediaRefused.
    """
    samples, peak = 0, 0.0
    with SoundReader(path) as reader:
        rate = reader.format.rate_hz
        end = round(scene_s * rate)
        for piece in reader:
            over = piece[max(0, end - samples) :]
            samples += len(piece)
            if over.size:
                peak = max(peak, float(np.abs(over).max()))
    over_s = max(Fraction(0), Fraction(samples - end, rate))
    return SoundFit(Fraction(samples, rate), over_s, peak < SILENT)


def mix_lines(
    lines: Sequence[Line],
    length_s: Fraction,
    out_path: str | os.PathLike[str],
) -> float:
    """Lay lines of dialogue into one 24-bit WAV of exactly length_s, at the highest of
    their rates, 48 kHz at least.

    Mono if every line is mono, stereo if none has more, else the layout of the line
    with most channels. Constant memory. What lies beyond the end is cut. Returns the
    peak before clipping: above 1.0 the sum was too loud.
    Raises MediaRefused for a line, OutputFailed for the disk.
    """
    formats = [probe_sound(line.path) for line in lines]
    channels, layout = _mixed_layout(formats)
    rate = max([MIX_RATE_HZ, *(found.rate_hz for found in formats)])
    total, peak = round(length_s * rate), 0.0
    with ExitStack() as stack:
        placed = [stack.enter_context(_Placed(line, layout, rate)) for line in lines]
        out = stack.enter_context(written_aside(out_path))
        wav = stack.enter_context(_wav(out, channels, rate))
        for at in range(0, total, _BLOCK):
            block = np.zeros((min(_BLOCK, total - at), channels), np.float32)
            for line in placed:
                line.add_to(block)
            peak = max(peak, float(np.abs(block).max(initial=0.0)))
            wav.writeframesraw(pcm_24(block))
    return peak


def _mixed_layout(formats: Sequence[SoundStream]) -> tuple[int, str]:
    """(channels, how each line is asked for) of a mix."""
    if all(found.channels == 1 for found in formats):
        return 1, "own"
    widest = max(formats, key=lambda found: found.channels)
    return (2, "stereo") if widest.channels == 2 else (widest.channels, widest.layout)


def pcm_24(samples: Samples) -> bytes:
    """Float samples, clipped to -1..1, as little-endian 24-bit."""
    whole = np.rint(np.clip(samples, -1.0, 1.0) * 8_388_607).astype("<i4")
    return whole.reshape(-1, 1).view(np.uint8)[:, :3].tobytes()


def _wav(out: BinaryIO, channels: int, rate_hz: int) -> Any:
    wav = wave.open(out, "wb")  # noqa: SIM115 - the caller closes it
    wav.setnchannels(channels)
    wav.setsampwidth(3)
    wav.setframerate(rate_hz)
    return wav


class _Placed:
    """A line under way: hands out its samples block by block, from its start on."""

    def __init__(self, line: Line, mix: str, rate_hz: int) -> None:
        self._gain = line.gain
        self._reader = SoundReader(line.path, mix=mix, rate_hz=rate_hz)
        self._pieces = iter(self._reader)
        self._left = np.zeros((0, self._reader.format.channels), np.float32)
        self._wait = round(line.start_s * rate_hz)

    def __enter__(self) -> _Placed:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def add_to(self, block: Samples) -> None:
        """Add the line's next len(block) samples; mono goes to every channel."""
        at = min(len(block), max(0, self._wait))
        self._wait -= len(block)
        while at < len(block):
            if not len(self._left):
                piece = next(self._pieces, None)
                if piece is None:
                    return
                self._left = piece
            now = self._left[: len(block) - at]
            block[at : at + len(now)] += self._gain * now
            self._left = self._left[len(now) :]
            at += len(now)
