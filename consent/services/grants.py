"""Asking for a grant, and the actor's answers: sign, decline, revoke."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from consent.access import require_producer, require_self
from consent.canonical import canonical_bytes, sha256_hex
from consent.errors import ConsentError, NotAllowed
from consent.models import Actor, Grant, Project, Revocation
from consent.record import (
    Grantee,
    Grantor,
    GrantRecord,
    GrantTerms,
    revocation_document,
)
from consent.sentences import grant_text, shown_grant, shown_revocation
from consent.services.ledger import ledger_append
from consent.services.passkeys import (
    document_sign,
    signature_payload,
    signing_options,
)
from consent.signals import consent_withdrawn


@transaction.atomic
def grant_propose(
    *,
    project: Project,
    actor: Actor,
    terms: GrantTerms,
    acting_user: AbstractBaseUser,
) -> Grant:
    """Put a question to an actor of the project's cast. Nothing is allowed by it."""
    require_producer(acting_user, project)
    if not actor.castings.filter(project=project).exists():
        raise NotAllowed("Invite the actor to this production first.")
    if terms.output_approval:
        # The record can say it, the release cannot keep it yet: no promise, then.
        raise ConsentError(
            "term-not-offered",
            "Approval of each version by the actor cannot be promised here yet.",
        )
    now = timezone.now()
    grant_id = uuid.uuid4()
    record, text = shown_grant(
        GrantRecord(
            grant_id=str(grant_id),
            grantor=Grantor(
                actor_id=str(actor.id),
                legal_name=actor.legal_name,
                stage_name=actor.stage_name,
            ),
            grantee=Grantee(
                project_id=str(project.id),
                company=project.company,
                production=project.name,
            ),
            terms=terms,
            proposed_at=now,
        )
    )
    grant = Grant.objects.create(
        id=grant_id,
        actor=actor,
        project=project,
        record=record.document(),
        canonical=canonical_bytes(record.document()),
        shown_text=text,
        proposed_by_id=acting_user.pk,
    )
    _log(
        "grant-proposed",
        grant,
        {"document_sha256": grant.canonical_sha256},
        acting_user,
    )
    return grant


def grant_sign_options(
    *, grant: Grant, acting_user: AbstractBaseUser
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer is the signature."""
    require_self(acting_user, grant.actor)
    _require_open(grant)
    return signing_options(document=grant, actor=grant.actor)


@transaction.atomic
def grant_sign(
    *,
    grant: Grant,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
) -> Grant:
    """Keep the actor's signature under the grant.

    assertion is the browser's PublicKeyCredential as JSON. Raises NotAllowed for
    anybody but the actor, and for a grant that is answered or over; SignatureRefused
    for an assertion that does not sign exactly this record."""
    grant = _locked(grant)
    require_self(acting_user, grant.actor)
    _require_open(grant)
    _require_shown_text(grant)
    document_sign(document=grant, actor=grant.actor, response=assertion)
    grant.save()
    _log("grant-signed", grant, signature_payload(grant), acting_user)
    return grant


@transaction.atomic
def grant_decline(*, grant: Grant, acting_user: AbstractBaseUser) -> Grant:
    """Keep the actor's no."""
    grant = _locked(grant)
    require_self(acting_user, grant.actor)
    _require_open(grant)
    grant.declined_at = timezone.now()
    grant.save(update_fields=["declined_at"])
    _log(
        "grant-declined",
        grant,
        {"document_sha256": grant.canonical_sha256},
        acting_user,
    )
    return grant


def grant_revoke_options(
    *, grant: Grant, acting_user: AbstractBaseUser
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer revokes the grant."""
    require_self(acting_user, grant.actor)
    _require_revocable(grant)
    return signing_options(document=revocation_of(grant), actor=grant.actor)


@transaction.atomic
def grant_revoke(
    *,
    grant: Grant,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
) -> Revocation:
    """Keep the actor's signed revocation; on commit consent_withdrawn is sent."""
    grant = _locked(grant)
    require_self(acting_user, grant.actor)
    _require_revocable(grant)
    revocation = revocation_of(grant)
    document_sign(document=revocation, actor=grant.actor, response=assertion)
    revocation.save()
    _log("grant-revoked", grant, signature_payload(revocation), acting_user)
    transaction.on_commit(
        lambda: consent_withdrawn.send_robust(sender=Grant, grant_id=grant.id)
    )
    return revocation


def revocation_of(grant: Grant) -> Revocation:
    """Return the unsaved, unsigned revocation of a grant, always the same bytes."""
    shown, text = shown_revocation(grant.document)
    kind = Revocation.Kind.REVOCATION
    document = revocation_document(
        grant_id=str(grant.id),
        grant_sha256=grant.canonical_sha256,
        actor_id=str(grant.actor_id),
        kind=kind.value,
        text=shown,
    )
    return Revocation(
        grant=grant, kind=kind, canonical=canonical_bytes(document), shown_text=text
    )


def _locked(grant: Grant) -> Grant:
    # Two tabs may answer at once: the second waits here and then meets the answer.
    return Grant.objects.select_for_update().get(pk=grant.pk)


def _require_open(grant: Grant) -> None:
    if grant.signed_at or grant.declined_at:
        raise NotAllowed("This question was answered already.")
    if not grant.is_answerable:
        raise NotAllowed("This question is out of date: its time is over.")


def _require_revocable(grant: Grant) -> None:
    if not grant.signed_at:
        raise NotAllowed("There is nothing to withdraw: this was never signed.")
    if grant.revocation:
        raise NotAllowed("This was withdrawn already.")


def _require_shown_text(grant: Grant) -> None:
    """The words on the page must be those of the record, and no others."""
    words = grant_text(grant.document)
    named = grant.document.text.sha256
    same_record = canonical_bytes(grant.record) == bytes(grant.canonical)
    if not same_record or grant.shown_text != words or sha256_hex(words) != named:
        raise NotAllowed("The text shown is not the record's. Ask for a new proposal.")


def _log(
    kind: str, grant: Grant, payload: dict[str, Any], acting_user: AbstractBaseUser
) -> None:
    ledger_append(
        kind=kind, subject=str(grant.id), payload=payload, acting_user=acting_user
    )
