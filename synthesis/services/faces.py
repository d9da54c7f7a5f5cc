"""The face guard: whose face a track is said to be, and whether work may go on with it.

A face that is assigned, or brought as a reference, is compared by a worker with what
the actor has enrolled. Only a recognised face, or one the actor confirmed with a
passkey, may be rendered. A producer can neither enrol a face nor confirm one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _

from consent.access import require_self
from consent.models import Actor, Grant, Role
from consent.policy import grants_usable
from consent.services.ledger import ledger_append
from synthesis.errors import MediaRefused, SynthesisError
from synthesis.models import (
    Dub,
    FaceEnrolment,
    FaceSighting,
    Footage,
    Track,
)
from synthesis.queue import enqueue_on_commit
from synthesis.services.access import require_role
from synthesis.services.consents import training_grant, use_of
from synthesis.services.face_confirmations import is_confirmed
from synthesis.services.measured import face_data_missing

log = logging.getLogger(__name__)

Verdict = FaceSighting.Verdict
REFERENCE_MAX_BYTES = 64 << 20

REFUSALS: dict[str, tuple[str, str]] = {
    Verdict.OTHER: (
        "face-mismatch",
        "{face} does not look like {actor}. Assign it to somebody else, or ask"
        " {actor} to confirm on their own page that it is them.",
    ),
    Verdict.UNSURE: (
        "face-unsure",
        "It could not be told whether {face} is {actor}. {reason} Ask {actor} to"
        " confirm it on their own page, or assign it to somebody else.",
    ),
    Verdict.UNKNOWN: (
        "face-not-enrolled",
        "There is nothing yet to compare {face} with: {actor} has not shown their face"
        " here. Ask {actor} to confirm it on their own page.",
    ),
    Verdict.DENIED: (
        "face-denied",
        "{actor} says that {face} is not them. Assign it to somebody else.",
    ),
    Verdict.WAITING: (
        "face-not-compared",
        "{face} has not been compared with {actor} yet. Try again in a moment.",
    ),
}


def sighting_of(track: Track) -> FaceSighting | None:
    """The guard's row about a track, if it is about the actor the track has now."""
    row = FaceSighting.objects.filter(track=track).first()
    return row if row is not None and row.actor_id == track.actor_id else None


@transaction.atomic
def track_sight(*, track: Track, acting_user: AbstractBaseUser) -> FaceSighting | None:
    """Have a track looked at, whose actor was just said; what was known of it as
    somebody else's is dropped. Runs in the assigning transaction."""
    known = FaceSighting.objects.filter(track=track).first()
    if known is not None and known.actor_id == track.actor_id:
        return known
    if known is not None:
        sighting_delete(known)
    if track.actor is None:
        return None
    scene = track.shot.scene
    sighting = FaceSighting.objects.create(
        actor=track.actor,
        project=scene.project,
        track=track,
        title=scene.title,
        source_sha256=scene.sha256,
        said_by_id=acting_user.pk,
    )
    _enqueue_look(sighting)
    return sighting


@transaction.atomic
def reference_bring(
    *,
    actor: Actor,
    file: UploadedFile,  # type: ignore[type-arg]
    acting_user: AbstractBaseUser,
) -> FaceSighting:
    """Keep a short clip that the actor brought of their own face until a worker has
    cut portraits from it; the clip is deleted then. Raises MediaRefused."""
    require_self(acting_user, actor)
    if not file.size or file.size > REFERENCE_MAX_BYTES:
        raise MediaRefused(
            "too-large",
            _("Send a clip of up to %(size)d MB: ten seconds of your face are enough.")
            % {"size": REFERENCE_MAX_BYTES >> 20},
        )
    sighting = FaceSighting(
        actor=actor,
        title=str(file.name or _("My own clip"))[:255],
        said_by_id=acting_user.pk,
    )
    sighting.file.save("file.bin", file, save=False)
    sighting.save()
    _enqueue_look(sighting)
    return sighting


@transaction.atomic
def reference_propose(
    *, footage: Footage, acting_user: AbstractBaseUser
) -> FaceSighting:
    """Show the actor a face from footage that is learned from, so that they may enrol
    it. Needs consent to learn from that footage; ConsentDenied without."""
    require_role(project=footage.project, user=acting_user, role=Role.PRODUCER)
    training_grant(
        project=footage.project, actor=footage.actor, sources=[footage.sha256]
    )
    sighting = FaceSighting(
        actor=footage.actor,
        project=footage.project,
        title=footage.original_name,
        source_sha256=footage.sha256,
        said_by_id=acting_user.pk,
    )
    with footage.file.open("rb") as file:
        sighting.file.save("file.bin", file, save=False)
    sighting.save()
    _enqueue_look(sighting)
    return sighting


def sighting_refusal(
    sighting: FaceSighting | None, track: Track
) -> SynthesisError | None:
    """Why no mouth may be moved in a track, or None if it may."""
    if sighting is None and not track.landmarks:
        return face_data_missing(track)
    verdict = sighting.verdict_now if sighting else Verdict.WAITING
    if verdict == Verdict.SAME:
        return None
    if sighting and verdict != Verdict.DENIED and is_confirmed(sighting):
        return None
    code, sentence = REFUSALS[verdict]
    reason = sighting.reason if sighting else ""
    words = sentence.format(
        face=f"Face {track.number}", actor=track.actor, reason=reason
    )
    return SynthesisError(code, " ".join(words.split()))


def faces_verify(tracks: Iterable[Track]) -> None:
    """Raise SynthesisError with the guard's sentence unless every face is its actor's,
    as far as can be told, or the actor said so."""
    for track in tracks:
        refusal = sighting_refusal(sighting_of(track), track)
        if refusal is not None:
            raise refusal


def faces_refuse_known(tracks: Iterable[Track]) -> None:
    """The same for what is known already: a face that still waits to be compared is
    compared by the worker before it is rendered."""
    for track in tracks:
        row = sighting_of(track)
        if row is not None and row.verdict != Verdict.WAITING:
            refusal = sighting_refusal(row, track)
            if refusal is not None:
                raise refusal


def grant_for_comparing(sighting: FaceSighting) -> Grant | None:
    """The grant under which a face may be compared: one that allows some dub of its
    scene to be made with the actor now. None: compare nothing."""
    if sighting.track is None:
        return None
    scene = sighting.track.shot.scene
    for dub in Dub.objects.filter(scene=scene, lines__actor=sighting.actor).distinct():
        for grant in grants_usable(use_of(dub, sighting.actor)):
            return grant
    return None


@transaction.atomic
def face_forget(*, actor: Actor, why: str, acting_user: AbstractBaseUser | None) -> int:
    """Delete all that was measured of an actor's face, and the reference pictures;
    confirmations that were signed stay. Returns how many enrolments there were."""
    rows = FaceEnrolment.objects.filter(actor=actor)
    references = FaceSighting.objects.filter(actor=actor, track=None)
    return _forget(actor, rows, references, why, acting_user)


def faces_withdraw(*, grant_id: str) -> None:
    """What a withdrawal does: what was enrolled under the grant is deleted, and with an
    actor's last grant everything."""
    grant = Grant.objects.select_related("actor").get(pk=grant_id)
    others = Grant.objects.signed().unrevoked().filter(actor=grant.actor)
    with transaction.atomic():
        if others.exclude(pk=grant.pk).exists():
            rows = FaceEnrolment.objects.filter(actor=grant.actor, grant=grant)
            references = FaceSighting.objects.filter(
                actor=grant.actor, track=None, project=grant.project
            )
            _forget(grant.actor, rows, references, "withdrawn", None)
        else:
            face_forget(actor=grant.actor, why="withdrawn", acting_user=None)


def _forget(
    actor: Actor,
    rows: Any,
    references: Any,
    why: str,
    acting_user: AbstractBaseUser | None,
) -> int:
    count = int(rows.count())
    rows.delete()
    for sighting in references:
        sighting_delete(sighting)
    if count:
        ledger_append(
            kind="face-forgotten",
            subject=str(actor.id),
            payload={"actor": str(actor.id), "enrolments": count, "why": why},
            acting_user=acting_user,
        )
    log.info("face forgotten actor=%s enrolments=%d", actor.id, count)
    return count


def sighting_delete(sighting: FaceSighting) -> None:
    """Delete a row at once, and its pictures on commit."""
    files: list[FieldFile] = [sighting.file, sighting.portraits, sighting.sheet]
    sighting.delete()

    def drop_files() -> None:
        for file in files:
            if file:
                file.delete(save=False)

    transaction.on_commit(drop_files)


def _enqueue_look(sighting: FaceSighting) -> None:
    enqueue_on_commit(
        "look_at_face", str(sighting.id), job_id=f"look-at-face-{sighting.id}"
    )
