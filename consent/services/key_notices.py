"""Telling everybody concerned that somebody's passkeys changed.

Whoever owns one mailbox must not be able to change a key unseen: the actor, their
agent, the producers of every production they are cast in, and whoever co-signs with
them get the same letter. It goes out once the act is in the database for good."""

from __future__ import annotations

import logging
import smtplib
from functools import partial
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext, gettext_noop

from consent.models import (
    Actor,
    Cosigner,
    KeyRecovery,
    Membership,
    PasskeyCredential,
    Role,
)
from consent.models.passkeys import Holder
from consent.readers import language_of

log = logging.getLogger(__name__)

EVENTS: Final = {
    "retired": gettext_noop("was retired"),
    "came by recovery": gettext_noop("came by recovery"),
    "was compared": gettext_noop("was compared"),
}
SENTENCES: Final = {
    "retired": gettext_noop(
        "They retired this passkey with another one of theirs. Nothing that it signs "
        "from now on counts; what it signed before stays as it is."
    ),
    "came by recovery": gettext_noop(
        "A new passkey was set up by the link that the production had sent. It can "
        "withdraw and suspend now, and nothing else before a producer has compared its "
        "fingerprint with the actor and the waiting time is over."
    ),
    "was compared": gettext_noop(
        "A producer says that they compared the fingerprint with the actor. The "
        "waiting time runs from now."
    ),
}


def key_notice_on_commit(*, credential: PasskeyCredential, event: str) -> None:
    """Mail everybody concerned that a key was "retired", "came by recovery", or "was
    compared"."""
    holder = credential.holder
    # A producer must hear a new key's fingerprint from the actor, and type that.
    comparing: list[str] = []
    if event == "came by recovery" and credential.actor:
        comparing = _producers_of(credential.actor)
    for address in addresses_of(holder):
        with translation.override(_language_at(address, holder)):
            context = {
                "name": str(holder),
                "fingerprint": "" if address in comparing else credential.fingerprint,
                "sentence": gettext(SENTENCES[event]),
                "waits_until": credential.waits_until,
                "link": settings.SITE_URL + reverse("consent:passkeys"),
            }
            subject = gettext("A passkey of %(name)s %(event)s") % {
                "name": context["name"],
                "event": gettext(EVENTS[event]),
            }
            letter = render_to_string("consent/key_notice.txt", context)
        transaction.on_commit(partial(_send, subject, letter, address))


def recovery_notice_on_commit(*, recovery: KeyRecovery, link_token: str) -> None:
    """Mail the actor the link, and everybody concerned, without it, that a recovery was
    opened and why."""
    actor = recovery.actor
    own = actor.user.email if actor.user else ""
    link = settings.SITE_URL + reverse("consent:recovery", args=[link_token])
    for address in addresses_of(actor):
        context = {
            "recovery": recovery,
            "link": link if address == own else "",
            "hours": settings.RECOVERY_WAIT_HOURS,
        }
        with translation.override(_language_at(address, actor)):
            subject = gettext("A new passkey for %(name)s") % {"name": actor.stage_name}
            letter = render_to_string("consent/recovery.txt", context)
        transaction.on_commit(partial(_send, subject, letter, address))


def addresses_of(holder: Holder) -> list[str]:
    """Return the addresses of everybody whom a key of the holder concerns, once each,
    the holder's own first."""
    found = [holder.user.email if holder.user else ""]
    if isinstance(holder, Cosigner):
        return list(dict.fromkeys(filter(None, [*found, holder.email])))
    found.append(holder.agent_email)
    cosigners = Cosigner.objects.filter(grants__actor=holder).distinct()
    found += cosigners.values_list("email", flat=True)
    found += _producers_of(holder)
    return list(dict.fromkeys(filter(None, found)))


def _producers_of(actor: Actor) -> list[str]:
    producers = Membership.objects.filter(
        role=Role.PRODUCER, project__castings__actor=actor
    )
    addresses = producers.values_list("user__email", flat=True)
    return sorted({address for address in addresses if address})


def _language_at(address: str, holder: Holder) -> str:
    """The language of whose mailbox it is; who has no login reads the holder's."""
    people = get_user_model().objects
    return language_of(people.filter(email=address).first() or holder.user)


def _send(subject: str, letter: str, address: str) -> None:
    try:
        send_mail(
            subject=subject,
            message=letter,
            from_email=None,
            recipient_list=[address],
        )
    except (OSError, smtplib.SMTPException, ValueError):
        # The act stands whether or not a mail server answers. ValueError: a name with
        # a line break in it, which no header may hold.
        log.exception("key notice not sent")
