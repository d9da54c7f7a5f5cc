"""What is in a file from outside, told by a sandboxed child that decoded all of it.

The scene's clock: time 0 and pts 0 are its first picture, whatever the file says; the
file's own first stamp is kept in `start_pts`.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synthesis.errors import MediaRefused
from synthesis.media.colour import Colour
from synthesis.media.light import Light
from synthesis.media.limits import Limits
from synthesis.media.rates import pack_rising, unpack_rising
from synthesis.media.sandbox import Caps, Child

_MEBI = 1 << 20


@dataclass(frozen=True)
class SoundStream:
    """One sound stream. start_s counts from the scene's first picture."""

    number: int
    codec: str
    rate_hz: int
    channels: int
    layout: str
    start_s: Fraction
    duration_s: Fraction
    language: str = ""
    title: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {
            "start_s": str(self.start_s),
            "duration_s": str(self.duration_s),
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        times = {key: Fraction(fields[key]) for key in ("start_s", "duration_s")}
        return cls(**(fields | times))


@dataclass(frozen=True)
class SubtitleStream:
    """One subtitle stream. is_text: words, not pictures of words. shown: players show
    it without being asked."""

    number: int
    codec: str
    language: str
    title: str
    is_text: bool
    shown: bool


@dataclass(frozen=True)
class Probe:
    """A scene, measured. Sizes are those on screen, after rotation.

    rate: frames a second, nominal if variable_rate. pts: of every frame in units of
    time_base, rising, the first 0. end_pts: where the last frame ends. rotation:
    degrees clockwise that the reader turns the picture. broken: indexes of frames that
    could not be decoded; the reader repeats their neighbour so that the count stays.
    """

    container: str
    demuxer: str
    codec: str
    pix_fmt: str
    bits: int
    width: int
    height: int
    rotation: int
    sample_aspect: Fraction
    rate: Fraction
    variable_rate: bool
    interlaced: bool
    time_base: Fraction
    start_pts: int
    end_pts: int
    colour: Colour
    light: Light
    timecode: str
    sounds: tuple[SoundStream, ...]
    subtitles: tuple[SubtitleStream, ...]
    broken: tuple[int, ...]
    pts: tuple[int, ...] = field(repr=False)
    keyframes: tuple[int, ...] = field(repr=False)

    @property
    def frame_count(self) -> int:
        return len(self.pts)

    @property
    def duration(self) -> Fraction:
        """Seconds from the first picture to the end of the last."""
        return self.end_pts * self.time_base

    def times_s(self) -> NDArray[np.float64]:
        """Presentation time of every frame, float64 (n,), the first 0."""
        return np.asarray(self.pts, np.float64) * float(self.time_base)

    def duration_pts(self, index: int) -> int:
        """How long a frame stays on screen, in units of time_base."""
        after = self.pts[index + 1] if index + 1 < len(self.pts) else self.end_pts
        return after - self.pts[index]

    def to_json(self) -> dict[str, Any]:
        """As JSON values; the time stamps as packed differences."""
        fields = dict(vars(self))
        for name in ("sample_aspect", "rate", "time_base"):
            fields[name] = str(fields[name])
        fields["colour"] = asdict(self.colour)
        fields["light"] = self.light.to_json()
        fields["sounds"] = [sound.to_json() for sound in self.sounds]
        fields["subtitles"] = [asdict(one) for one in self.subtitles]
        fields["broken"] = list(self.broken)
        fields["pts"] = pack_rising(self.pts)
        fields["keyframes"] = pack_rising(self.keyframes)
        return fields

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        fields = dict(fields)
        for name in ("sample_aspect", "rate", "time_base"):
            fields[name] = Fraction(fields[name])
        fields["colour"] = Colour(**fields["colour"])
        fields["light"] = Light.from_json(fields["light"])
        fields["sounds"] = tuple(SoundStream.from_json(s) for s in fields["sounds"])
        fields["subtitles"] = tuple(SubtitleStream(**s) for s in fields["subtitles"])
        fields["broken"] = tuple(fields["broken"])
        fields["pts"] = unpack_rising(fields["pts"])
        fields["keyframes"] = unpack_rising(fields["keyframes"])
        return cls(**fields)


def probe(
    path: str | os.PathLike[str],
    limits: Limits | None = None,
    report: Callable[[int], None] | None = None,
) -> Probe:
    """Decode a scene once, in the sandbox, and tell what is in it.

    report: called now and then with the number of frames decoded so far.
    Raises MediaRefused with a code and a sentence for anything that is no scene.
    """
    limits = limits or Limits()
    _check_size(path, limits)
    arguments = {"limits": asdict(limits)}
    with Child("synthesis.media.inside.probing:probe", path, arguments) as child:
        for message in child.messages():
            if "frames" in message:
                if report:
                    report(int(message["frames"]))
                continue
            return Probe.from_json(message | {"container": child.kind.name})
    raise MediaRefused("media-crash", "The file could not be measured.")


def probe_sound(
    path: str | os.PathLike[str], limits: Limits | None = None
) -> SoundStream:
    """The first sound stream of a dub file, or of a video, measured in the sandbox.

    start_s counts from the file's own zero. Raises MediaRefused (no-sound and others).
    """
    return probe_sounds(path, limits)[0]


def probe_sounds(
    path: str | os.PathLike[str], limits: Limits | None = None
) -> tuple[SoundStream, ...]:
    """All sound streams of a file, the first of them decoded to its end, the others
    as the file describes them. As probe_sound otherwise."""
    limits = limits or Limits()
    _check_size(path, limits)
    arguments = {"limits": asdict(limits)}
    entry = "synthesis.media.inside.probing:probe_sounds"
    with Child(entry, path, arguments) as child:
        for message in child.messages():
            if "samples" not in message:
                return tuple(SoundStream.from_json(one) for one in message["sounds"])
    raise MediaRefused("media-crash", "The sound could not be measured.")


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hex SHA-256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as source:
        while piece := source.read(_MEBI):
            digest.update(piece)
    return digest.hexdigest()


def reading_caps(probe: Probe) -> Caps:
    """Caps for decoding a measured scene: they grow with its length, not beyond."""
    pixels = probe.width * probe.height
    return Caps(cpu_s=120 + int(probe.frame_count * (0.05 + pixels / 2e7)))


def _check_size(path: str | os.PathLike[str], limits: Limits) -> None:
    try:
        size = Path(path).stat().st_size
    except OSError as error:
        raise MediaRefused("file-missing", "The file is not there any more.") from error
    if size > limits.file_bytes:
        raise MediaRefused(
            "file-too-large",
            f"The file has {size / 1e9:.1f} GB; at most {limits.file_bytes / 1e9:.1f} "
            "GB are taken. Split the scene.",
        )
