"""Taking a grant back, for good or for a while: signed, logged and told at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from consent.access import require_self
from consent.canonical import canonical_bytes
from consent.errors import NotAllowed
from consent.models import Grant, Revocation, Suspension
from consent.proof import LOGGED_AS
from consent.record import revocation_document, suspension_document
from consent.sentences import shown_revocation, shown_suspension
from consent.services.ledger import ledger_append
from consent.services.notices import notice_on_commit
from consent.services.passkeys import (
    document_sign,
    signature_payload,
    signing_options,
)
from consent.signals import consent_suspended, consent_withdrawn


def grant_revoke_options(
    *, grant: Grant, acting_user: AbstractBaseUser
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer revokes the grant."""
    require_self(acting_user, grant.actor)
    _require_standing(grant)
    return signing_options(
        document=revocation_of(grant), holder=grant.actor, withdrawing=True
    )


@transaction.atomic
def grant_revoke(
    *,
    grant: Grant,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
) -> Revocation:
    """Keep the actor's signed revocation; on commit consent_withdrawn is sent."""
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    require_self(acting_user, grant.actor)
    _require_standing(grant)
    revocation = revocation_of(grant)
    document_sign(
        document=revocation, holder=grant.actor, response=assertion, withdrawing=True
    )
    revocation.save()
    ledger_append(
        kind="grant-revoked",
        subject=str(grant.id),
        payload=signature_payload(revocation),
        acting_user=acting_user,
    )
    transaction.on_commit(
        lambda: consent_withdrawn.send_robust(sender=Grant, grant_id=grant.id)
    )
    notice_on_commit(grant=grant, event="revoked")
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


def suspension_options(
    *, grant: Grant, acting_user: AbstractBaseUser
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer suspends the grant or, if
    it is suspended, lifts that."""
    require_self(acting_user, grant.actor)
    _require_standing(grant)
    word = suspension_next(grant)
    resting = word.kind == Suspension.Kind.SUSPENSION
    return signing_options(document=word, holder=grant.actor, withdrawing=resting)


@transaction.atomic
def grant_suspend(
    *, grant: Grant, assertion: str | Mapping[str, Any], acting_user: AbstractBaseUser
) -> Suspension:
    """Let the grant rest, from the moment this commits, until it is lifted."""
    word = _word_sign(grant, Suspension.Kind.SUSPENSION, assertion, acting_user)
    grant_id = word.grant_id
    transaction.on_commit(
        lambda: consent_suspended.send_robust(sender=Grant, grant_id=grant_id)
    )
    notice_on_commit(grant=word.grant, event="suspended")
    return word


@transaction.atomic
def suspension_lift(
    *, grant: Grant, assertion: str | Mapping[str, Any], acting_user: AbstractBaseUser
) -> Suspension:
    """Let a suspended grant hold again."""
    word = _word_sign(grant, Suspension.Kind.LIFTING, assertion, acting_user)
    notice_on_commit(grant=word.grant, event="lifted")
    return word


def suspension_next(grant: Grant) -> Suspension:
    """Return the unsaved, unsigned next word on a grant: a suspension if it holds, or
    else its lifting."""
    lifting = grant.suspension is not None
    kind = Suspension.Kind.LIFTING if lifting else Suspension.Kind.SUSPENSION
    number = grant.suspensions.count() + 1
    shown, text = shown_suspension(grant.document, lifting=lifting)
    document = suspension_document(
        grant_id=str(grant.id),
        grant_sha256=grant.canonical_sha256,
        actor_id=str(grant.actor_id),
        kind=kind.value,
        number=number,
        text=shown,
    )
    return Suspension(
        grant=grant,
        kind=kind,
        number=number,
        canonical=canonical_bytes(document),
        shown_text=text,
    )


def _word_sign(
    grant: Grant,
    kind: Suspension.Kind,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
) -> Suspension:
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    require_self(acting_user, grant.actor)
    _require_standing(grant)
    word = suspension_next(grant)
    if word.kind != kind:
        suspended = kind == Suspension.Kind.SUSPENSION
        raise NotAllowed(
            "This is suspended already." if suspended else "This is not suspended."
        )
    document_sign(
        document=word,
        holder=grant.actor,
        response=assertion,
        withdrawing=word.kind == Suspension.Kind.SUSPENSION,
    )
    word.save()
    ledger_append(
        kind=LOGGED_AS[word.kind],
        subject=str(grant.id),
        payload=signature_payload(word),
        acting_user=acting_user,
    )
    return word


def _require_standing(grant: Grant) -> None:
    if not grant.signed_at:
        raise NotAllowed("There is nothing to withdraw: this was never signed.")
    if grant.revocation:
        raise NotAllowed("This was withdrawn already.")
