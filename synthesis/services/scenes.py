"""Scenes, who is in them, and what they shall say."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from consent.models import Actor, Role
from consent.record import CONTENT
from consent.services.ledger import ledger_append
from synthesis.errors import MediaRefused, SynthesisError
from synthesis.media.probe import Probe, probe_sound, sha256_file
from synthesis.media.sound import fit_sound
from synthesis.models import Adaptation, Dub, Line, Render, Scene, Track, Upload
from synthesis.queue import LOST_AFTER, enqueue_on_commit, is_over
from synthesis.services.access import require_role
from synthesis.services.faces import track_sight
from synthesis.services.uploads import upload_take
from synthesis.storage import keep

LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@transaction.atomic
def scene_create(
    *, upload: Upload, title: str, language: str, acting_user: AbstractBaseUser
) -> Scene:
    """Make a scene of a complete upload and queue its analysis."""
    require_role(project=upload.project, user=acting_user, role=Role.PRODUCER)
    _require_language(language)
    path = upload_take(upload=upload, acting_user=acting_user)
    scene = Scene(
        project=upload.project,
        title=title.strip()[:160] or upload.name[:160],
        original_name=upload.name,
        size_bytes=upload.size_bytes,
        language=language,
        uploaded_by_id=acting_user.pk,
        progress={"stage": "Waiting for a worker"},
    )
    keep(scene.file, path, suffix="bin")
    scene.save()
    _queue_analysis(scene)
    return scene


@transaction.atomic
def scene_analyse_again(*, scene: Scene, acting_user: AbstractBaseUser) -> None:
    """Analyse a scene once more, after a refusal or a failed analysis."""
    require_role(project=scene.project, user=acting_user, role=Role.PRODUCER)
    if scene.dubs.filter(renders__isnull=False).exists():
        raise SynthesisError(
            "scene-in-use",
            "This scene has renders; its analysis stays as it is. Upload it again.",
        )
    scene.state = Scene.State.ANALYSING
    scene.progress = {"stage": "Waiting for a worker"}
    scene.error_code = scene.error_sentence = ""
    scene.save()
    _queue_analysis(scene)


def scene_look_after(scene: Scene) -> None:
    """Give up on an analysis whose job is gone for good, so that it can be asked for
    again. Called by whoever watches it."""
    young = timezone.now() - scene.uploaded_at < LOST_AFTER
    if scene.state != Scene.State.ANALYSING or young:
        return
    if is_over((_analysis_job(scene),)):
        Scene.objects.filter(id=scene.id, state=Scene.State.ANALYSING).update(
            state=Scene.State.REFUSED,
            error_code="worker-lost",
            error_sentence="The worker ended before the analysis was done, more than"
            " once. Try again; if it happens again the machine may be short of memory.",
        )
        scene.refresh_from_db()


@transaction.atomic
def track_assign(
    *, track: Track, actor: Actor | None, acting_user: AbstractBaseUser
) -> None:
    """Say whose face a track shows, or that nobody has said yet."""
    project = track.shot.scene.project
    require_role(project=project, user=acting_user, role=Role.PRODUCER)
    _require_at_rest(track.shot.scene)
    track.actor = actor
    track.save(update_fields=["actor"])
    ledger_append(
        kind="track-assigned",
        payload={
            "track": str(track.id),
            "scene_sha256": track.shot.scene.sha256,
            "actor": str(actor.id) if actor else None,
        },
        acting_user=acting_user,
    )
    track_sight(track=track, acting_user=acting_user)


def dub_create(*, scene: Scene, language: str, acting_user: AbstractBaseUser) -> Dub:
    """Open a language version of the scene; the same language twice is one dub."""
    require_role(project=scene.project, user=acting_user, role=Role.PRODUCER)
    _require_language(language)
    dub, _ = Dub.objects.get_or_create(
        scene=scene, language=language, defaults={"created_by_id": acting_user.pk}
    )
    return dub


@transaction.atomic
def dub_declare(
    *, dub: Dub, content: Collection[str], acting_user: AbstractBaseUser
) -> None:
    """Say which of consent.record.CONTENT the dub's lines or scene hold; empty for none
    of it. The policy compares it with what each actor excludes, for what is rendered
    from now on and for files that are handed out."""
    require_role(project=dub.scene.project, user=acting_user, role=Role.PRODUCER)
    if set(content).difference(CONTENT):
        raise SynthesisError("unknown-content", "Choose among the kinds listed.")
    # A render under way was allowed for what had been said when it was queued.
    _require_at_rest(dub.scene)
    before, said = dub.content, [kind for kind in CONTENT if kind in content]
    if before == said:
        return
    dub.content, dub.content_at = said, timezone.now()
    dub.content_by_id = acting_user.pk
    dub.save(update_fields=["content", "content_by", "content_at"])
    ledger_append(
        kind="dub-content-declared",
        subject=str(dub.id),
        payload={
            "dub": str(dub.id),
            "scene_sha256": dub.scene.sha256,
            "language": dub.language,
            "content": said,
            "before": before,
        },
        acting_user=acting_user,
    )


@transaction.atomic
def line_add(
    *,
    dub: Dub,
    actor: Actor,
    upload: Upload,
    first_frame: int,
    acting_user: AbstractBaseUser,
) -> Line:
    """Add an actor's dialogue, its sound starting at first_frame of the scene.
    Raises MediaRefused when the file holds no sound that lipweb can read."""
    require_role(project=dub.scene.project, user=acting_user, role=Role.PRODUCER)
    facts = Probe.from_json(dub.scene.media_facts)
    if not 0 <= first_frame < facts.frame_count:
        raise SynthesisError(
            "outside-scene",
            "The line must start inside the scene: frame 0 to"
            f" {facts.frame_count - 1}.",
        )
    _require_at_rest(dub.scene)
    path = upload_take(upload=upload, acting_user=acting_user)
    sound = probe_sound(path)
    _require_fit(path, facts, first_frame)
    line = Line(
        dub=dub,
        actor=actor,
        original_name=upload.name,
        sound_facts=sound.to_json(),
        sha256=sha256_file(path),
        first_frame=first_frame,
    )
    keep(line.sound, path, suffix="bin")
    line.save()
    return line


def line_remove(*, line: Line, acting_user: AbstractBaseUser) -> None:
    """Take a line out of its dub, and its sound off the disk. Files rendered with it
    stay as they are."""
    require_role(project=line.dub.scene.project, user=acting_user, role=Role.PRODUCER)
    _require_at_rest(line.dub.scene)
    line.delete()
    line.sound.delete(save=False)


def _queue_analysis(scene: Scene) -> None:
    enqueue_on_commit("analyse_scene", str(scene.id), job_id=_analysis_job(scene))


def _analysis_job(scene: Scene) -> str:
    return f"analyse-{scene.id}"


def _require_at_rest(scene: Scene) -> None:
    """A render under way is made of what was there when it was queued."""
    if Render.objects.live().filter(dub__scene=scene).exists():
        raise SynthesisError(
            "render-under-way",
            "A render of this scene is under way. Wait for it, or cancel it first.",
        )
    if Adaptation.objects.live().filter(scenes=scene).exists():
        raise SynthesisError(
            "learning-under-way",
            "An actor's mouth is being learned from this scene. Wait for the end, or"
            " cancel it first.",
        )


def _require_fit(path: Path, facts: Probe, first_frame: int) -> None:
    """Speech that would run past the scene's end is refused; silence is cut."""
    left_s = facts.duration - facts.pts[first_frame] * facts.time_base
    fit = fit_sound(path, left_s)
    if fit.over_s > 1 / facts.rate and not fit.over_silent:
        raise MediaRefused(
            "dub-too-long",
            f"This sound is {float(fit.length_s):.2f} s long, but only"
            f" {float(left_s):.2f} s of the scene are left from there: it would be cut"
            f" off by {float(fit.over_s):.2f} s. Shorten it, or start it earlier.",
        )


def _require_language(language: str) -> None:
    if not LANGUAGE_TAG.fullmatch(language):
        raise SynthesisError(
            "bad-language",
            "Write the language as a BCP-47 tag, such as es, de or pt-BR.",
        )
