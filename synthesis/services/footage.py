"""Footage of an actor that was uploaded only to learn from: kept, compared, deleted."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from consent.models import Actor, Grant, Project, Role
from consent.policy import uses_allowed
from synthesis.errors import NotAllowed, SynthesisError
from synthesis.media.probe import sha256_file
from synthesis.models import Footage, Upload
from synthesis.services.access import require_role
from synthesis.services.consents import training_grant, training_use
from synthesis.services.faces import footage_sight, sighting_delete, sighting_of
from synthesis.services.uploads import upload_take
from synthesis.storage import keep


@transaction.atomic
def footage_add(
    *, project: Project, actor: Actor, upload: Upload, acting_user: AbstractBaseUser
) -> Footage:
    """Keep a complete upload to learn the actor's mouth from. The same file twice is
    one. Raises ConsentDenied unless a grant allows training on it."""
    require_role(project=project, user=acting_user, role=Role.PRODUCER)
    require_cast(project, actor)
    path = upload_take(upload=upload, acting_user=acting_user)
    sha256 = sha256_file(path)
    training_grant(project=project, actor=actor, sources=[sha256])
    known = Footage.objects.filter(project=project, actor=actor, sha256=sha256).first()
    if known is not None:
        path.unlink(missing_ok=True)
        return known
    footage = Footage(
        project=project,
        actor=actor,
        original_name=upload.name,
        sha256=sha256,
        size_bytes=upload.size_bytes,
        uploaded_by_id=acting_user.pk,
    )
    keep(footage.file, path, suffix="bin")
    footage.save()
    footage_sight(footage=footage, acting_user=acting_user)
    return footage


@transaction.atomic
def footage_remove(*, footage: Footage, acting_user: AbstractBaseUser) -> None:
    """Delete uploaded footage. What was learned from it stays."""
    require_role(project=footage.project, user=acting_user, role=Role.PRODUCER)
    if footage.adaptations.live().exists():
        raise NotAllowed(
            "learning-under-way",
            "This footage is being learned from. Wait for the end, or cancel first.",
        )
    footage_delete([footage])


def footage_delete(rows: Iterable[Footage]) -> None:
    """Delete footage with the portraits cut from it, in the caller's transaction, and
    the files on commit."""
    for footage in rows:
        sighting = sighting_of(footage)
        if sighting is not None:
            sighting_delete(sighting)
        file = footage.file
        footage.delete()
        transaction.on_commit(partial(file.delete, save=False))


def footage_uncovered(grant_id: str) -> list[Footage]:
    """The actor's footage in the production of a grant that no grant covers now."""
    grant = Grant.objects.select_related("project", "actor").get(pk=grant_id)
    rows = Footage.objects.filter(project=grant.project, actor=grant.actor)
    uses = {row: training_use(grant.project, grant.actor, row.sha256) for row in rows}
    allowed = uses_allowed(uses.values())
    return [row for row, use in uses.items() if use not in allowed]


def require_cast(project: Project, actor: Actor) -> None:
    """Raise SynthesisError unless the actor is in the cast of the production."""
    if not Actor.objects.cast_in(project).filter(pk=actor.pk).exists():
        raise SynthesisError(
            "not-cast", f"{actor} is not in the cast of this production."
        )
