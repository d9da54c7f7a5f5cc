"""Building receipts, handing them out, and mailing them to whose face it is."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.core.mail import EmailMessage
from django.dispatch import receiver
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext

from consent.access import may_have_receipt
from consent.errors import LedgerBroken, NotAllowed
from consent.models import Actor, Grant, LedgerEntry, Status
from consent.models.passkeys import SignedDocument
from consent.readers import language_of, reading_locale
from consent.receipt import EntryPart, PasskeyPart, Receipt, SignedPart
from consent.receipt_pdf import receipt_pdf
from consent.services.checkpoints import checkpoint_covering, ledger_key
from consent.services.ledger import ledger_inclusion_proof
from consent.services.passkeys import enrolment_payload, signature_payload
from consent.signals import ledger_grown
from consent.tongue import gettext_noop
from consent.verdict import WITHDRAWALS, verify_receipt

log = logging.getLogger(__name__)

MAILED: Final = {
    "grant-signed": (
        gettext_noop("Signed: consent for %(production)s"),
        gettext_noop("the consent for %(production)s was signed"),
    ),
    "grant-revoked": (
        gettext_noop("Withdrawn: consent for %(production)s"),
        gettext_noop("the consent for %(production)s was withdrawn"),
    ),
}
"""Entries after which the actor is sent a receipt: its subject, and why it comes."""


def grant_receipt(*, grant: Grant, acting_user: AbstractBaseUser) -> Receipt:
    """Return the receipt of a signed grant, its withdrawal in it if there is one.
    Raises NotAllowed for anybody but the actor and the project's producers."""
    if not may_have_receipt(acting_user, grant):
        raise NotAllowed("Receipts are for the actor and the producer.")
    return grant_receipt_make(grant)


def grant_receipt_make(grant: Grant) -> Receipt:
    """Return the receipt of a signed grant, for the house's own sending."""
    if not grant.signed_at:
        raise NotAllowed("This was never signed: there is no receipt for it.")
    return receipt_make(subject=("grant", str(grant.id)), grants=[grant])


def receipt_make(
    *,
    subject: tuple[str, str],
    grants: Iterable[Grant],
    entries: Iterable[LedgerEntry] = (),
) -> Receipt:
    """Return the receipt about subject, which stands on signed grants and is told of
    by further ledger entries. Asks nobody's permission. Raises LedgerBroken where the
    ledger does not know what the rows say, NotAllowed while a grant is suspended: a
    receipt cannot tell of that yet, and must not call it in force. Not to be called
    inside a transaction."""
    grants = list(grants)
    if any(grant.status == Status.SUSPENDED for grant in grants):
        raise NotAllowed(
            "This consent is suspended. Its receipt is given again once the suspension"
            " is lifted or the consent withdrawn."
        )
    documents: list[SignedPart] = []
    found = {entry.index: entry for entry in entries}
    for grant in sorted(grants, key=lambda one: str(one.id)):
        signed: list[tuple[SignedDocument, str]] = [(grant, "grant-signed")]
        for word in grant.revocations.all():
            signed.append((word, WITHDRAWALS[word.kind]))
        for document, act in signed:
            documents.append(_part(document))
            for entry in _entries(document, str(grant.id), act):
                found[entry.index] = entry
    checkpoint = checkpoint_covering(entry=max(found))
    return Receipt(
        subject=subject,
        documents=tuple(documents),
        entries=tuple(
            EntryPart(
                content=bytes(entry.content),
                proof=tuple(ledger_inclusion_proof(entry, size=checkpoint.size)[1]),
            )
            for _, entry in sorted(found.items())
        ),
        checkpoint=checkpoint.note,
        ledger_key=ledger_key().text,
    )


def receipt_as_pdf(receipt: Receipt) -> bytes:
    """Return the receipt for reading, after checking it as a stranger would: no PDF
    is made of a receipt that does not hold."""
    return receipt_pdf(verify_receipt(receipt), reading_locale())


def receipt_mail(
    *, receipt: Receipt, actor: Actor, name: str, subject: str, context: dict[str, Any]
) -> None:
    """Send a receipt, as JSON and PDF, to the actor and to their agent if they named
    one, in the language that is active. name is that of the files, without suffix."""
    addresses = [actor.user.email if actor.user else "", actor.agent_email]
    for address in dict.fromkeys(filter(None, addresses)):
        mail = EmailMessage(
            subject=subject,
            body=render_to_string("consent/receipt.txt", context | {"actor": actor}),
            to=[address],
        )
        mail.attach(f"{name}.json", receipt.to_bytes(), "application/json")
        mail.attach(f"{name}.pdf", receipt_as_pdf(receipt), "application/pdf")
        mail.send()
        log.info("receipt mailed name=%s", name)


@receiver(ledger_grown)
def grant_receipt_send(entry: LedgerEntry, **_: Any) -> None:
    """Mail the receipt once a signature or a withdrawal is committed."""
    done = MAILED.get(entry.kind)
    if done is None:
        return
    rows = Grant.objects.select_related("actor__user", "project")
    grant = rows.get(pk=UUID(entry.subject))
    subject, about = done
    with translation.override(language_of(grant.actor.user)):
        receipt_mail(
            receipt=grant_receipt_make(grant),
            actor=grant.actor,
            name=f"consent-{grant.id}",
            subject=gettext(subject) % {"production": grant.project},
            context={"about": gettext(about) % {"production": grant.project}},
        )


def _part(document: SignedDocument) -> SignedPart:
    assertion, key = document.assertion, document.credential
    if assertion is None or key is None:
        raise NotAllowed("This was never signed: there is no receipt for it.")
    return SignedPart(
        canonical=bytes(document.canonical),
        text=document.shown_text,
        passkey=PasskeyPart(
            id=str(key.id),
            credential_id=bytes(key.credential_id),
            public_key=bytes(key.public_key),
            aaguid=key.aaguid,
            rp_id=key.rp_id,
            origin=key.origin,
        ),
        assertion=assertion,
    )


def _entries(document: SignedDocument, grant_id: str, act: str) -> list[LedgerEntry]:
    """The ledger's entries on the key's enrolment and on the signing."""
    key = document.credential
    if key is None:
        raise NotAllowed("This was never signed: there is no receipt for it.")
    rows = list(LedgerEntry.objects.about(grant_id, str(key.id)))
    wanted = [
        ("passkey-enrolled", enrolment_payload(key)),
        (act, signature_payload(document)),
    ]
    found = []
    for kind, payload in wanted:
        known = [row for row in rows if row.kind == kind and row.payload == payload]
        if not known:
            raise LedgerBroken("The ledger does not know what was signed here.")
        found.append(known[0])
    return found
