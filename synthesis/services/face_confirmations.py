"""The actor's word on a face: theirs, for this time or to be remembered, or not theirs.

A confirmation is signed with the actor's passkey over exactly the pictures they were
shown. A producer can neither give nor take one back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from consent.access import require_self
from consent.asked import logged_about
from consent.canonical import canonical_bytes
from consent.errors import SignatureRefused
from consent.face import face_digest, face_document, face_title, shown_face
from consent.proof import document_verify_signature
from consent.services.ledger import ledger_append
from consent.services.passkeys import (
    document_sign,
    signature_payload,
    signing_options,
)
from synthesis.errors import NotAllowed
from synthesis.models import FaceConfirmation, FaceSighting
from synthesis.queue import enqueue_on_commit

Verdict = FaceSighting.Verdict


def confirmation_options(
    *,
    sighting: FaceSighting,
    remembers: bool,
    acting_user: AbstractBaseUser,
    locale: str = "en",
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer confirms the face."""
    require_self(acting_user, sighting.actor)
    document = confirmation_of(sighting, remembers=remembers, locale=locale)
    return signing_options(document=document, holder=sighting.actor)


@transaction.atomic
def face_confirm(
    *,
    sighting: FaceSighting,
    remembers: bool,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
    locale: str = "en",
) -> FaceConfirmation:
    """Keep the actor's signed word that a face is theirs; if it remembers, a worker
    measures it for later comparisons. locale is that of the words shown."""
    sighting = FaceSighting.objects.select_for_update(of=("self",)).get(pk=sighting.pk)
    require_self(acting_user, sighting.actor)
    if FaceConfirmation.objects.filter(
        actor=sighting.actor, face_sha256=digest_of(sighting)
    ).exists():
        raise NotAllowed(
            "confirmed-already", _("You have confirmed this face already.")
        )
    confirmation = confirmation_of(sighting, remembers=remembers, locale=locale)
    document_sign(document=confirmation, holder=sighting.actor, response=assertion)
    confirmation.save()
    if sighting.verdict == Verdict.DENIED:
        FaceSighting.objects.filter(pk=sighting.pk).update(verdict=Verdict.UNKNOWN)
    ledger_append(
        kind="face-confirmed",
        subject=str(confirmation.id),
        payload=signature_payload(confirmation),
        acting_user=acting_user,
    )
    if remembers:
        enqueue_on_commit(
            "measure_face", str(sighting.id), job_id=f"measure-face-{confirmation.id}"
        )
    return confirmation


@transaction.atomic
def face_deny(*, sighting: FaceSighting, acting_user: AbstractBaseUser) -> None:
    """The actor says that a face is not theirs. Needs no passkey: it closes only."""
    require_self(acting_user, sighting.actor)
    if is_confirmed(sighting):
        raise NotAllowed(
            "confirmed-already",
            _(
                "You have confirmed this face. Withdraw the consent it is used under to"
                " stop what is made with it."
            ),
        )
    FaceSighting.objects.filter(pk=sighting.pk).update(verdict=Verdict.DENIED)
    ledger_append(
        kind="face-denied",
        subject=str(sighting.id),
        payload={"actor": str(sighting.actor_id)},
        acting_user=acting_user,
    )


def confirmation_of(
    sighting: FaceSighting, *, remembers: bool, locale: str = "en"
) -> FaceConfirmation:
    """Return the unsaved, unsigned confirmation of a face, always the same bytes in a
    locale."""
    face_sha256 = digest_of(sighting)
    title = title_of(sighting, locale)
    shown, text = shown_face(title, remembers=remembers, locale=locale)
    document = face_document(
        actor_id=str(sighting.actor_id),
        face_sha256=face_sha256,
        remembers=remembers,
        text=shown,
    )
    return FaceConfirmation(
        actor=sighting.actor,
        face_sha256=face_sha256,
        remembers=remembers,
        canonical=canonical_bytes(document),
        shown_text=text,
    )


def title_of(sighting: FaceSighting, locale: str = "en") -> str:
    """Return where a face is seen, for its actor: The pier, face 2."""
    track = sighting.track
    return face_title(sighting.title, track.number if track else None, locale)


def digest_of(sighting: FaceSighting) -> str:
    """Name a face as it was shown. Raises NotAllowed while there is nothing to show."""
    if not sighting.sheet_sha256:
        raise NotAllowed(
            "face-not-shown",
            _(sighting.reason)
            if sighting.reason
            else _("The pictures of this face are not ready. Come back."),
        )
    track = sighting.track
    frames = (track.first_frame, track.end_frame) if track else (0, 0)
    return face_digest(
        source_sha256=sighting.source_sha256,
        frames=frames,
        sheet=sighting.sheet_sha256,
    )


def confirmation_standing(sighting: FaceSighting) -> FaceConfirmation | None:
    """The actor's word on exactly this face, if its signature holds."""
    if not sighting.sheet_sha256:
        return None
    face_sha256 = digest_of(sighting)
    rows = FaceConfirmation.objects.select_related("credential")
    word = rows.filter(actor=sighting.actor_id, face_sha256=face_sha256).first()
    if word is None:
        return None
    told = json.loads(bytes(word.canonical))
    expected = (str(sighting.actor_id), face_sha256, word.remembers)
    if (told["actor"], told["face_sha256"], told["remembers"]) != expected:
        return None
    try:
        document_verify_signature(
            word,
            actor_id=sighting.actor_id,
            kind="face-confirmed",
            logged=logged_about(word.id, word.credential_id),
        )
    except SignatureRefused:
        return None
    return word


def is_confirmed(sighting: FaceSighting) -> bool:
    return confirmation_standing(sighting) is not None
