"""A render's rows on one side, the pipeline's plain files on the other."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consent.models import Actor
from synthesis import house_keys
from synthesis.engines.base import SOUND_RATE_HZ, Controls
from synthesis.engines.native import NativeEngine
from synthesis.errors import SynthesisError
from synthesis.media.frames import sound_mono_16k
from synthesis.media.probe import Probe
from synthesis.media.writer import mix_lines
from synthesis.models import (
    ActorModel,
    Deliverable,
    Line,
    Render,
    Shot,
    Track,
    TrackRender,
)
from synthesis.pipeline import Take, assemble, make_mouths
from synthesis.progress import Progress, look
from synthesis.provenance.manifest import sign
from synthesis.services.renders import tracks_to_render
from synthesis.services.scenes import sha256_of
from synthesis.storage import keep, local_path, scratch_dir

log = logging.getLogger(__name__)

CONTEXT_S = 1.0
"""Sound given to the network before and after a shot, so that it hears what comes."""


def shot_render(render: Render, shot: Shot) -> None:
    """Make the mouths of every speaking face in the shot that has none yet."""
    for track in tracks_to_render(render.dub, shot):
        if render.track_renders.filter(track=track).exists():
            continue
        look(render)
        with tempfile.TemporaryDirectory(dir=scratch_dir()) as folder:
            _track_render(render, track, Path(folder) / "mouths")


def render_finish(render: Render) -> None:
    """Assemble, sign, read back, and only then let the deliverable exist."""
    began = time.monotonic()
    scene = render.dub.scene
    facts = Probe.from_json(scene.media_facts)
    tracks = tracks_to_render(render.dub)
    report = Progress(render, units=2 * facts.frame_count, look=lambda: look(render))
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(dir=scratch_dir()))
        )
        scene_path = stack.enter_context(local_path(scene.file))
        takes = [stack.enter_context(_kept_take(render, track)) for track in tracks]
        sound = _dub_sound(render, facts, folder, stack)
        mark = new_mark(facts, takes)
        fingerprint = assemble(
            scene=scene_path,
            probe=facts,
            takes=takes,
            sound=sound,
            marks=mark.marks,
            target=folder / "marked.mp4",
            report=report,
        )
        report.next_stage(facts.frame_count)
        look(render)
        signed = sign(
            folder / "marked.mp4",
            folder / "signed.mp4",
            facts=_manifest_facts(render, scene_path, sound, mark),
            signer=house_keys.signer(),
        )
        read_back(folder / "signed.mp4", mark, signed, report)
        deliverable = Deliverable(
            render=render,
            sha256=sha256_of(folder / "signed.mp4"),
            size_bytes=(folder / "signed.mp4").stat().st_size,
            frame_count=facts.frame_count,
            manifest_id=signed.manifest_id,
            mark_id=mark.mark_id.hex(),
            mark_key_id=mark.key_id,
            fingerprint=fingerprint,
            render_seconds=_seconds(render, began),
        )
        _publish(render, deliverable, folder / "signed.mp4")


def _track_render(render: Render, track: Track, target: Path) -> None:
    scene = render.dub.scene
    facts = Probe.from_json(scene.media_facts)
    times_s = _frame_times_s(render, facts)[track.first_frame : track.end_frame]
    start_s = max(0.0, float(times_s[0]) - CONTEXT_S)
    report = Progress(
        render,
        units=track.end_frame - track.first_frame + 2 * facts.frame_count,
        look=lambda: look(render),
        shot=track.shot.index + 1,
        shots=scene.shots.count(),
    )
    with ExitStack() as stack:
        engine = NativeEngine.load(actor=_learned(track.actor, stack))
        make_mouths(
            scene=stack.enter_context(local_path(scene.file)),
            probe=facts,
            take=_take(track, target),
            times_s=times_s - start_s,
            sound=_spoken(
                render, track.actor, facts, start_s, float(times_s[-1]) + CONTEXT_S
            ),
            engine=engine,
            controls=Controls(**render.controls),
            report=report,
        )
        row = TrackRender(
            render=render, track=track, weights_sha256=engine.weights_sha256
        )
        keep(row.patches, target, suffix="mouths")
        row.save()


def _take(track: Track, patches: Path) -> Take:
    with track.landmarks.open("rb") as file:
        landmarks = np.load(file, allow_pickle=False)
    return Take(
        first_frame=track.first_frame,
        end_frame=track.end_frame,
        landmarks=landmarks,
        patches=patches,
    )


@contextmanager
def _kept_take(render: Render, track: Track) -> Iterator[Take]:
    row = render.track_renders.filter(track=track).first()
    if row is None:
        raise SynthesisError(
            "shot-not-rendered",
            f"The worker ended before shot {track.shot.index + 1} was done."
            " Render again; if it happens again the machine may be short of memory.",
        )
    with local_path(row.patches) as patches:
        yield _take(track, patches)


def _frame_times_s(render: Render, facts: Probe) -> NDArray[np.float64]:
    """Time of each frame on the dub's clock, which starts with the first frame."""
    with render.dub.scene.frame_pts.open("rb") as file:
        pts = np.load(file, allow_pickle=False)
    return (pts - pts[0]) * float(facts.time_base)


def _spoken(
    render: Render, actor: Actor, facts: Probe, start_s: float, stop_s: float
) -> NDArray[np.float32]:
    """The actor's own words between two times: float32 mono at SOUND_RATE_HZ."""
    sound = np.zeros(round((stop_s - start_s) * SOUND_RATE_HZ), np.float32)
    for line in render.dub.lines.filter(actor=actor):
        line_start_s = _line_start_s(line, _frame_times_s(render, facts))
        first, last = start_s - line_start_s, stop_s - line_start_s
        if last <= 0:
            continue
        with local_path(line.sound) as path:
            words = sound_mono_16k(path, max(first, 0.0), last)
        at = max(0, round(-first * SOUND_RATE_HZ))
        count = min(len(words), len(sound) - at)
        sound[at : at + count] += words[:count]
    return sound


def _line_start_s(line: Line, times_s: NDArray[np.float64]) -> float:
    return float(times_s[min(line.first_frame, len(times_s) - 1)])


def _dub_sound(render: Render, facts: Probe, folder: Path, stack: ExitStack) -> Path:
    """The sound the output carries: a single line from the first frame as it came,
    several lines mixed."""
    lines = list(render.dub.lines.all())
    paths = [stack.enter_context(local_path(line.sound)) for line in lines]
    if len(lines) == 1 and lines[0].first_frame == 0:
        return paths[0]
    times_s = _frame_times_s(render, facts)
    placed = [
        (path, _line_start_s(line, times_s), 1.0)
        for path, line in zip(paths, lines, strict=True)
    ]
    mixed = folder / "dub.wav"
    mix_lines(placed, float(facts.duration), mixed)
    return mixed


def _learned(actor: Actor, stack: ExitStack) -> Path | None:
    model = ActorModel.objects.filter(actor=actor).first()
    return stack.enter_context(local_path(model.file)) if model else None
