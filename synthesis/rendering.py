"""A render's rows on one side, the pipeline's plain files on the other."""

from __future__ import annotations

import logging
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from consent.models import Actor
from consent.services.ledger import ledger_append, ledger_root
from synthesis import house_keys, software_version
from synthesis.engines.base import SOUND_RATE_HZ, Controls, ShotFace
from synthesis.engines.native import NativeEngine
from synthesis.errors import SynthesisError
from synthesis.media.frames import read_frames
from synthesis.media.probe import Probe, probe, sha256_file
from synthesis.media.sound import Line as PlacedLine
from synthesis.media.sound import mix_lines, sound_mono_16k
from synthesis.models import (
    Deliverable,
    Line,
    Render,
    Shot,
    Track,
    TrackRender,
)
from synthesis.performance.kept import codes_pack
from synthesis.pipeline import Marks, Take, assemble, make_mouths
from synthesis.progress import Progress, look
from synthesis.provenance.label import Box, Label, pick_corner
from synthesis.provenance.manifest import ManifestFacts, sign
from synthesis.provenance.mark import Embedder
from synthesis.provenance.read import read_credential
from synthesis.provenance.readback import Plane, check_output
from synthesis.services.consents import model_in_use
from synthesis.services.renders import grants_standing, tracks_to_render
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
            marks=Marks(mark.label, mark.embedder),
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
            anchors=house_keys.anchors(),
        )
        read_back(folder / "signed.mp4", mark, signed.manifest_id, report)
        deliverable = Deliverable(
            render=render,
            sha256=sha256_file(folder / "signed.mp4"),
            size_bytes=(folder / "signed.mp4").stat().st_size,
            frame_count=facts.frame_count,
            manifest_id=signed.manifest_id,
            mark_id=mark.mark_id.hex(),
            mark_key_id=mark.key[0],
            fingerprint=fingerprint,
            render_seconds=_seconds(render),
        )
        _publish(render, deliverable, folder / "signed.mp4")


def _track_render(render: Render, track: Track, target: Path) -> None:
    scene = render.dub.scene
    facts = Probe.from_json(scene.media_facts)
    times_s = facts.times_s()[track.first_frame : track.end_frame]
    start_s = max(0.0, float(times_s[0]) - CONTEXT_S)
    report = Progress(
        render,
        units=track.end_frame - track.first_frame + 2 * facts.frame_count,
        look=lambda: look(render),
        shot=track.shot.index + 1,
        shots=scene.shots.count(),
    )
    report("Loading the network", 0, track.end_frame - track.first_frame)
    with ExitStack() as stack:
        engine = NativeEngine.load(
            actor=_learned(track, stack), threads=settings.RENDER_THREADS
        )
        take, controls = _take(track, target), Controls(**render.controls)
        sound = _spoken(
            render, track.actor, facts, start_s, float(times_s[-1]) + CONTEXT_S
        )
        make_mouths(
            scene=stack.enter_context(local_path(scene.file)),
            probe=facts,
            take=take,
            times_s=times_s - start_s,
            sound=sound,
            engine=engine,
            controls=controls,
            report=report,
        )
        # Codes need no picture.
        heard = ShotFace(lambda: iter(()), take.landmarks, times_s - start_s, sound)
        row = TrackRender(
            render=render,
            track=track,
            weights_sha256=engine.weights_sha256,
            codes=codes_pack(engine.lip_codes(heard, controls)),
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


def _spoken(
    render: Render, actor: Actor | None, facts: Probe, start_s: float, stop_s: float
) -> NDArray[np.float32]:
    """The actor's own words between two times: float32 mono at SOUND_RATE_HZ."""
    sound = np.zeros(round((stop_s - start_s) * SOUND_RATE_HZ), np.float32)
    for line in render.dub.lines.filter(actor=actor):
        at_s = _line_start_s(line, facts)
        with local_path(line.sound) as path:
            words = sound_mono_16k(path, start_s - at_s, stop_s - at_s)
        count = min(len(words), len(sound))
        sound[:count] += words[:count]
    return sound


def _line_start_s(line: Line, facts: Probe) -> float:
    return facts.pts[line.first_frame] * float(facts.time_base)


def _dub_sound(render: Render, facts: Probe, folder: Path, stack: ExitStack) -> Path:
    """The sound the output carries: a single line from the first frame as it came,
    several lines mixed."""
    lines = list(render.dub.lines.all())
    paths = [stack.enter_context(local_path(line.sound)) for line in lines]
    if len(lines) == 1 and lines[0].first_frame == 0:
        return paths[0]
    mixed = folder / "dub.wav"
    placed = [
        PlacedLine(path, _line_start_s(line, facts))
        for path, line in zip(paths, lines, strict=True)
    ]
    mix_lines(placed, facts.duration, mixed)
    return mixed


def _learned(track: Track, stack: ExitStack) -> Path | None:
    """Folder of what the networks learned of this track's actor, or None."""
    project = track.shot.scene.project
    model = model_in_use(actor=track.actor, project=project)
    if model is None:
        return None
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch_dir())))
    with local_path(model.file) as packed:
        shutil.unpack_archive(packed, folder, format="zip")
    return folder


@dataclass(frozen=True)
class Mark:
    """The identity of one output, and what draws it."""

    key: tuple[str, bytes]
    mark_id: bytes
    label: Label
    embedder: Embedder


def new_mark(facts: Probe, takes: Sequence[Take]) -> Mark:
    """A fresh random identity, and a label that stays clear of the faces.
    Raises SynthesisError where the picture is too small to carry a mark."""
    key = house_keys.all_mark_keys()[0]
    mark_id = secrets.token_bytes(8)
    width, height = facts.width, facts.height
    return Mark(
        key=key,
        mark_id=mark_id,
        label=Label(
            width,
            height,
            corner=pick_corner(width, height, map(_face_box, takes)),
            full_range=facts.colour.full_range,
        ),
        embedder=Embedder(key[1], mark_id, width, height),
    )


def _face_box(take: Take) -> Box:
    """The rectangle a face stays in through its shot, in pixels."""
    points = take.landmarks[:, :, :2]
    left, top = np.nanmin(points, axis=(0, 1))
    right, bottom = np.nanmax(points, axis=(0, 1))
    return Box(int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom)))


def _manifest_facts(
    render: Render, scene: Path, sound: Path, mark: Mark
) -> ManifestFacts:
    dub = render.dub
    weights = sorted(render.track_renders.values_list("weights_sha256", flat=True))
    _, root = ledger_root()
    return ManifestFacts(
        title=f"Dub in {dub.language}",
        scene_path=scene,
        scene_sha256=dub.scene.sha256,
        sound_path=sound,
        sound_sha256=sha256_file(sound),
        model_name="lipweb native",
        model_sha256=weights[0],
        source_language=dub.scene.language,
        target_language=dub.language,
        mark_id=mark.mark_id.hex(),
        consent_records=tuple(
            sorted(grant.canonical_sha256 for grant in render.grants.all())
        ),
        ledger_root=root.hex(),
        software_version=software_version(),
    )


def read_back(path: Path, mark: Mark, manifest_id: str, report: Progress) -> None:
    """Look for label, mark and manifest on the finished file itself. Raises
    not-read-back unless all three are there."""
    facts = probe(path)

    def frames() -> Iterator[tuple[Plane, Plane, Plane]]:
        for planes in read_frames(path, facts):
            report("Checking the marks", planes.index + 1, facts.frame_count)
            yield planes.y, planes.u, planes.v

    found = check_output(
        frames(),
        label=mark.label,
        mark_key=mark.key,
        mark_id=mark.mark_id,
        credential=read_credential(path, anchors=house_keys.anchors()),
        manifest_id=manifest_id,
    )
    if not found.complete:
        raise SynthesisError(
            "not-read-back",
            "The finished file was not kept, because its marks could not be read back: "
            + " ".join(found.problems),
        )


def _publish(render: Render, deliverable: Deliverable, path: Path) -> None:
    """Let the deliverable exist, if the consent it stands on still does. The grants
    are locked meanwhile: a withdrawal comes before, or after and closes it."""
    keep(deliverable.file, path, suffix="mp4")
    try:
        with transaction.atomic():
            grants_standing(render)
            look(render)
            deliverable.save()
            Render.objects.filter(id=render.id).update(
                state=Render.State.READY, ended_at=timezone.now(), progress={}
            )
            ledger_append(
                kind="deliverable-made",
                payload={
                    "deliverable": str(deliverable.id),
                    "render": str(render.id),
                    "sha256": deliverable.sha256,
                    "mark": deliverable.mark_id,
                    "grants": sorted(str(g.id) for g in render.grants.all()),
                },
                acting_user=render.requested_by,
            )
    except BaseException:
        deliverable.file.delete(save=False)
        raise


def _seconds(render: Render) -> float:
    started = render.started_at or timezone.now()
    return (timezone.now() - started).total_seconds()
