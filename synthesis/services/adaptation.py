"""Learning an actor's mouth: asking for it, taking it back, deleting it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.db.models.fields.files import FieldFile
from django.utils import timezone

from consent.errors import ConsentError
from consent.models import Actor, Grant, Membership, Project, Role
from consent.services.ledger import ledger_append
from synthesis.errors import NotAllowed
from synthesis.models import (
    ActorModel,
    Adaptation,
    AdaptationPart,
    Footage,
    ModelStill,
    Scene,
    Track,
)
from synthesis.models.adaptations import AdaptationQuerySet
from synthesis.queue import drop, enqueue_on_commit
from synthesis.services.access import require_role
from synthesis.services.consents import model_verify, training_grant
from synthesis.services.faces import faces_refuse_known
from synthesis.services.footage import footage_delete, footage_uncovered, require_cast
from synthesis.services.leftovers import unrecorded_delete, unrecorded_ids
from synthesis.services.runs import is_lost, runs_move
from synthesis.storage import scratch_dir

log = logging.getLogger(__name__)

VIEWING_S = 3600
"""One ledger row a person and model within this time: a page shows many stills."""
LEARNED = (ActorModel, ModelStill)


@transaction.atomic
def adaptation_queue(
    *,
    project: Project,
    actor: Actor,
    scenes: Sequence[Scene] = (),
    footage: Sequence[Footage] = (),
    acting_user: AbstractBaseUser,
) -> Adaptation:
    """Queue the learning of an actor's mouth from scenes in which a face is theirs and
    from footage uploaded for it. Raises what is missing in words, ConsentDenied
    among it."""
    require_role(project=project, user=acting_user, role=Role.PRODUCER)
    require_cast(project, actor)
    offered = scenes_with(project=project, actor=actor)
    theirs = all(row.project == project and row.actor == actor for row in footage)
    if not theirs or any(scene not in offered for scene in scenes):
        raise NotAllowed(
            "not-their-footage",
            f"A scene can be learned from once a face in it is {actor}'s. Assign the"
            " face first.",
        )
    # A face that is not the actor's must not be learned as theirs.
    tracks = Track.objects.filter(shot__scene__in=scenes, actor=actor)
    faces_refuse_known([*tracks.select_related("actor"), *footage])
    live = Adaptation.objects.live().filter(project=project, actor=actor)
    if live.exists():
        raise NotAllowed(
            "learning-under-way",
            f"{actor}'s mouth is being learned already. Wait for the end, or cancel"
            " first.",
        )
    sources = [scene.sha256 for scene in scenes] + [row.sha256 for row in footage]
    grant = training_grant(project=project, actor=actor, sources=sources)
    adaptation = Adaptation.objects.create(
        project=project,
        actor=actor,
        grant=grant,
        requested_by_id=acting_user.pk,
        progress={"stage": "Waiting for a worker"},
    )
    adaptation.scenes.set(scenes)
    adaptation.footage.set(footage)
    ledger_append(
        kind="adaptation-queued",
        subject=str(adaptation.id),
        payload={"grant": str(grant.id), "sources": sources},
        acting_user=acting_user,
    )
    enqueue_on_commit("adapt_actor", str(adaptation.id), job_id=_job_id(adaptation.id))
    return adaptation


@transaction.atomic
def adaptation_cancel(*, adaptation: Adaptation, acting_user: AbstractBaseUser) -> None:
    """Stop a waiting or running adaptation; it notices within a step."""
    require_role(project=adaptation.project, user=acting_user, role=Role.PRODUCER)
    adaptations_end(
        Adaptation.objects.filter(id=adaptation.id),
        state=Adaptation.State.CANCELLED,
        code="cancelled",
        sentence="Cancelled before it was finished. Nothing was kept.",
    )


def adaptation_look_after(adaptation: Adaptation) -> None:
    """Fail a live adaptation whose job is gone for good. Called by whoever watches."""
    if is_lost(adaptation, (_job_id(adaptation.id),)):
        adaptations_end(
            Adaptation.objects.filter(id=adaptation.id),
            state=Adaptation.State.FAILED,
            code="worker-lost",
            sentence="The worker ended before this was done, more than once. Start it"
            " again; if it happens again the machine may be short of memory.",
        )
        adaptation.refresh_from_db()


def adaptations_end(
    adaptations: AdaptationQuerySet,
    *,
    state: Adaptation.State,
    code: str,
    sentence: str,
) -> list[UUID]:
    """Move those that are still live to an end state; on commit their jobs are dropped
    and their work is deleted. Returns the ids that were moved."""
    ended = runs_move(
        adaptations, state=state, code=code, sentence=sentence, progress={}
    )

    def stop() -> None:
        for adaptation_id in ended:
            drop(_job_id(adaptation_id))
            work_delete(adaptation_id)

    transaction.on_commit(stop)
    return ended


def work_delete(adaptation_id: UUID) -> None:
    """Delete crops and checkpoints of a run that has ended: those in storage, weights
    and stills that were put there but never recorded, and what a killed worker left on
    this disk."""
    parts = list(AdaptationPart.objects.filter(adaptation=adaptation_id))
    for part in parts:
        part.delete()
        part.file.delete(save=False)
    for rows in LEARNED:
        unrecorded_delete(rows, adaptation_id)
    for left in scratch_dir().glob(f"{work_prefix(adaptation_id)}*"):
        shutil.rmtree(left, ignore_errors=True)


def work_prefix(adaptation_id: UUID) -> str:
    """How the names of an adaptation's folders in scratch_dir() begin."""
    return f"adaptation-{adaptation_id}-"


@transaction.atomic
def model_delete(*, model: ActorModel, acting_user: AbstractBaseUser) -> None:
    """Forget what was learned of an actor, stills and all."""
    project = model.grant.project
    require_role(project=project, user=acting_user, role=Role.PRODUCER)
    models_delete([model], why="deleted", acting_user=acting_user)


def models_delete(
    models: Iterable[ActorModel], *, why: str, acting_user: AbstractBaseUser | None
) -> int:
    """Delete models with their stills, in the caller's transaction, and their files on
    commit; the ledger keeps that they were. Returns how many."""
    count = 0
    for model in list(models):
        files = [model.file, *(still.file for still in model.stills.all())]
        Adaptation.objects.filter(model=model).update(model_deleted_at=timezone.now())
        ledger_append(
            kind="model-deleted",
            subject=str(model.adaptation_id or ""),
            payload={
                "model_sha256": model.sha256,
                "grant": str(model.grant_id),
                "why": why,
            },
            acting_user=acting_user,
        )
        model.delete()
        transaction.on_commit(lambda files=files: _files_delete(files))  # type: ignore[misc]
        count += 1
    return count


def training_withdraw(*, grant_id: str) -> None:
    """What a withdrawal does to learning: live runs end, models, stills, crops,
    checkpoints and the footage that no other grant covers are deleted."""
    with transaction.atomic():
        ended = adaptations_end(
            Adaptation.objects.filter(grant__id=grant_id),
            state=Adaptation.State.WITHDRAWN,
            code="consent-withdrawn",
            sentence="The actor withdrew consent while this was being learned."
            " Everything learned so far was deleted.",
        )
        learned = models_delete(
            ActorModel.objects.filter(grant__id=grant_id),
            why="withdrawn",
            acting_user=None,
        )
        footage = footage_uncovered(grant_id)
        footage_delete(footage)
    log.info(
        "training withdrawn grant=%s adaptations=%d models=%d footage=%d",
        grant_id,
        len(ended),
        learned,
        len(footage),
    )


def training_suspend(*, grant_id: str) -> None:
    """What a suspension does to learning: live runs end. What was learned is kept, and
    the policy keeps it closed for as long as the suspension lasts."""
    with transaction.atomic():
        ended = adaptations_end(
            Adaptation.objects.filter(grant__id=grant_id),
            state=Adaptation.State.WITHDRAWN,
            code="consent-suspended",
            sentence="The actor suspended consent while this was being learned. Begin"
            " again once it is lifted.",
        )
    log.info("training suspended grant=%s adaptations=%d", grant_id, len(ended))


def adaptations_sweep() -> None:
    """Finish what a withdrawal began on a machine that stopped in its midst, and clear
    the work of runs that have ended."""
    for grant in Grant.objects.revoked().filter(
        id__in=ActorModel.objects.values("grant")
    ):
        training_withdraw(grant_id=str(grant.id))
    ended = Adaptation.objects.exclude(state__in=Adaptation.LIVE)
    left_ids = set[UUID]().union(*(unrecorded_ids(rows) for rows in LEARNED))
    unfinished = ended.filter(Q(parts__isnull=False) | Q(id__in=left_ids)).distinct()
    for adaptation_id in unfinished.values_list("id", flat=True):
        work_delete(adaptation_id)
    live = Adaptation.objects.live().values_list("id", flat=True)
    prefixes = tuple(work_prefix(adaptation_id) for adaptation_id in live)
    for left in scratch_dir().glob("adaptation-*"):
        if not left.name.startswith(prefixes):
            shutil.rmtree(left, ignore_errors=True)


def still_open(*, still: ModelStill, acting_user: AbstractBaseUser) -> FieldFile:
    """Hand out one still, after asking the policy anew, and write down who saw what
    was learned. Raises ConsentDenied or NotAllowed."""
    model = still.model
    project = model.grant.project
    if not Membership.objects.filter(project=project, user_id=acting_user.pk).exists():
        raise NotAllowed("not-found", "There is no such picture here.")
    model_verify(model)
    if cache.add(f"stills:{model.pk}:{acting_user.pk}", 1, VIEWING_S):
        ledger_append(
            kind="model-stills-opened",
            subject=str(model.adaptation_id or ""),
            payload={"model_sha256": model.sha256},
            acting_user=acting_user,
        )
    return still.file


def scenes_with(*, project: Project, actor: Actor) -> list[Scene]:
    """The project's analysed scenes in which a face is the actor's."""
    tracks = Track.objects.filter(actor=actor, shot__scene__project=project)
    rows = Scene.objects.filter(
        state=Scene.State.READY, pk__in=tracks.values("shot__scene")
    )
    return list(rows)


def training_missing(*, project: Project, actor: Actor, sha256: str) -> str:
    """Why the actor's consent does not allow learning from a file, in words; empty
    where it does."""
    try:
        training_grant(project=project, actor=actor, sources=[sha256])
    except ConsentError as denied:
        return denied.sentence
    return ""


def _files_delete(files: Iterable[FieldFile]) -> None:
    for file in files:
        file.delete(save=False)


def _job_id(adaptation_id: UUID) -> str:
    return f"adapt-{adaptation_id}"
