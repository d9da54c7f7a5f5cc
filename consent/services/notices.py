"""Telling people by e-mail that something about a grant happened.

The mail names the production and what happened, and links to the page; the terms stay
on the page. It goes out once the act is in the database for good."""

from __future__ import annotations

import logging
import smtplib
from typing import Final

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from consent.models import Grant, Role
from consent.readers import language_of
from consent.tongue import gettext_noop

log = logging.getLogger(__name__)

TO_ACTOR: Final = {
    "proposed": (
        gettext_noop("%(production)s asks for your consent"),
        gettext_noop(
            "You are asked for your consent. Nothing is allowed unless you sign."
        ),
    ),
}
"""Event by event, subject and sentence; producers are written to in English."""
TO_PRODUCERS: Final = {
    "signed": "The actor has signed. Read which terms: they may have narrowed them.",
    "declined": "The actor has declined. Nothing was allowed.",
    "returned": "The actor has sent the question back and says what should change.",
    "revoked": "The actor has withdrawn consent. Work was stopped, files are locked.",
    "suspended": "The actor has suspended consent. Work was stopped, files are locked.",
    "lifted": "The actor has lifted the suspension. The grant holds again.",
}


def notice_on_commit(*, grant: Grant, event: str) -> None:
    """Mail whoever the event concerns, once this transaction has committed."""
    transaction.on_commit(lambda: _send(grant, event))


def _send(grant: Grant, event: str) -> None:
    production = grant.project.name
    if event in TO_ACTOR:
        with translation.override(language_of(grant.actor.user)):
            subject, sentence = (gettext(words) for words in TO_ACTOR[event])
        subject %= {"production": production}
        recipients = _actor_address(grant)
    else:
        subject, sentence = f"{production}: consent {event}", TO_PRODUCERS[event]
        recipients = _producer_addresses(grant)
    link = settings.SITE_URL + reverse("consent:grant", args=[grant.id])
    for address in recipients:
        try:
            send_mail(
                subject=subject,
                message=f"{sentence}\n\n{link}\n",
                from_email=None,
                recipient_list=[address],
            )
        except (OSError, smtplib.SMTPException):
            # The act stands whether or not a mail server answers; the inbox shows it.
            log.exception("notice not sent grant=%s event=%s", grant.id, event)


def _actor_address(grant: Grant) -> list[str]:
    user = grant.actor.user
    return [user.email] if user and user.email else []


def _producer_addresses(grant: Grant) -> list[str]:
    producers = grant.project.memberships.filter(role=Role.PRODUCER)
    addresses = producers.values_list("user__email", flat=True)
    return sorted({address for address in addresses if address})
