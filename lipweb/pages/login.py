"""Signing in, with limits on guessing."""

from __future__ import annotations

import logging
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from synthesis.ratelimit import Limit

log = logging.getLogger(__name__)
QUARTER_HOUR_S = 15 * 60

# One person mistyping; one machine trying many logins; many machines on one login.
PERSON = Limit("login-person", most=8, window_s=QUARTER_HOUR_S)
ADDRESS = Limit("login-address", most=40, window_s=QUARTER_HOUR_S)
ACCOUNT = Limit("login-account", most=60, window_s=QUARTER_HOUR_S)
TOO_MANY = _(
    "Too many wrong passwords. Wait a quarter of an hour and try again, or set a new "
    "password by mail."
)


class LoginForm(AuthenticationForm):
    """E-mail address and password."""

    error_messages = {
        "invalid_login": _(
            "No login fits this e-mail address and password. Check both; capital "
            "letters count in the password."
        ),
        "inactive": _("This login was closed. Ask the operator to open it again."),
    }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail address")
        self.fields["username"].widget = forms.EmailInput(
            attrs={"autocomplete": "username", "autofocus": True, "maxlength": 254}
        )


class Login(LoginView):
    """The login page. Failures are counted; successes are not."""

    template_name = "login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if any(limit.is_reached(key) for limit, key in self._counted()):
            log.warning("login-limited")
            form = self.get_form_class()(request)
            page = self.get_context_data(form=form, too_many=TOO_MANY)
            response = self.render_to_response(page, status=429)
            response["Retry-After"] = str(QUARTER_HOUR_S)
            return response
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        PERSON.forget(self._counted()[0][1])
        return super().form_valid(form)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        for limit, key in self._counted():
            limit.count(key)
        return self.render_to_response(self.get_context_data(form=form), status=422)

    def _counted(self) -> list[tuple[Limit, str]]:
        address = self.request.META.get("REMOTE_ADDR", "")
        email = self.request.POST.get("username", "").strip().lower()
        return [(PERSON, f"{email} {address}"), (ADDRESS, address), (ACCOUNT, email)]
