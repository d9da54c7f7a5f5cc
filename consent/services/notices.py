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

from consent.models import Grant, Role

log = logging.getLogger(__name__)

TO_ACTOR: Final = {
    "proposed": "You are asked for your consent. Nothing is allowed unless you sign.",
}
TO_PRODUCERS: Final = {
    "signed": "The actor has signed. Read which terms: they may have narrowed them.",
    "declined": "The actor has declined. Nothing was allowed.",
    "returned": "The actor has sent the question back and says what should change.",
    "revoked": "The actor has withdrawn consent. Work was stopped, files are locked.",
    "suspended": "The actor has suspended consent. Work was stopped, files are locked.",
    "co-signed": "The co-signer has signed too. The grant holds now.",
    "lifted": "The actor has lifted the suspension. The grant holds again.",
}


def notice_on_commit(*, grant: Grant, event: str) -> None:
    """Mail whoever the event concerns, once this transaction has committed."""
    transaction.on_commit(lambda: _send(grant, event))


def _send(grant: Grant, event: str) -> None:
    to_actor = event in TO_ACTOR
    sentence = TO_ACTOR[event] if to_actor else TO_PRODUCERS[event]
    recipients = _actor_address(grant) if to_actor else _producer_addresses(grant)
    link = settings.SITE_URL + reverse("consent:grant", args=[grant.id])
    for address in recipients:
        try:
            send_mail(
                subject=f"{grant.project.name}: consent {event}",
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
