"""One grant: its words, how they came to be, and the actor's answer to them."""

from __future__ import annotations

import json
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from consent.access import (
    grants_visible_to,
    is_cosigner,
    is_producer,
    is_self,
    may_have_receipt,
    require_self,
)
from consent.answer_forms import NarrowForm, ReasonForm, SignForm
from consent.errors import ConsentError, NotAllowed
from consent.models import Grant, Status
from consent.narrowing import changes
from consent.proof import grant_verify_signature
from consent.readers import reading_locale, reading_tongue, shown_locale
from consent.sentences import sections_of
from consent.services.cosigning import grant_cosign_options
from consent.services.grants import (
    asked_for,
    grant_decline,
    grant_narrow,
    grant_return,
    grant_sign,
    grant_sign_options,
    grant_worded,
)
from consent.services.withdrawals import (
    grant_revoke_options,
    revocation_of,
    suspension_next,
    suspension_options,
)
from consent.views.own import passkeys_work_at

WITHDRAWABLE = (
    Status.ACTIVE,
    Status.NOT_YET,
    Status.SUSPENDED,
    Status.COSIGNING,
)
ASKABLE_AGAIN = (Status.PROPOSED, Status.RETURNED, Status.DECLINED)


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
    previous = row.previous
    # What is signed stays in the words that were read; until then, the reader's own.
    shown = row if row.signed_at else grant_worded(row, reading_locale())
    context = {
        "grant": row,
        "sections": sections_of(shown.shown_text),
        "words_locale": shown.document.text.locale,
        "is_own": is_self(request.user, row.actor),
        "is_cosigner": is_cosigner(request.user, row),
        "has_passkey": row.actor.passkeys.exists(),
        "problem": signature_problem(row),
        "elsewhere": passkeys_work_at(request),
        "versions": row.versions,
        "by_actor": row.document.step.by == "actor",
        "changed": changes(
            previous.document.terms, row.document.terms, reading_tongue()
        )
        if previous
        else (),
        "may_ask_again": row.status in ASKABLE_AGAIN
        and is_producer(request.user, row.project),
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
        return gettext(error.sentence)
    return ""


def answers(request: HttpRequest, row: Grant) -> dict[str, Any]:
    """Return what the page needs for signing or withdrawing, if it is time for it."""
    user = asker(request)
    if row.status == Status.COSIGNING and is_cosigner(request.user, row):
        options = grant_cosign_options(grant=row, acting_user=user)
        return {
            "cosign_options": json.dumps(options),
            "cosigner_has_passkey": bool(options["allowCredentials"]),
        }
    if not is_self(request.user, row.actor):
        return {}
    locale = reading_locale()
    if row.status == Status.PROPOSED and row.is_answerable:
        options = grant_sign_options(grant=row, acting_user=user, locale=locale)
        return {
            "sign_options": json.dumps(options),
            "sign_form": SignForm(terms=row.document.terms),
            "reason_form": ReasonForm(),
        }
    if row.status in WITHDRAWABLE:
        options = grant_revoke_options(grant=row, acting_user=user, locale=locale)
        resting = suspension_options(grant=row, acting_user=user, locale=locale)
        return {
            "revoke_options": json.dumps(options),
            "effects": sections_of(revocation_of(row, locale).shown_text),
            "suspend_options": json.dumps(resting),
            "suspend_effects": sections_of(suspension_next(row, locale).shown_text),
        }
    return {}


@login_required
@require_POST
def sign(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    form = SignForm(request.POST, terms=row.document.terms)
    if "training" in form.errors:
        raise NotAllowed(
            "Training is a right of its own: tick it too, or allow only part of this."
        )
    assertion = request.POST.get("response", "")
    grant_sign(
        grant=row,
        assertion=assertion,
        acting_user=asker(request),
        locale=shown_locale(request),
    )
    messages.success(request, _("Signed. You can withdraw it here at any time."))
    return redirect("consent:grant", grant_id=row.id)


@login_required
@require_http_methods(["GET", "POST"])
def narrow(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """Ticking only some of what is asked; then that is read and signed instead."""
    row = visible_grant(request, grant_id)
    user = asker(request)
    require_self(user, row.actor)
    if not row.is_answerable:
        return redirect("consent:grant", grant_id=row.id)
    form = NarrowForm(request.POST or None, asked=asked_for(row))
    if request.method == "POST" and form.is_valid():
        terms = form.cleaned_data["terms"]
        try:
            narrowed = grant_narrow(grant=row, terms=terms, acting_user=user)
        except NotAllowed as refusal:
            form.add_error(None, gettext(refusal.sentence))
        else:
            messages.success(
                request, _("These are your own terms now. Read them, then sign.")
            )
            return redirect("consent:grant", grant_id=narrowed.id)
    context = {"grant": row, "form": form, "asked": asked_for(row)}
    status = 422 if form.errors else 200
    return render(request, "consent/narrow.html", context, status=status)


@login_required
@require_POST
def decline(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    grant_decline(grant=row, acting_user=asker(request), reason=_reason(request))
    messages.success(request, _("Declined. Nothing was allowed."))
    return redirect("consent:grant", grant_id=row.id)


@login_required
@require_POST
def send_back(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    grant_return(grant=row, acting_user=asker(request), reason=_reason(request))
    messages.success(request, _("Sent back. Nothing was allowed; they can ask anew."))
    return redirect("consent:grant", grant_id=row.id)


def _reason(request: HttpRequest) -> str:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise NotAllowed("That is too long. Say it in fewer than 2000 letters.")
    return str(form.cleaned_data["reason"])
