"""The face guard: whose face a track is said to be, and whether work may go on with it.

A face that is assigned, or seen in footage to learn from, is compared by a worker with
what the actor has enrolled. Only a recognised face, or one the actor confirmed with a
passkey, may be rendered or learned. A producer can neither enrol a face nor confirm
one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.contrib.auth.models import AbstractBaseUser
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _

from consent.access import require_self
from consent.errors import ConsentError
from consent.models import Actor, Grant, Role
from consent.policy import grants_usable
from consent.services.ledger import ledger_append
from synthesis.errors import MediaRefused, NotAllowed, SynthesisError
from synthesis.models import (
    Dub,
    FaceEnrolment,
    FaceSighting,
    Footage,
    Track,
)
from synthesis.queue import drop, enqueue_on_commit
from synthesis.services.access import require_role
from synthesis.services.consents import training_grant, use_of
from synthesis.services.face_confirmations import is_confirmed
from synthesis.services.face_questions import face_waiting_tell
from synthesis.services.measured import face_data_missing

log = logging.getLogger(__name__)

Verdict = FaceSighting.Verdict
REFERENCE_MAX_BYTES = 64 << 20

REFUSALS: dict[str, tuple[str, str]] = {
    Verdict.OTHER: (
        "face-mismatch",
        "{face} does not look like {actor}. {instead}, or ask {actor} to confirm on"
        " their own page that it is them.",
    ),
    Verdict.UNSURE: (
        "face-unsure",
        "{face}: it could not be told whether this is {actor}. {reason} Ask {actor} to"
        " confirm it on their own page. {instead} if it is not them.",
    ),
    Verdict.UNKNOWN: (
        "face-not-enrolled",
        "{face} cannot be compared with anything yet: {actor} has not shown their face"
        " here. Ask {actor} to confirm it on their own page.",
    ),
    Verdict.DENIED: (
        "face-denied",
        "{actor} says that this is not them: {face}. {instead}.",
    ),
    Verdict.WAITING: (
        "face-not-compared",
        "{face} has not been compared with {actor} yet. Try again in a moment.",
    ),
}
Seen = Track | Footage
"""Where a face is seen that is said to be an actor's."""


def sighting_of(seen: Seen) -> FaceSighting | None:
    """The guard's row about a track, if it is about the actor the track has now, or
    about footage."""
    if isinstance(seen, Track):
        row = FaceSighting.objects.filter(track=seen).first()
    else:
        row = FaceSighting.objects.filter(footage=seen).first()
    return row if row is not None and row.actor_id == seen.actor_id else None


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
def footage_sight(*, footage: Footage, acting_user: AbstractBaseUser) -> FaceSighting:
    """Have footage looked at, in which only its actor is said to be seen. Runs in the
    transaction that keeps it."""
    known = sighting_of(footage)
    if known is not None:
        return known
    sighting = FaceSighting.objects.create(
        actor=footage.actor,
        project=footage.project,
        footage=footage,
        title=footage.original_name,
        source_sha256=footage.sha256,
        said_by_id=acting_user.pk,
    )
    _enqueue_look(sighting)
    return sighting


@transaction.atomic
def reference_propose(
    *, footage: Footage, acting_user: AbstractBaseUser
) -> FaceSighting:
    """Ask the actor whether their face may be remembered from footage that is learned
    from. Needs consent to learn from that footage; ConsentDenied without, NotAllowed
    where the actor has answered."""
    require_role(project=footage.project, user=acting_user, role=Role.PRODUCER)
    training_grant(
        project=footage.project, actor=footage.actor, sources=[footage.sha256]
    )
    sighting = footage_sight(footage=footage, acting_user=acting_user)
    if sighting.verdict == Verdict.DENIED or is_confirmed(sighting):
        raise NotAllowed(
            "answered-already",
            f"{footage.actor} has said already whether this face is theirs.",
        )
    if not sighting.proposed:
        sighting.proposed = True
        sighting.save(update_fields=["proposed"])
        face_waiting_tell(sighting)
    return sighting


def sighting_refusal(
    sighting: FaceSighting | None, seen: Seen
) -> SynthesisError | None:
    """Why no mouth may be moved or learned there, or None if it may."""
    if sighting is None and isinstance(seen, Track) and not seen.landmarks:
        return face_data_missing(seen)
    verdict = sighting.verdict_now if sighting else Verdict.WAITING
    if verdict == Verdict.SAME:
        return None
    if sighting and verdict != Verdict.DENIED and is_confirmed(sighting):
        return None
    code, sentence = REFUSALS[verdict]
    reason = sighting.reason if sighting else ""
    if sighting and reason and not sighting.sheet_sha256:
        return SynthesisError(code, reason)  # nothing that could be confirmed
    words = sentence.format(actor=seen.actor, reason=reason, **_named(seen))
    return SynthesisError(code, " ".join(words.split()))


def _named(seen: Seen) -> dict[str, str]:
    if isinstance(seen, Track):
        instead = "Assign it to somebody else"
        return {"face": f"Face {seen.number}", "instead": instead}
    return {"face": f"The face in “{seen}”", "instead": "Remove it"}


def faces_verify(faces: Iterable[Seen]) -> None:
    """Raise SynthesisError with the guard's sentence unless every face is its actor's,
    as far as can be told, or the actor said so."""
    for seen in faces:
        refusal = sighting_refusal(sighting_of(seen), seen)
        if refusal is not None:
            raise refusal


def faces_refuse_known(faces: Iterable[Seen]) -> None:
    """The same for what is known already: a face that still waits to be compared is
    compared by the worker before anything is made with it."""
    for seen in faces:
        row = sighting_of(seen)
        if row is not None and row.verdict != Verdict.WAITING:
            refusal = sighting_refusal(row, seen)
            if refusal is not None:
                raise refusal


def grant_for_comparing(sighting: FaceSighting) -> Grant | None:
    """The grant under which a face may be compared now: one that allows some dub of
    its scene to be made with the actor, or to learn from the footage. None: compare
    nothing."""
    if sighting.footage is not None:
        row = sighting.footage
        try:
            return training_grant(
                project=row.project, actor=row.actor, sources=[row.sha256]
            )
        except ConsentError:
            return None
    if sighting.track is None:
        return None
    scene = sighting.track.shot.scene
    for dub in Dub.objects.filter(scene=scene, lines__actor=sighting.actor).distinct():
        for grant in grants_usable(use_of(dub, sighting.actor)):
            return grant
    return None


@transaction.atomic
def face_forget(*, actor: Actor, why: str, acting_user: AbstractBaseUser | None) -> int:
    """Delete all that was measured of an actor's face, and the clips they brought;
    confirmations that were signed stay. Returns how many enrolments there were."""
    for sighting in FaceSighting.objects.filter(actor=actor, track=None, footage=None):
        sighting_delete(sighting)
    enrolments = FaceEnrolment.objects.filter(actor=actor)
    return _forget(actor, enrolments, why, acting_user)


def faces_withdraw(*, grant_id: str) -> None:
    """What a withdrawal does: what was enrolled under the grant is deleted, and with an
    actor's last grant everything."""
    grant = Grant.objects.select_related("actor").get(pk=grant_id)
    others = Grant.objects.signed().unrevoked().filter(actor=grant.actor)
    with transaction.atomic():
        if others.exclude(pk=grant.pk).exists():
            enrolments = FaceEnrolment.objects.filter(actor=grant.actor, grant=grant)
            _forget(grant.actor, enrolments, "withdrawn", None)
        else:
            face_forget(actor=grant.actor, why="withdrawn", acting_user=None)


def _forget(
    actor: Actor,
    enrolments: QuerySet[FaceEnrolment],
    why: str,
    acting_user: AbstractBaseUser | None,
) -> int:
    count = enrolments.count()
    enrolments.delete()
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
    """Delete a row at once, and its pictures and its job on commit."""
    files: list[FieldFile] = [sighting.file, sighting.portraits, sighting.sheet]
    job_id = _job_id(sighting)
    sighting.delete()

    def drop_rest() -> None:
        drop(job_id)
        for file in files:
            if file:
                file.delete(save=False)

    transaction.on_commit(drop_rest)


def _job_id(sighting: FaceSighting) -> str:
    return f"look-at-face-{sighting.id}"


def _enqueue_look(sighting: FaceSighting) -> None:
    enqueue_on_commit("look_at_face", str(sighting.id), job_id=_job_id(sighting))
