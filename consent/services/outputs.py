"""The actor's word on one finished file, where the grant asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from consent.access import require_self
from consent.canonical import canonical_bytes, sha256_hex
from consent.errors import NotAllowed
from consent.models import Grant, OutputApproval, OutputReturn
from consent.record import output_document
from consent.sentences import shown_output
from consent.services.ledger import ledger_append
from consent.services.notices import producers_tell
from consent.services.passkeys import (
    document_sign,
    signature_payload,
    signing_options,
)


def output_approve_options(
    *,
    grant: Grant,
    output_sha256: str,
    acting_user: AbstractBaseUser,
    locale: str = "en",
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer approves the file."""
    require_self(acting_user, grant.actor)
    _require_asked(grant, output_sha256)
    document = output_approval_of(grant, output_sha256, locale)
    return signing_options(document=document, holder=grant.actor)


@transaction.atomic
def output_approve(
    *,
    grant: Grant,
    output_sha256: str,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
    locale: str = "en",
    title: str = "",
    page: str = "",
) -> OutputApproval:
    """Keep the actor's signed approval of exactly the file with this SHA-256 (hex).
    Given after the file was sent back, it is the last word. title and page are what
    the producers know the file by, and where.

    The caller has made sure that there is such a file under the grant."""
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    require_self(acting_user, grant.actor)
    _require_asked(grant, output_sha256)
    approval = output_approval_of(grant, output_sha256, locale)
    document_sign(document=approval, holder=grant.actor, response=assertion)
    approval.save()
    ledger_append(
        kind="output-approved",
        subject=str(grant.id),
        payload=signature_payload(approval),
        acting_user=acting_user,
    )
    _producers_tell(grant, "output-approved", title, page)
    return approval


@transaction.atomic
def output_return(
    *,
    grant: Grant,
    output_sha256: str,
    reason: str,
    acting_user: AbstractBaseUser,
    title: str = "",
    page: str = "",
) -> OutputReturn:
    """Send a finished file back to the producers, who read the reason. It stays
    locked, as it was. Raises NotAllowed without a reason, for anybody but the actor,
    and for a file that was approved or sent back before.

    The caller has made sure that there is such a file under the grant."""
    grant = Grant.objects.select_for_update().get(pk=grant.pk)
    require_self(acting_user, grant.actor)
    _require_asked(grant, output_sha256)
    reason = reason.strip()
    if not reason:
        raise NotAllowed(_("Say in a few words what is wrong with it."))
    if grant.output_returns.filter(output_sha256=output_sha256).exists():
        raise NotAllowed(_("You have sent this file back already."))
    sent = OutputReturn.objects.create(
        grant=grant, output_sha256=output_sha256, reason=reason
    )
    ledger_append(
        kind="output-returned",
        subject=str(grant.id),
        payload={"output_sha256": output_sha256, "reason_sha256": sha256_hex(reason)},
        acting_user=acting_user,
    )
    _producers_tell(grant, "output-returned", title, page, reason=reason)
    return sent


def output_approval_of(
    grant: Grant, output_sha256: str, locale: str = "en"
) -> OutputApproval:
    """Return the unsaved, unsigned approval of a file, always the same bytes in a
    locale."""
    shown, text = shown_output(grant.document, output_sha256, locale)
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


def _producers_tell(
    grant: Grant, kind: str, title: str, page: str, **facts: str
) -> None:
    file = title or _("a finished file of %(project)s") % {"project": grant.project}
    producers_tell(
        project=grant.project,
        kind=kind,
        facts={"actor": grant.actor.stage_name, "file": file, **facts},
        path=page or reverse("consent:grant", args=[grant.id]),
    )


def _require_asked(grant: Grant, output_sha256: str) -> None:
    if not grant.document.terms.output_approval:
        raise NotAllowed("This grant does not ask for your approval of each version.")
    if not grant.signed_at or grant.revocation:
        raise NotAllowed("This grant does not hold, so there is nothing to approve.")
    if grant.output_approvals.filter(output_sha256=output_sha256).exists():
        raise NotAllowed("You have approved this file already.")
