"""The co-signer's pages: their first visit, what waits for them, and signing."""

from __future__ import annotations

from functools import partial
from typing import cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from consent.forms import InvitationForm
from consent.models import Cosigner
from consent.services.cosigning import (
    cosign_read,
    cosigner_join,
    cosigner_needs_login,
    grant_cosign,
)
from consent.views.grants import asker, visible_grant
from consent.views.invitation import joined


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Set up the co-signer's login, then go on to the passkey."""
    grant = cosign_read(token=token)
    user = (
        cast(AbstractBaseUser, request.user) if request.user.is_authenticated else None
    )
    if cosigner_needs_login(grant=grant, acting_user=user):
        messages.info(request, _("You have a login here already: sign in with it."))
        return redirect_to_login(request.path)
    if grant.cosigner and grant.cosigner.user_id is not None:
        return redirect("consent:grant", grant_id=grant.id)
    form = InvitationForm(request.POST or None)
    answer = joined(
        request, form, partial(cosigner_join, grant=grant, acting_user=user),
        has_login=user is not None,
    )  # fmt: skip
    if answer is not None:
        return answer
    context = {"grant": grant, "form": form, "has_login": user is not None}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "consent/cosign_invitation.html", context, status=status)


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What waits for the co-signer, and what they have co-signed."""
    cosigner = get_object_or_404(Cosigner, user_id=request.user.pk)
    rows = cosigner.grants.filter(signed_at__isnull=False)
    rows = rows.select_related("project", "actor", "following", "cosignature")
    context = {
        "cosigner": cosigner,
        "waiting": [row for row in rows if row.status == row.status.COSIGNING],
        "others": [row for row in rows if row.status != row.status.COSIGNING],
        "has_passkey": cosigner.passkeys.exists(),
    }
    return render(request, "consent/cosigner_home.html", context)


@login_required
@require_POST
def cosign(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    row = visible_grant(request, grant_id)
    assertion = request.POST.get("response", "")
    grant_cosign(grant=row, assertion=assertion, acting_user=asker(request))
    messages.success(request, _("Co-signed. The consent holds now."))
    return redirect("consent:grant", grant_id=row.id)
