"""Taking a grant back: for good, for a while, and lifting that again."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from consent.readers import shown_locale
from consent.services.withdrawals import (
    grant_revoke,
    grant_suspend,
    suspension_lift,
)
from consent.views.grants import asker, visible_grant


@login_required
@require_POST
def revoke(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    assertion = request.POST.get("response", "")
    grant_revoke(
        grant=row,
        assertion=assertion,
        acting_user=asker(request),
        locale=shown_locale(request),
    )
    messages.success(request, _("Withdrawn. It holds from this moment."))
    return redirect("consent:grant", grant_id=row.id)


@login_required
@require_POST
def suspend(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    assertion = request.POST.get("response", "")
    grant_suspend(
        grant=row,
        assertion=assertion,
        acting_user=asker(request),
        locale=shown_locale(request),
    )
    messages.success(request, _("Suspended. Nothing may be made until you lift it."))
    return redirect("consent:grant", grant_id=row.id)


@login_required
@require_POST
def lift(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    assertion = request.POST.get("response", "")
    suspension_lift(
        grant=row,
        assertion=assertion,
        acting_user=asker(request),
        locale=shown_locale(request),
    )
    messages.success(request, _("It holds again, as you signed it."))
    return redirect("consent:grant", grant_id=row.id)
