"""Taking a grant back: for good, for a while, and lifting that again."""

from __future__ import annotations

from collections.abc import Callable
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
    told = _("Withdrawn. It holds from this moment.")
    return _signed(request, grant_id, grant_revoke, told)


@login_required
@require_POST
def suspend(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    told = _("Suspended. Nothing may be made until you lift it.")
    return _signed(request, grant_id, grant_suspend, told)


@login_required
@require_POST
def lift(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    told = _("It holds again, as you signed it.")
    return _signed(request, grant_id, suspension_lift, told)


def _signed(
    request: HttpRequest, grant_id: UUID, act: Callable[..., object], told: str
) -> HttpResponse:
    """Do what the actor's passkey signed, and say so on the consent's page."""
    row = visible_grant(request, grant_id)
    act(
        grant=row,
        assertion=request.POST.get("response", ""),
        acting_user=asker(request),
        locale=shown_locale(request),
    )
    messages.success(request, told)
    return redirect("consent:grant", grant_id=row.id)
