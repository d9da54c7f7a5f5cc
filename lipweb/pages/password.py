"""A new password by mail: for who forgot theirs, and for who never had one."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm, SetPasswordForm
from django.contrib.auth.views import (
    PasswordResetConfirmView,
    PasswordResetDoneView,
    PasswordResetView,
)
from django.http import HttpRequest, HttpResponse
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from lipweb.models import User
from lipweb.pages.login import QUARTER_HOUR_S
from synthesis.ratelimit import Limit, network_of

log = logging.getLogger(__name__)

# Whether or not the address has a login: what is counted tells nobody.
MAILBOX = Limit("password-mailbox", most=4, window_s=QUARTER_HOUR_S)
ADDRESS = Limit("password-address", most=40, window_s=QUARTER_HOUR_S)
TOO_MANY = _("Too many links were asked for. Wait a quarter of an hour and try again.")


class ForgottenForm(PasswordResetForm):
    """Where the link shall go."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].widget.attrs["autofocus"] = True

    def get_users(self, email: str) -> Iterable[User]:
        """Those without a password too: the mail with their first link got lost."""
        return User.objects.filter(email=email.strip().lower(), is_active=True)


class PasswordForgotten(PasswordResetView):
    """Asks for an address and mails a link there, if it has a login."""

    template_name = "password.html"
    form_class = ForgottenForm
    email_template_name = "password.txt"
    subject_template_name = "password_subject.txt"
    extra_email_context = {
        "site": settings.SITE_URL,
        "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
    }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        email = request.POST.get("email", "").strip().lower()
        counted = [(MAILBOX, email), (ADDRESS, network_of(request))]
        if any(limit.is_reached(key) for limit, key in counted):
            log.warning("password-limited")
            page = self.get_context_data(form=self.form_class(), too_many=TOO_MANY)
            response = self.render_to_response(page, status=429)
            response["Retry-After"] = str(QUARTER_HOUR_S)
            return response
        for limit, key in counted:
            limit.count(key)
        return super().post(request, *args, **kwargs)

    def form_invalid(self, form: forms.BaseForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class PasswordSent(PasswordResetDoneView):
    """Says the same whether or not there is a login of that address."""

    template_name = "password_sent.html"


class PasswordNewForm(SetPasswordForm):  # type: ignore[type-arg]
    """The new password, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        first, second = self.fields["new_password1"], self.fields["new_password2"]
        first.label, second.label = _("New password"), _("The same once more")
        first.help_text = _("At least 8 characters, and no word that others use.")
        second.help_text = ""


class PasswordNew(PasswordResetConfirmView):
    """Sets the password by a link from the mailbox, and signs in with it."""

    template_name = "password_new.html"
    form_class = PasswordNewForm
    post_reset_login = True
    success_url = reverse_lazy("home")

    def form_invalid(self, form: forms.BaseForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)
