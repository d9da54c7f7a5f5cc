"""An actor's first visit, by the link in their mailbox."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from consent.errors import ConsentError
from consent.forms import InvitationForm
from consent.readers import reading_locale
from consent.services.actors import (
    invitation_accept,
    invitation_needs_login,
    invitation_read,
)

BACKEND = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Set up the login that the invitation is for, then go on to the passkey."""
    casting = invitation_read(token=token)
    user = (
        cast(AbstractBaseUser, request.user) if request.user.is_authenticated else None
    )
    if invitation_needs_login(casting=casting, acting_user=user):
        messages.info(request, _("You have a login here already: sign in with it."))
        return redirect_to_login(request.path)
    if casting.actor.user_id is not None:
        return redirect("consent:home")
    has_login = user is not None and user.get_username() == casting.email
    form = InvitationForm(request.POST or None)
    answer = joined(
        request, form, partial(invitation_accept, casting=casting, acting_user=user),
        has_login=has_login,
    )  # fmt: skip
    if answer is not None:
        return answer
    context = {"casting": casting, "form": form, "has_login": has_login}
    status = 422 if form.is_bound and form.errors else 200
    return render(request, "consent/invitation.html", context, status=status)


def joined(
    request: HttpRequest,
    form: InvitationForm,
    accept: Callable[..., AbstractBaseUser],
    *,
    has_login: bool,
) -> HttpResponse | None:
    """Log in whoever accepts an invitation and go on to the passkey; None while there
    is nothing sent, or something in the form to be put right. accept takes password
    and language, and returns the login."""
    if request.method != "POST" or not (has_login or form.is_valid()):
        return None
    password = "" if has_login else form.cleaned_data["password"]
    try:
        new = accept(password=password, language=reading_locale())
    except ConsentError as error:
        if error.code != "password-weak":
            raise
        form.add_error("password", error.sentence)
        return None
    login(request, cast(Any, new), backend=BACKEND)
    return redirect("consent:passkeys")
