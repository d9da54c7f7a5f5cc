"""Asking for a grant, and the actor's answers: sign, narrow, send back, decline."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from consent.access import require_producer, require_self
from consent.canonical import canonical_bytes, sha256_hex
from consent.errors import NotAllowed
from consent.models import Actor, Cosigner, Grant, Project
from consent.narrowing import widenings
from consent.readers import reading_tongue
from consent.record import Grantee, GrantRecord, GrantTerms, Step
from consent.sentences import grant_text, shown_grant
from consent.services.cosigning import cosign_ask_on_commit, cosigner_record
from consent.services.ledger import ledger_append
from consent.services.mandates import grantor_of
from consent.services.notices import grant_tell
from consent.services.passkeys import (
    document_sign,
    signature_payload,
    signing_options,
)


@transaction.atomic
def grant_propose(
    *,
    project: Project,
    actor: Actor,
    terms: GrantTerms,
    acting_user: AbstractBaseUser,
    previous: Grant | None = None,
    cosigner: Cosigner | None = None,
) -> Grant:
    """Put a question to an actor of the project's cast. Nothing is allowed by it.
    cosigner has to sign the same words after the actor before they allow anything.

    previous is a version that waits, was sent back or declined, and that this one
    replaces. Raises NotAllowed for one that is signed or replaced already."""
    require_producer(acting_user, project)
    if not actor.castings.filter(project=project).exists():
        raise NotAllowed("Invite the actor to this production first.")
    if previous is not None:
        previous = _locked(previous)
        _require_replaceable(previous, project, actor)
    grantee = Grantee(
        project_id=str(project.id), company=project.company, production=project.name
    )
    grant = _version_make(
        project=project,
        actor=actor,
        grantee=grantee,
        terms=terms,
        previous=previous,
        cosigner=cosigner,
        by="producer",
        acting_user=acting_user,
    )
    _log("grant-proposed", grant, _step_payload(grant), acting_user)
    grant_tell(grant=grant, event="proposed")
    return grant


@transaction.atomic
def grant_narrow(
    *, grant: Grant, terms: GrantTerms, acting_user: AbstractBaseUser
) -> Grant:
    """Keep the actor's narrower terms as the next version, which they can then sign.

    Raises NotAllowed, with each term in words, unless the terms are within what the
    producer last asked for."""
    grant = _locked(grant)
    require_self(acting_user, grant.actor)
    _require_open(grant)
    beyond = widenings(asked_for(grant).document.terms, terms, reading_tongue())
    if beyond:
        raise NotAllowed(" ".join(beyond))
    if terms == grant.document.terms:
        raise NotAllowed("Nothing was changed. You can sign it as it stands.")
    narrowed = _version_make(
        project=grant.project,
        actor=grant.actor,
        grantee=grant.document.grantee,
        terms=terms,
        previous=grant,
        cosigner=grant.cosigner,
        by="actor",
        acting_user=acting_user,
    )
    _log("grant-narrowed", narrowed, _step_payload(narrowed), acting_user)
    return narrowed


def asked_for(grant: Grant) -> Grant:
    """Return the producer's own version that this one is, or goes back to."""
    asked = grant
    while asked.document.step.by == "actor" and asked.previous is not None:
        asked = asked.previous
    return asked


def grant_worded(grant: Grant, locale: str) -> Grant:
    """Return an unsigned question, unsaved, in the words of a locale: the document
    that is signed by whoever reads it in that language. Every term stays."""
    record, text = shown_grant(grant.document, locale)
    worded = copy.copy(grant)
    worded.__dict__.pop("document", None)
    worded.record, worded.shown_text = record.document(), text
    worded.canonical = canonical_bytes(worded.record)
    return worded


def grant_sign_options(
    *, grant: Grant, acting_user: AbstractBaseUser, locale: str = "en"
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer is the signature under
    the grant in the words of a locale."""
    require_self(acting_user, grant.actor)
    _require_open(grant)
    return signing_options(document=grant_worded(grant, locale), holder=grant.actor)


@transaction.atomic
def grant_sign(
    *,
    grant: Grant,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
    locale: str = "en",
) -> Grant:
    """Keep the actor's signature under the grant, in the words she has read.

    assertion is the browser's PublicKeyCredential as JSON, locale the language of the
    words shown. Raises NotAllowed for anybody but the actor, and for a grant that is
    answered or over; SignatureRefused for an assertion that does not sign exactly
    this record in these words."""
    grant = _locked(grant)
    require_self(acting_user, grant.actor)
    _require_open(grant)
    _require_shown_text(grant)
    _require_mandate(grant)
    grant = grant_worded(grant, locale)
    document_sign(document=grant, holder=grant.actor, response=assertion)
    grant.save()
    _log("grant-signed", grant, signature_payload(grant), acting_user)
    grant_tell(grant=grant, event="signed")
    cosign_ask_on_commit(grant=grant)
    return grant


@transaction.atomic
def grant_decline(
    *, grant: Grant, acting_user: AbstractBaseUser, reason: str = ""
) -> Grant:
    """Keep the actor's no, with the reason they gave, if any."""
    grant = _locked(grant)
    require_self(acting_user, grant.actor)
    _require_open(grant)
    grant.declined_at, grant.reason = timezone.now(), reason.strip()
    grant.save(update_fields=["declined_at", "reason"])
    _log("grant-declined", grant, _reason_payload(grant), acting_user)
    grant_tell(grant=grant, event="declined")
    return grant


@transaction.atomic
def grant_return(*, grant: Grant, acting_user: AbstractBaseUser, reason: str) -> Grant:
    """Send the question back to the producer, who may ask anew. What the actor wants
    must be said: without it nobody could answer."""
    grant = _locked(grant)
    require_self(acting_user, grant.actor)
    _require_open(grant)
    narrowed = grant.document.step.by == "actor"
    if not reason.strip() and not narrowed:
        raise NotAllowed("Say in a few words what should be different.")
    grant.returned_at, grant.reason = timezone.now(), reason.strip()
    grant.save(update_fields=["returned_at", "reason"])
    _log("grant-returned", grant, _reason_payload(grant), acting_user)
    grant_tell(grant=grant, event="returned")
    return grant


def _version_make(
    *,
    project: Project,
    actor: Actor,
    grantee: Grantee,
    terms: GrantTerms,
    previous: Grant | None,
    cosigner: Cosigner | None,
    by: str,
    acting_user: AbstractBaseUser,
) -> Grant:
    """Write one version: record, canonical bytes and words that belong together."""
    grant_id = uuid.uuid4()
    step = Step(by=by)
    if previous is not None:
        step = Step(
            version=previous.document.step.version + 1,
            by=by,
            answers=previous.canonical_sha256,
        )
    record, text = shown_grant(
        GrantRecord(
            grant_id=str(grant_id),
            grantor=grantor_of(actor),
            grantee=grantee,
            terms=terms,
            proposed_at=timezone.now(),
            step=step,
            cosigner=cosigner_record(cosigner) if cosigner else None,
        )
    )
    return Grant.objects.create(
        id=grant_id,
        actor=actor,
        project=project,
        record=record.document(),
        canonical=canonical_bytes(record.document()),
        shown_text=text,
        proposed_by_id=acting_user.pk,
        previous=previous,
        cosigner=cosigner,
    )


def _locked(grant: Grant) -> Grant:
    # Two tabs may answer at once: the second waits here and then meets the answer.
    return Grant.objects.select_for_update().get(pk=grant.pk)


def _require_replaceable(previous: Grant, project: Project, actor: Actor) -> None:
    if (previous.project_id, previous.actor_id) != (project.id, actor.id):
        raise NotAllowed("That question was put to somebody else.")
    if previous.signed_at:
        raise NotAllowed("This was signed. To ask for more, ask a new question.")
    if previous.next_version is not None:
        raise NotAllowed("There is a newer version of this question already.")


def _require_open(grant: Grant) -> None:
    if grant.is_closed:
        raise NotAllowed("This question was answered already.")
    if not grant.is_answerable:
        raise NotAllowed("This question is out of date: its time is over.")


def _require_shown_text(grant: Grant) -> None:
    """The words on the page must be those of the record, and no others."""
    words = grant_text(grant.document)
    named = grant.document.text.sha256
    same_record = canonical_bytes(grant.record) == bytes(grant.canonical)
    if not same_record or grant.shown_text != words or sha256_hex(words) != named:
        raise NotAllowed("The text shown is not the record's. Ask for a new proposal.")


def _require_mandate(grant: Grant) -> None:
    """Whoever signs for another must be allowed to at this very moment, and who signs
    must still be who the record says."""
    grantor = grant.document.grantor
    if grantor != grantor_of(grant.actor):
        raise NotAllowed("Who signs for the actor has changed. Ask for a new proposal.")


def _step_payload(grant: Grant) -> dict[str, Any]:
    answers = grant.document.step.answers
    return {"document_sha256": grant.canonical_sha256, "answers_sha256": answers}


def _reason_payload(grant: Grant) -> dict[str, Any]:
    return {
        "document_sha256": grant.canonical_sha256,
        "reason_sha256": sha256_hex(grant.reason),
    }


def _log(
    kind: str, grant: Grant, payload: dict[str, Any], acting_user: AbstractBaseUser
) -> None:
    ledger_append(
        kind=kind, subject=str(grant.id), payload=payload, acting_user=acting_user
    )
