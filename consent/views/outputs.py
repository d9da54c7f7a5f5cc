"""One finished version, for the actor to see and approve."""

from __future__ import annotations

import json
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consent.models import Status
from consent.readers import reading_locale, shown_locale
from consent.seams import Output, seams
from consent.sentences import sections_of
from consent.services.outputs import (
    output_approval_of,
    output_approve,
    output_approve_options,
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
        )
        messages.success(request, _("Approved. This file may be handed out now."))
        return redirect("consent:output", grant_id=grant_id, sha256=sha256)
    locale = reading_locale()
    words = output_approval_of(found.grant, sha256, locale)
    context = {
        "output": found,
        "approved": found.is_approved,
        "sections": sections_of(words.shown_text),
        "words_locale": locale,
        "elsewhere": passkeys_work_at(request),
    }
    if not found.is_approved and found.grant.status == Status.ACTIVE:
        options = output_approve_options(
            grant=found.grant, output_sha256=sha256, acting_user=user, locale=locale
        )
        context["options"] = json.dumps(options)
    return render(request, "consent/output.html", context)
