"""One finished version, for the actor to see and approve."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from consent.answer_forms import ReturnForm
from consent.models import Status
from consent.readers import reading_locale, shown_locale
from consent.seams import Output, seams
from consent.sentences import sections_of
from consent.services.outputs import (
    output_approval_of,
    output_approve,
    output_approve_options,
    output_return,
)
from consent.views.grants import asker
from consent.views.own import own_actor, passkeys_work_at


def own_output(request: HttpRequest, grant_id: UUID, sha256: str) -> Output:
    """Return the finished file of the actor who is asking, or answer 404."""
    for output in seams.outputs_of(own_actor(request)):
        if (output.grant.id, output.sha256) == (grant_id, sha256):
            return output
    raise Http404


@login_required
@require_http_methods(["GET", "POST"])
def output(request: HttpRequest, grant_id: UUID, sha256: str) -> HttpResponse:
    """The file, and the words of approving it; a POST carries the signature."""
    found = own_output(request, grant_id, sha256)
    user = asker(request)
    if request.method == "POST":
        output_approve(
            grant=found.grant,
            output_sha256=sha256,
            assertion=request.POST.get("response", ""),
            acting_user=user,
            locale=shown_locale(request),
            title=found.title,
            page=found.page,
        )
        messages.success(request, _("Approved. This file may be handed out now."))
        return redirect("consent:output", grant_id=grant_id, sha256=sha256)
    return render(request, "consent/output.html", _shown(request, found))


@login_required
@require_POST
def send_back(request: HttpRequest, grant_id: UUID, sha256: str) -> HttpResponse:
    """No to the file, with the reason."""
    found = own_output(request, grant_id, sha256)
    form = ReturnForm(request.POST)
    if not form.is_valid():
        context = _shown(request, found) | {"return_form": form}
        return render(request, "consent/output.html", context, status=422)
    output_return(
        grant=found.grant,
        output_sha256=sha256,
        reason=form.cleaned_data["reason"],
        acting_user=asker(request),
        title=found.title,
        page=found.page,
    )
    messages.success(request, _("Sent back. The file stays locked."))
    return redirect("consent:output", grant_id=grant_id, sha256=sha256)


def _shown(request: HttpRequest, found: Output) -> dict[str, Any]:
    locale = reading_locale()
    approval = output_approval_of(found.grant, found.sha256, locale)
    context: dict[str, Any] = {
        "output": found,
        "approved": found.is_approved,
        "sections": sections_of(approval.shown_text),
        "words_locale": locale,
        "elsewhere": passkeys_work_at(request),
    }
    if not found.is_approved and found.grant.status == Status.ACTIVE:
        options = output_approve_options(
            grant=found.grant,
            output_sha256=found.sha256,
            acting_user=asker(request),
            locale=locale,
        )
        context["options"] = json.dumps(options)
        context["return_form"] = ReturnForm()
    return context
