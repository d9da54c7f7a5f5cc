"""The actor's word on one finished file, where the grant asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from consent.access import require_self
from consent.canonical import canonical_bytes
from consent.errors import NotAllowed
from consent.models import Grant, OutputApproval
from consent.record import output_document
from consent.sentences import shown_output
from consent.services.ledger import ledger_append
from consent.services.passkeys import (
    document_sign,
    signature_payload,
    signing_options,
)


def output_approve_options(
    *, grant: Grant, output_sha256: str, acting_user: AbstractBaseUser
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer approves the file."""
    require_self(acting_user, grant.actor)
    _require_asked(grant, output_sha256)
    document = output_approval_of(grant, output_sha256)
    return signing_options(document=document, holder=grant.actor)


@transaction.atomic
def output_approve(
    *,
    grant: Grant,
    output_sha256: str,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
) -> OutputApproval:
    """Keep the actor's signed approval of exactly the file with this SHA-256 (hex).

    The caller has made sure that there is such a file under the grant."""
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    require_self(acting_user, grant.actor)
    _require_asked(grant, output_sha256)
    approval = output_approval_of(grant, output_sha256)
    document_sign(document=approval, holder=grant.actor, response=assertion)
    approval.save()
    ledger_append(
        kind="output-approved",
        subject=str(grant.id),
        payload=signature_payload(approval),
        acting_user=acting_user,
    )
    return approval


def output_approval_of(grant: Grant, output_sha256: str) -> OutputApproval:
    """Return the unsaved, unsigned approval of a file, always the same bytes."""
    shown, text = shown_output(grant.document, output_sha256)
    document = output_document(
        grant_id=str(grant.id),
        grant_sha256=grant.canonical_sha256,
        actor_id=str(grant.actor_id),
        output_sha256=output_sha256,
        text=shown,
    )
    return OutputApproval(
        grant=grant,
        output_sha256=output_sha256,
        canonical=canonical_bytes(document),
        shown_text=text,
    )


def _require_asked(grant: Grant, output_sha256: str) -> None:
    if not grant.document.terms.output_approval:
        raise NotAllowed("This grant does not ask for your approval of each version.")
    if not grant.signed_at or grant.revocation:
        raise NotAllowed("This grant does not hold, so there is nothing to approve.")
    if grant.output_approvals.filter(output_sha256=output_sha256).exists():
        raise NotAllowed("You have approved this file already.")
