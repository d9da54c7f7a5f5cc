"""One grant: its words, the actor's answer, and the way back."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from consent.access import grants_visible_to, is_self, may_have_receipt
from consent.errors import ConsentError
from consent.models import Grant, Status
from consent.proof import grant_verify_signature
from consent.sentences import sections_of
from consent.services.grants import (
    grant_decline,
    grant_revoke,
    grant_revoke_options,
    grant_sign,
    grant_sign_options,
    revocation_of,
)
from consent.views.own import passkeys_work_at

WITHDRAWABLE = (Status.ACTIVE, Status.NOT_YET)


def visible_grant(request: HttpRequest, grant_id: UUID) -> Grant:
    """Return the grant, or answer 404 to whom it does not concern."""
    return get_object_or_404(grants_visible_to(request.user), pk=grant_id)


def asker(request: HttpRequest) -> AbstractBaseUser:
    return cast(AbstractBaseUser, request.user)


@login_required
@require_GET
def grant(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """The words of a grant, with the answers that this person can give now."""
    row = visible_grant(request, grant_id)
    context = {
        "grant": row,
        "sections": sections_of(row.shown_text),
        "is_own": is_self(request.user, row.actor),
        "has_passkey": row.actor.passkeys.exists(),
        "problem": signature_problem(row),
        "elsewhere": passkeys_work_at(request),
        "may_have_receipt": row.signed_at and may_have_receipt(request.user, row),
    }
    return render(request, "consent/grant.html", context | answers(request, row))


def signature_problem(row: Grant) -> str:
    """Return why the signature under a signed grant does not hold, or ""."""
    if row.signed_at is None:
        return ""
    try:
        grant_verify_signature(row)
    except ConsentError as error:
        return error.sentence
    return ""


def answers(request: HttpRequest, row: Grant) -> dict[str, Any]:
    """Return what the page needs for signing or withdrawing, if it is time for it."""
    if not is_self(request.user, row.actor):
        return {}
    user = asker(request)
    if row.status == Status.PROPOSED and row.is_answerable:
        options = grant_sign_options(grant=row, acting_user=user)
        return {"sign_options": json.dumps(options)}
    if row.status in WITHDRAWABLE:
        options = grant_revoke_options(grant=row, acting_user=user)
        effects = sections_of(revocation_of(row).shown_text)
        return {"revoke_options": json.dumps(options), "effects": effects}
    return {}


@login_required
@require_POST
def sign(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    assertion = request.POST.get("response", "")
    grant_sign(grant=row, assertion=assertion, acting_user=asker(request))
    messages.success(request, "Signed. You can withdraw it here at any time.")
    return redirect("consent:grant", grant_id=row.id)


@login_required
@require_POST
def decline(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    grant_decline(grant=row, acting_user=asker(request))
    messages.success(request, "Declined. Nothing was allowed.")
    return redirect("consent:grant", grant_id=row.id)


@login_required
@require_POST
def revoke(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    assertion = request.POST.get("response", "")
    grant_revoke(grant=row, assertion=assertion, acting_user=asker(request))
    messages.success(request, "Withdrawn. It holds from this moment.")
    return redirect("consent:grant", grant_id=row.id)
