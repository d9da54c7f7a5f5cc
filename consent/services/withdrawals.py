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
from consent.services.notices import grant_tell
from consent.services.passkeys import (
    document_sign,
    signature_payload,
    signing_options,
)
from consent.signals import consent_suspended, consent_withdrawn


def grant_revoke_options(
    *, grant: Grant, acting_user: AbstractBaseUser, locale: str = "en"
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer revokes the grant, as its
    effects read in a locale."""
    require_self(acting_user, grant.actor)
    _require_standing(grant)
    return signing_options(
        document=revocation_of(grant, locale), holder=grant.actor, withdrawing=True
    )


@transaction.atomic
def grant_revoke(
    *,
    grant: Grant,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
    locale: str = "en",
) -> Revocation:
    """Keep the actor's signed revocation; on commit consent_withdrawn is sent."""
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    require_self(acting_user, grant.actor)
    _require_standing(grant)
    revocation = revocation_of(grant, locale)
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
    grant_tell(grant=grant, event="revoked")
    return revocation


def revocation_of(grant: Grant, locale: str = "en") -> Revocation:
    """Return the unsaved, unsigned revocation of a grant, always the same bytes in a
    locale."""
    shown, text = shown_revocation(grant.document, locale)
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
    *, grant: Grant, acting_user: AbstractBaseUser, locale: str = "en"
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer suspends the grant or, if
    it is suspended, lifts that."""
    require_self(acting_user, grant.actor)
    _require_standing(grant)
    word = suspension_next(grant, locale)
    resting = word.kind == Suspension.Kind.SUSPENSION
    return signing_options(document=word, holder=grant.actor, withdrawing=resting)


@transaction.atomic
def grant_suspend(
    *,
    grant: Grant,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
    locale: str = "en",
) -> Suspension:
    """Let the grant rest, from the moment this commits, until it is lifted."""
    kind = Suspension.Kind.SUSPENSION
    word = _word_sign(grant, kind, assertion, acting_user, locale)
    grant_id = word.grant_id
    transaction.on_commit(
        lambda: consent_suspended.send_robust(sender=Grant, grant_id=grant_id)
    )
    grant_tell(grant=word.grant, event="suspended")
    return word


@transaction.atomic
def suspension_lift(
    *,
    grant: Grant,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
    locale: str = "en",
) -> Suspension:
    """Let a suspended grant hold again."""
    kind = Suspension.Kind.LIFTING
    word = _word_sign(grant, kind, assertion, acting_user, locale)
    grant_tell(grant=word.grant, event="lifted")
    return word


def suspension_next(grant: Grant, locale: str = "en") -> Suspension:
    """Return the unsaved, unsigned next word on a grant: a suspension if it holds, or
    else its lifting."""
    lifting = grant.suspension is not None
    kind = Suspension.Kind.LIFTING if lifting else Suspension.Kind.SUSPENSION
    number = grant.suspensions.count() + 1
    shown, text = shown_suspension(grant.document, lifting=lifting, locale=locale)
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
    locale: str,
) -> Suspension:
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    require_self(acting_user, grant.actor)
    _require_standing(grant)
    word = suspension_next(grant, locale)
    if word.kind != kind:
        if kind == Suspension.Kind.SUSPENSION:
            raise NotAllowed("This is suspended already.")
        raise NotAllowed("This is not suspended.")
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
