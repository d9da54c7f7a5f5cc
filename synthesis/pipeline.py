"""From a scene and new words to a signed file, in plain steps on plain files.

No Django here: rows become the small dataclasses below, and report may raise to stop
the work at any frame. Nothing holds more than a few frames, however long the scene.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthesis.abreast import ahead
from synthesis.composite import composite
from synthesis.engines.base import Controls, Engine, MouthPatch, ShotFace
from synthesis.faces.abstention import LeftAlone, left_alone
from synthesis.media.formats import Encoding
from synthesis.media.frames import Planes, read_frames
from synthesis.media.probe import Probe
from synthesis.media.soundtrack import SoundTrack
from synthesis.media.subtitles import SubtitleTrack
from synthesis.media.writer import Writer
from synthesis.patches import patches_open, patches_write
from synthesis.provenance.fingerprint import Fingerprint
from synthesis.provenance.label import Schedule
from synthesis.provenance.mark import Embedder

Report = Callable[[str, int, int], None]
"""report(stage, frame, frames): called about every frame; raises to stop."""


KEPT_BYTES = 128 << 20
"""A face that fits in so much through its shot is read once, a longer one twice."""


@dataclass(frozen=True)
class Take:
    """One face through one shot: frames first_frame up to end_frame of the scene.

    landmarks: float32 (n, 468, 3) px, row 0 at first_frame, NaN where not found.
    patches: where its new mouths are kept. covered, as_filmed: (n,) True where
    something is before the mouth, and where the supervisor wants it left alone.
    """

    first_frame: int
    end_frame: int
    landmarks: NDArray[np.float32]
    patches: Path
    covered: NDArray[np.bool_] | None = None
    as_filmed: NDArray[np.bool_] | None = None

    def left_alone(self) -> list[LeftAlone]:
        """The ranges of the scene in which this mouth stays as filmed, and why."""
        return left_alone(
            self.landmarks,
            covered=self.covered,
            asked=self.as_filmed,
            start=self.first_frame,
        )

    def drawn_on(self) -> NDArray[np.float32]:
        """The landmarks an engine is given. Where the mouth shall not be drawn it finds
        no face: it fades there, and takes no picture of what covers the mouth for the
        actor's own."""
        landmarks = self.landmarks.copy()
        for mask in (self.covered, self.as_filmed):
            if mask is not None:
                landmarks[mask] = np.nan
        return landmarks


def make_mouths(
    *,
    scene: Path,
    probe: Probe,
    take: Take,
    times_s: NDArray[np.float64],
    sound: NDArray[np.float32],
    engine: Engine,
    controls: Controls,
    report: Report,
) -> None:
    """Write the take's patches. times_s and sound as ShotFace has them."""
    count = take.end_frame - take.first_frame
    box = face_box(take.landmarks, probe.width, probe.height)
    shift = np.array([box[0], box[1], 0], np.float32)
    kept: list[NDArray[np.uint8]] = []
    fits = count * 3 * (box[2] - box[0]) * (box[3] - box[1]) <= KEPT_BYTES

    def frames() -> Iterator[NDArray[np.uint8]]:
        if len(kept) == count:
            yield from kept
            return
        kept.clear()
        for planes in read_frames(scene, probe, take.first_frame, take.end_frame):
            picture = planes.rgb_region(*box)
            if fits:
                kept.append(picture)
            yield picture

    landmarks = take.drawn_on()
    landmarks -= shift
    face = ShotFace(frames=frames, landmarks=landmarks, times_s=times_s, sound=sound)

    def mouths() -> Iterator[MouthPatch | None]:
        for index, patch in enumerate(engine.mouths(face, controls)):
            report("Moving the lips", index + 1, count)
            yield patch.moved(shift[:2]) if patch is not None else None

    patches_write(take.patches, mouths(), start=take.first_frame)


def face_box(
    landmarks: NDArray[np.floating], width: int, height: int
) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of the part of the frame an engine looks at: the
    lower faces of landmarks (n, 468, 3) in any frame, and half an eye distance more."""
    eyes = landmarks[:, [33, 263], :2]
    if np.isnan(eyes).all():
        return 0, 0, width, height
    margin = np.nanmax(np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=1)) / 2
    lower = landmarks[:, [33, 263, 234, 454, 152], :2]
    low = np.floor(np.nanmin(lower, axis=(0, 1)) - margin)
    high = np.ceil(np.nanmax(lower, axis=(0, 1)) + margin)
    left, top = (int(v) for v in np.clip(low, 0, [width - 2, height - 2]))
    right, bottom = (
        int(v) for v in np.clip(high, [left + 2, top + 2], [width, height])
    )
    return left, top, right, bottom


@dataclass(frozen=True)
class Marks:
    """What every frame of an output gets."""

    label: Schedule
    embedder: Embedder


@dataclass(frozen=True)
class Laid:
    """What lies beside an output's picture, in order. aac: encode the sound."""

    sounds: Sequence[SoundTrack] = ()
    subtitles: Sequence[SubtitleTrack] = ()
    aac: bool = False


def assemble(
    *,
    scene: Path,
    probe: Probe,
    takes: Sequence[Take],
    laid: Laid,
    marks: Marks,
    encoding: Encoding,
    target: Path,
    report: Report,
) -> bytes:
    """Write target: the scene with the takes' mouths, labelled and marked, and what is
    laid beside it, in one encode. Returns the picture's fingerprint.

    Outside the patches no sample changes before label and mark go on.
    """
    fingerprint = Fingerprint(probe.rate)
    with Writer(target, like=probe, encoding=encoding) as writer:
        for sound in laid.sounds:
            writer.add_sound(sound, aac=laid.aac)
        for subtitles in laid.subtitles:
            writer.add_subtitles(subtitles)
        # Three threads: mouths, marks, and here the encoder and the report.
        with (
            closing(ahead(_with_mouths(scene, probe, takes, encoding))) as frames,
            closing(ahead(_marked(frames, marks, fingerprint))) as marked,
        ):
            for planes in marked:
                writer.write(planes)
                report("Writing the picture", planes.index + 1, probe.frame_count)
    return fingerprint.bytes()


def _marked(
    frames: Iterator[Planes], marks: Marks, fingerprint: Fingerprint
) -> Iterator[Planes]:
    for planes in frames:
        marks.label.apply(planes.index, planes.y, planes.u, planes.v)
        marks.embedder.apply(planes.y)
        fingerprint.push(planes.luma_8())
        yield planes


def _with_mouths(
    scene: Path, probe: Probe, takes: Sequence[Take], encoding: Encoding
) -> Iterator[Planes]:
    pixels, full_range = encoding.pixels, encoding.full_range
    with ExitStack() as stack:
        kept = [stack.enter_context(patches_open(take.patches)) for take in takes]
        for planes in read_frames(scene, probe, pixels=pixels, full_range=full_range):
            for patches in kept:
                if patches.start <= planes.index < patches.stop:
                    patch = patches[planes.index]
                    if patch is not None:
                        composite(planes, patch)
            yield planes
