"""Mailing receipts to those whose face it is, once what they prove is committed.

A receipt that a mail server does not take is kept as an UnsentReceipt and tried again
by receipts_send_late; the letter then says that it comes late."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.core.mail import EmailMessage
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext

from consent.models import Actor, Cosigner, Grant, LedgerEntry, UnsentReceipt
from consent.readers import language_of
from consent.receipt import Receipt
from consent.services.receipts import grant_receipt_make, receipt_as_pdf
from consent.signals import ledger_grown, receipt_late
from consent.tongue import gettext_noop

log = logging.getLogger(__name__)

TRY_AGAIN_AFTER: Final = timedelta(minutes=5)
TRY_AGAIN_FOR: Final = timedelta(days=3)
MAILED: Final = {
    "grant-signed": (
        gettext_noop("Signed: consent for %(production)s"),
        gettext_noop("the consent for %(production)s was signed"),
    ),
    "grant-cosigned": (
        gettext_noop("Co-signed: consent for %(production)s"),
        gettext_noop("the consent for %(production)s was co-signed"),
    ),
    "grant-suspended": (
        gettext_noop("Suspended: consent for %(production)s"),
        gettext_noop("the consent for %(production)s was suspended"),
    ),
    "suspension-lifted": (
        gettext_noop("Lifted from its suspension: consent for %(production)s"),
        gettext_noop("the suspension of the consent for %(production)s was lifted"),
    ),
    "grant-revoked": (
        gettext_noop("Withdrawn: consent for %(production)s"),
        gettext_noop("the consent for %(production)s was withdrawn"),
    ),
}
"""Entries after which the actor is sent a receipt: its subject, and why it comes."""


def receipt_mail(
    *,
    receipt: Receipt,
    entry: LedgerEntry,
    late: UnsentReceipt | None,
    actor: Actor,
    name: str,
    subject: str,
    context: dict[str, Any],
    cosigners: Iterable[Cosigner] = (),
) -> int:
    """Send a receipt, as JSON and PDF, to the actor, to their agent if they named one,
    and to who co-signed with them, in the language that is active; or only the one
    that is late. name is that of the files, without suffix. What cannot be sent is kept
    as an UnsentReceipt about the entry that it came by. Returns how many went."""
    addresses = [actor.user.email if actor.user else "", actor.agent_email]
    addresses += [cosigner.email for cosigner in cosigners]
    words = context | {"actor": actor, "late": late}
    body = render_to_string("consent/receipt.txt", words)
    files = (
        (f"{name}.json", receipt.to_bytes(), "application/json"),
        (f"{name}.pdf", receipt_as_pdf(receipt), "application/pdf"),
    )
    sent = 0
    for address in dict.fromkeys(filter(None, addresses)):
        if late is not None and address != late.address:
            continue
        mail = EmailMessage(subject=subject, body=body, to=[address])
        for file in files:
            mail.attach(*file)
        try:
            mail.send()
        except (OSError, smtplib.SMTPException, ValueError):
            # What was signed stands all the same. ValueError: a name with a line
            # break in it, which no header may hold.
            log.exception("receipt not mailed name=%s", name)
            since = late.since if late else timezone.now()
            UnsentReceipt.objects.get_or_create(
                entry=entry, address=address, defaults={"since": since}
            )
        else:
            sent += 1
            log.info("receipt mailed name=%s", name)
    return sent


@receiver([ledger_grown, receipt_late])
def grant_receipt_send(
    entry: LedgerEntry, late: UnsentReceipt | None = None, **_: Any
) -> int:
    """Mail the receipt once a signature or a withdrawal is committed. Returns how many
    letters went."""
    done = MAILED.get(entry.kind)
    if done is None:
        return 0
    rows = Grant.objects.select_related("actor__user", "project", "cosigner")
    grant = rows.get(pk=UUID(entry.subject))
    subject, about = done
    with translation.override(language_of(grant.actor.user)):
        return receipt_mail(
            receipt=grant_receipt_make(grant),
            entry=entry,
            late=late,
            actor=grant.actor,
            name=f"consent-{grant.id}",
            subject=gettext(subject) % {"production": grant.project},
            context={"about": gettext(about) % {"production": grant.project}},
            cosigners=[grant.cosigner] if grant.cosigner else [],
        )


def receipts_send_late(*, now: datetime | None = None) -> int:
    """Try again to mail the receipts that could not go, for three days. Returns how
    many went. A receipt whose address nobody concerned has any more is let go."""
    now = now or timezone.now()
    UnsentReceipt.objects.filter(since__lt=now - TRY_AGAIN_FOR).delete()
    sent = 0
    left = UnsentReceipt.objects.filter(since__lt=now - TRY_AGAIN_AFTER)
    for late in left.select_related("entry"):
        # Claimed by deleting: of two workers one sends.
        claimed, _rows = UnsentReceipt.objects.filter(pk=late.pk).delete()
        if claimed:
            sent += _sent(late)
    return sent


def _sent(late: UnsentReceipt) -> bool:
    about = {"entry": late.entry, "late": late}
    answers = receipt_late.send_robust(sender=UnsentReceipt, **about)
    for error in [it for _, it in answers if isinstance(it, Exception)]:
        log.error("late receipt not made entry=%s", late.entry_id, exc_info=error)
        UnsentReceipt.objects.get_or_create(
            entry=late.entry, address=late.address, defaults={"since": late.since}
        )
    return any(it for _, it in answers if not isinstance(it, Exception))
