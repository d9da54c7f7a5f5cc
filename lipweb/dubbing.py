"""The main job without a browser: the same services, queue and worker as the pages."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db.models import Model

from consent.models import Grant, Project
from lipweb.models import User
from synthesis.delivery import Delivery
from synthesis.errors import SynthesisError
from synthesis.media.probe import Probe, sha256_file
from synthesis.models import Deliverable, Line, Render, Scene, Track, Upload
from synthesis.scenes.facts import Clock
from synthesis.scenes.label_words import label_in_words, label_remarks
from synthesis.services.renders import render_look_after, render_queue
from synthesis.services.review import deliverable_open
from synthesis.services.scenes import (
    dub_create,
    line_add,
    scene_create,
    track_assign,
)
from synthesis.services.uploads import upload_append, upload_begin
from synthesis.services.verification import file_verify
from synthesis.storage import local_path

Say = Callable[[str], None]
CHUNK_BYTES = 4 << 20
LOOK_EVERY_S = 0.25


def file_upload(*, project: Project, path: Path, acting_user: User) -> Upload:
    """Bring a file of this disk in through the same chunks as a browser's."""
    upload = upload_begin(
        project=project,
        name=path.name,
        size_bytes=path.stat().st_size,
        acting_user=acting_user,
    )
    offset = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            offset = upload_append(
                upload=upload,
                offset_bytes=offset,
                chunk=chunk,
                acting_user=acting_user,
            )
    return upload


def scene_bring(
    *, project: Project, path: Path, language: str, acting_user: User, say: Say
) -> Scene:
    """Upload a scene and wait for its analysis. The same file twice is one scene."""
    known = Scene.objects.filter(
        project=project, sha256=sha256_file(path), state=Scene.State.READY
    ).first()
    if known is not None:
        say(f"scene: {path.name} is already analysed")
        return known
    scene = scene_create(
        upload=file_upload(project=project, path=path, acting_user=acting_user),
        title=path.stem,
        language=language,
        acting_user=acting_user,
    )
    _follow(scene, lambda: scene.state != Scene.State.ANALYSING, "analysis", say)
    if scene.state == Scene.State.REFUSED:
        raise SynthesisError(scene.error_code, scene.error_sentence)
    say(
        f"analysis: {scene.shots.count()} shots,"
        f" {Track.objects.filter(shot__scene=scene).count()} faces"
    )
    return scene


def faces_assign(
    *, scene: Scene, grant: Grant, number: int | None, acting_user: User, say: Say
) -> None:
    """Give the grant's actor face number (or, where each shot has one face, all)."""
    tracks = list(Track.objects.filter(shot__scene=scene).select_related("shot"))
    if number is not None:
        chosen = [track for track in tracks if track.number == number]
    else:
        chosen = tracks
    if number is None and len({track.shot_id for track in tracks}) < len(tracks):
        raise SynthesisError(
            "which-face",
            "Several faces share a shot: say which is the actor's with --track N, "
            f"N from 1 to {len(tracks)}.",
        )
    if not chosen:
        raise SynthesisError(
            "no-face", "No such face was found in this scene, so no lips can be moved."
        )
    for track in chosen:
        track_assign(track=track, actor=grant.actor, acting_user=acting_user)
        say(f"face {track.number}: {grant.actor}")


def line_put(
    *, scene: Scene, grant: Grant, language: str, sound: Path, acting_user: User
) -> Line:
    """Make the dub consist of this one line, from the first frame."""
    dub = dub_create(scene=scene, language=language, acting_user=acting_user)
    sha256 = sha256_file(sound)
    lines = list(dub.lines.all())
    if [(line.sha256, line.actor_id) for line in lines] == [(sha256, grant.actor_id)]:
        return lines[0]
    dub.lines.all().delete()
    return line_add(
        dub=dub,
        actor=grant.actor,
        upload=file_upload(project=scene.project, path=sound, acting_user=acting_user),
        first_frame=0,
        acting_user=acting_user,
    )


def render_make(
    *,
    line: Line,
    acting_user: User,
    say: Say,
    tier: Render.Tier = Render.Tier.FINAL,
    delivery: Delivery | None = None,
) -> Deliverable:
    """Queue a render, follow it to its end, return what was made."""
    render = render_queue(
        dub=line.dub, acting_user=acting_user, tier=tier, delivery=delivery
    )
    for grant in render.grants.all():
        say(f"consent: grant {grant.id} allows it")
    _follow(render, lambda: render.state not in Render.LIVE, "render", say)
    if render.state != Render.State.READY:
        raise SynthesisError(render.error_code, render.error_sentence)
    return render.deliverable


def _follow(row: Model, is_over: Callable[[], bool], what: str, say: Say) -> None:
    told = ""
    while True:
        row.refresh_from_db()
        if isinstance(row, Render):
            render_look_after(row)
        if is_over():
            return
        progress = row.progress  # type: ignore[attr-defined]
        line = f"{what}: {progress.get('stage', 'waiting')}"
        if progress.get("frames"):
            line += f", frame {progress['frame']} of {progress['frames']}"
        if progress.get("eta_s") is not None:
            line += f", {progress['fps']} fps, about {progress['eta_s']:.0f} s left"
        if line != told:
            say(line)
            told = line
        time.sleep(LOOK_EVERY_S)


def outcome(
    deliverable: Deliverable, *, acting_user: User, say: Say, out: Path | None = None
) -> dict[str, Any]:
    """Hand the file out under the policy, read it as a stranger would, and return the
    facts about it; out: a folder for a copy. Raises when it does not verify."""
    deliverable_open(
        deliverable=deliverable,
        acting_user=acting_user,
        purpose="copy" if out else "review",
    )
    render = deliverable.render
    clip_s = float(Probe.from_json(render.dub.scene.media_facts).duration)
    with local_path(deliverable.file) as path:
        found = file_verify(path)
        told = copied(path, out, deliverable) if out else path
    say(f"label: {label_in_words(deliverable.label)}")
    for remark in label_remarks(deliverable.label, Clock.of(render.dub.scene)):
        say(f"label: {remark}")
    say(f"verify: {found['verdict']}")
    if found["deliverable"] != str(deliverable.id) or not found["mark"]["found"]:
        raise SynthesisError("not-verified", "The finished file did not verify.")
    return {
        "path": str(told),
        "sha256": deliverable.sha256,
        "manifest": deliverable.manifest_id,
        "mark": deliverable.mark_id,
        "label": deliverable.label["wording"],
        "frames": deliverable.frame_count,
        "media": deliverable.media,
        "seconds": round(deliverable.render_seconds, 2),
        "realtime_factor": round(deliverable.render_seconds / clip_s, 2),
        "credential": found["credential"]["state"],
        "verdict": found["verdict"],
    }


def copied(path: Path, out: Path, deliverable: Deliverable) -> Path:
    """Copy a file into a folder under a name for people, and return where it lies."""
    out.mkdir(parents=True, exist_ok=True)
    render = deliverable.render
    title = "".join(
        c if c.isalnum() or c in "-_ " else "_" for c in render.dub.scene.title
    )
    copy = out / f"{title}-{render.dub.language}-v{render.version}.{deliverable.suffix}"
    shutil.copyfile(path, copy)
    return copy
