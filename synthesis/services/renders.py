"""Asking for a render, and taking the wish back."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Max

from consent.models import Actor, Grant, Role
from consent.services.ledger import ledger_append
from synthesis.delivery import Delivery
from synthesis.dials import Dials, FaceSpan
from synthesis.errors import NotAllowed, SynthesisError
from synthesis.media.formats import format_verify
from synthesis.media.probe import Probe
from synthesis.models import (
    Dub,
    Render,
    Scene,
    Shot,
    Track,
    TrackRender,
)
from synthesis.models.renders import RenderQuerySet
from synthesis.queue import drop, enqueue_on_commit
from synthesis.reuse import span_of
from synthesis.services.access import require_role
from synthesis.services.consents import dub_verify
from synthesis.services.faces import faces_refuse_known
from synthesis.services.labels import label_verify
from synthesis.services.leftovers import render_leftovers_delete
from synthesis.services.measured import measured_verify
from synthesis.services.runs import is_lost, runs_move

log = logging.getLogger(__name__)


@transaction.atomic
def render_queue(
    *,
    dub: Dub,
    acting_user: AbstractBaseUser,
    controls: dict[str, Any] | None = None,
    tier: str = Render.Tier.FINAL,
    delivery: Delivery | None = None,
) -> Render:
    """Queue a render of the dub: one job a shot with a speaking face in it, and one
    that joins them. controls: synthesis.dials as JSON, by default the dub's own.
    delivery: what it is written as, by default as the dub's last one; it is what the
    next one will be by default.
    Raises what is missing in words, ConsentDenied among it."""
    scene = dub.scene
    require_role(project=scene.project, user=acting_user, role=Role.PRODUCER)
    if scene.state != Scene.State.READY:
        raise NotAllowed("scene-not-ready", "The scene is not analysed yet.")
    grants = dub_verify(dub)
    _require_faces(dub)
    measured_verify(dub)
    faces_refuse_known(tracks_to_render(dub))
    label_verify(dub)
    if tier not in Render.Tier.values:
        raise SynthesisError("bad-tier", "Choose a draft or the final version.")
    if delivery is None:
        delivery = delivery_usual(dub)
    delivery_verify(dub, delivery, tier=tier)
    dials = dials_standing(dub, dub.dials if controls is None else controls)
    newest = dub.renders.aggregate(newest=Max("version"))["newest"] or 0
    render = Render.objects.create(
        dub=dub,
        version=newest + 1,
        controls=dials.to_json(),
        delivery=delivery.to_json(),
        tier=tier,
        requested_by_id=acting_user.pk,
        progress={"stage": "Waiting for a worker"},
    )
    render.grants.set(grants)
    Dub.objects.filter(pk=dub.pk).update(delivery=render.delivery)
    ledger_append(
        kind="render-queued",
        subject=str(render.id),
        payload={
            "render": str(render.id),
            "scene_sha256": scene.sha256,
            "language": dub.language,
            "tier": render.tier,
            "format": str(delivery.format),
            "grants": sorted(str(grant.id) for grant in grants),
        },
        acting_user=acting_user,
    )
    _enqueue(render)
    return render


@transaction.atomic
def render_cancel(*, render: Render, acting_user: AbstractBaseUser) -> None:
    """Stop a waiting or running render; it notices within a second."""
    project = render.dub.scene.project
    require_role(project=project, user=acting_user, role=Role.PRODUCER)
    renders_end(
        Render.objects.filter(id=render.id),
        state=Render.State.CANCELLED,
        code="cancelled",
        sentence="Cancelled before it was finished. Nothing was written.",
    )


def renders_end(
    renders: RenderQuerySet, *, state: Render.State, code: str, sentence: str
) -> list[UUID]:
    """Move those of the renders that are still live to an end state, and drop their
    jobs on commit. Returns the ids that were moved."""
    ended = runs_move(renders, state=state, code=code, sentence=sentence)

    def stop() -> None:
        _drop_jobs(ended)
        for render_id in ended:
            render_leftovers_delete(render_id)

    transaction.on_commit(stop)
    return ended


def render_look_after(render: Render) -> None:
    """Fail a live render whose jobs are gone for good. Called by whoever watches it."""
    if is_lost(render, _job_ids(render)):
        renders_end(
            Render.objects.filter(id=render.id),
            state=Render.State.FAILED,
            code="worker-lost",
            sentence="The worker ended before this was done, more than once. Render"
            " again; if it happens again the machine may be short of memory.",
        )
        render.refresh_from_db()


def consent_withdraw(*, grant_id: str) -> None:
    """What a withdrawal does to renders: those that are live end. Downloads need
    nothing: they ask the policy each time."""
    with transaction.atomic():
        ended = renders_end(
            Render.objects.filter(grants__id=grant_id),
            state=Render.State.WITHDRAWN,
            code="consent-withdrawn",
            sentence="The actor withdrew consent while this was being made. "
            "Nothing was written.",
        )
    log.info("consent withdrawn grant=%s renders=%d", grant_id, len(ended))


def consent_suspend(*, grant_id: str) -> None:
    """What a suspension does to renders: those that are live end. Files that were made
    are closed by the policy for as long as it lasts."""
    with transaction.atomic():
        ended = renders_end(
            Render.objects.filter(grants__id=grant_id),
            state=Render.State.WITHDRAWN,
            code="consent-suspended",
            sentence="The actor suspended consent while this was being made. Nothing"
            " was written. Render again once it is lifted.",
        )
    log.info("consent suspended grant=%s renders=%d", grant_id, len(ended))


def shots_to_render(dub: Dub) -> list[Shot]:
    """The shots in which somebody who speaks in the dub has a face."""
    return list(
        Shot.objects.filter(scene=dub.scene, tracks__actor__lines__dub=dub)
        .distinct()
        .order_by("index")
    )


def tracks_to_render(dub: Dub, shot: Shot | None = None) -> list[Track]:
    """The faces that shall move, in one shot or in all."""
    tracks = Track.objects.filter(
        shot__scene=dub.scene, actor__lines__dub=dub
    ).distinct()
    if shot is not None:
        tracks = tracks.filter(shot=shot)
    return list(tracks.select_related("shot", "actor").order_by("number"))


def delivery_usual(dub: Dub) -> Delivery:
    """What the dub is written as unless it is asked otherwise."""
    facts = Probe.from_json(dub.scene.media_facts)
    return Delivery.usual(dub.delivery, facts)


def delivery_verify(dub: Dub, delivery: Delivery, *, tier: str) -> None:
    """Raise SynthesisError where the scene cannot be written so."""
    facts = Probe.from_json(dub.scene.media_facts)
    asked = delivery.of_tier(facts, draft=tier == Render.Tier.DRAFT)
    format_verify(asked.format, facts)


def speaking_faces(dub: Dub) -> list[FaceSpan]:
    """The faces whose mouths a dub's dials may move."""
    return [span_of(track) for track in tracks_to_render(dub)]


def dials_standing(dub: Dub, fields: dict[str, Any]) -> Dials:
    """Dials read from JSON, as far as they are meant for faces that still speak.
    Raises BadControl."""
    faces = speaking_faces(dub)
    frame_count = Probe.from_json(dub.scene.media_facts).frame_count
    return Dials.from_json(fields).only(faces).checked(frame_count, faces)


def take_files_drop(row: TrackRender) -> None:
    """Take a deleted row's mouths off the disk, once no version shares them."""
    name, storage = row.patches.name, row.patches.storage

    def drop_unshared() -> None:
        if name and not TrackRender.objects.filter(patches=name).exists():
            storage.delete(name)

    transaction.on_commit(drop_unshared)


def grants_standing(render: Render) -> list[Grant]:
    """The grants named by a render, locked for the rest of the transaction so that a
    withdrawal comes wholly before or wholly after."""
    ids = render.grants.values_list("id", flat=True)
    return list(Grant.objects.select_for_update().filter(id__in=list(ids)))


def _require_faces(dub: Dub) -> None:
    for actor in Actor.objects.filter(lines__dub=dub).distinct():
        if not Track.objects.filter(shot__scene=dub.scene, actor=actor).exists():
            raise SynthesisError(
                "no-face-assigned",
                f"{actor.stage_name} speaks in this dub, but no face in the scene is"
                " theirs yet. Assign a face first.",
            )


def _enqueue(render: Render) -> None:
    shots = shots_to_render(render.dub)
    *shot_jobs, finish_job = _job_ids(render)
    for shot, job_id in zip(shots, shot_jobs, strict=True):
        enqueue_on_commit("render_shot", str(render.id), str(shot.pk), job_id=job_id)
    enqueue_on_commit(
        "finish_render", str(render.id), job_id=finish_job, after=tuple(shot_jobs)
    )


def _job_ids(render: Render) -> tuple[str, ...]:
    shots = shots_to_render(render.dub)
    names = [f"shot-{shot.index}" for shot in shots] + ["finish"]
    return tuple(f"render-{render.id}-{name}" for name in names)


def _drop_jobs(render_ids: list[UUID]) -> None:
    for render in Render.objects.filter(id__in=render_ids).select_related("dub"):
        for job_id in _job_ids(render):
            drop(job_id)
