"""From a scene and new words to a signed file, in plain steps on plain files.

No Django here: rows become the small dataclasses below, and report may raise to stop
the work at any frame. Nothing holds more than a few frames, however long the scene.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synthesis.composite import composite
from synthesis.engines.base import Controls, Engine, MouthPatch, ShotFace
from synthesis.media.frames import Planes, read_frames
from synthesis.media.probe import Probe
from synthesis.media.writer import Writer
from synthesis.patches import patches_open, patches_write
from synthesis.provenance.fingerprint import Fingerprint
from synthesis.provenance.label import Label
from synthesis.provenance.mark import Embedder

Report = Callable[[str, int, int], None]
"""report(stage, frame, frames): called about every frame; raises to stop."""


@dataclass(frozen=True)
class Take:
    """One face through one shot: frames first_frame up to end_frame of the scene.

    landmarks: float32 (n, 468, 3) px, row 0 at first_frame, NaN where not found.
    patches: where its new mouths are kept.
    """

    first_frame: int
    end_frame: int
    landmarks: NDArray[np.float32]
    patches: Path


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

    def frames() -> Iterator[NDArray[np.uint8]]:
        for planes in read_frames(scene, probe, take.first_frame, take.end_frame):
            yield planes.rgb()

    face = ShotFace(
        frames=frames, landmarks=take.landmarks, times_s=times_s, sound=sound
    )

    def mouths() -> Iterator[MouthPatch | None]:
        for index, patch in enumerate(engine.mouths(face, controls)):
            report("Moving the lips", index + 1, count)
            yield patch

    patches_write(take.patches, mouths(), start=take.first_frame)


@dataclass(frozen=True)
class Marks:
    """What every frame of an output gets."""

    label: Label
    embedder: Embedder


def assemble(
    *,
    scene: Path,
    probe: Probe,
    takes: Sequence[Take],
    sound: Path,
    marks: Marks,
    target: Path,
    report: Report,
) -> bytes:
    """Write target: the scene with the takes' mouths, labelled and marked, and the dub
    sound, in one encode. Returns the picture's fingerprint.

    Outside the patches no sample changes before label and mark go on.
    """
    fingerprint = Fingerprint(probe.rate)
    with Writer(target, like=probe) as writer:
        writer.add_sound(sound)
        for planes in _with_mouths(scene, probe, takes):
            marks.label.apply(planes.y, planes.u, planes.v)
            marks.embedder.apply(planes.y)
            fingerprint.push(planes.y)
            writer.write(planes)
            report("Writing the picture", planes.index + 1, probe.frame_count)
    return fingerprint.bytes()


def _with_mouths(scene: Path, probe: Probe, takes: Sequence[Take]) -> Iterator[Planes]:
    with ExitStack() as stack:
        kept = [stack.enter_context(patches_open(take.patches)) for take in takes]
        for planes in read_frames(scene, probe):
            for patches in kept:
                if patches.start <= planes.index < patches.stop:
                    patch = patches[planes.index]
                    if patch is not None:
                        composite(planes, patch)
            yield planes
