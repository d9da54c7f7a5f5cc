"""Building receipts and handing them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser

from consent.access import may_have_receipt
from consent.canonical import sha256_hex
from consent.encoding import base64_bytes
from consent.errors import LedgerBroken, NotAllowed
from consent.keyring import CONFIRMED, RETIRED
from consent.models import (
    CoSignature,
    Grant,
    LedgerEntry,
    PasskeyCredential,
)
from consent.models.passkeys import SignedDocument
from consent.proof import LOGGED_AS
from consent.readers import reading_locale
from consent.receipt import EntryPart, KeyPart, Receipt, SignedPart
from consent.receipt_pdf import receipt_pdf
from consent.services.checkpoints import checkpoint_covering, ledger_key
from consent.services.ledger import ledger_inclusion_proof
from consent.services.passkeys import enrolment_payload, signature_payload
from consent.verdict import verify_receipt


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
    output_sha256: str = "",
) -> Receipt:
    """Return the receipt about subject, which stands on signed grants and is told of
    by further ledger entries. Of the actor's approvals it holds that of output_sha256,
    or all where none is named. Asks nobody's permission. Raises LedgerBroken where the
    ledger does not know what the rows say. Not to be called inside a transaction."""
    gathered = _Gathered()
    for grant in sorted(grants, key=lambda one: str(one.id)):
        for document, act in _signed_about(grant, output_sha256):
            gathered.take(document, act, str(grant.id))
    gathered.take_words_on_keys()
    found = {entry.index: entry for entry in (*entries, *gathered.entries)}
    checkpoint = checkpoint_covering(entry=max(found))
    return Receipt(
        subject=subject,
        keys=tuple(_key(key) for key in gathered.keys.values()),
        documents=tuple(gathered.documents),
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


def _signed_about(
    grant: Grant, output_sha256: str
) -> Iterator[tuple[SignedDocument, str]]:
    """All that was signed of a grant, in the order of receipts, with the ledger's word
    for each signing."""
    yield grant, "grant-signed"
    for cosignature in CoSignature.objects.filter(grant=grant):
        yield cosignature, "grant-cosigned"
    for word in grant.suspensions.select_related("credential"):
        yield word, LOGGED_AS[word.kind]
    approvals = grant.output_approvals.select_related("credential")
    if output_sha256:
        approvals = approvals.filter(output_sha256=output_sha256)
    for approval in approvals:
        yield approval, "output-approved"
    for revocation in grant.revocations.select_related("credential"):
        yield revocation, "grant-revoked"


class _Gathered:
    """The documents of a receipt, their keys, and the ledger's entries on both."""

    def __init__(self) -> None:
        self.documents: list[SignedPart] = []
        self.entries: list[LedgerEntry] = []
        self.keys: dict[UUID, PasskeyCredential] = {}

    def take(self, document: SignedDocument, act: str, subject: str) -> None:
        """Take a signed document in, with the entry on its signing."""
        assertion, key_id = document.assertion, document.credential_id
        if assertion is None or key_id is None:
            raise NotAllowed("This was never signed: there is no receipt for it.")
        # Read anew: whoever asks may have held the key since before it was retired.
        rows = PasskeyCredential.objects.select_related(
            "recovery", "confirmation__credential", "retirement__credential"
        )
        key = rows.get(pk=key_id)
        self.documents.append(
            SignedPart(
                act=act,
                canonical=bytes(document.canonical),
                text=document.shown_text,
                passkey=str(key.id),
                assertion=assertion,
            )
        )
        self.entries.append(_entry(act, subject, signature_payload(document)))
        if key.id not in self.keys:
            self.keys[key.id] = key
            self._take_enrolment(key)

    def take_words_on_keys(self) -> None:
        """Take in what confirmed and retired the keys taken so far, and the keys that
        signed those words, to the end."""
        told: set[UUID] = set()
        while left := [key for key in self.keys.values() if key.id not in told]:
            for key in left:
                told.add(key.id)
                if hasattr(key, "confirmation"):
                    self.take(key.confirmation, CONFIRMED, str(key.id))
                if hasattr(key, "retirement"):
                    self.take(key.retirement, RETIRED, str(key.id))

    def _take_enrolment(self, key: PasskeyCredential) -> None:
        payload = enrolment_payload(key)
        self.entries.append(_entry("passkey-enrolled", str(key.id), payload))
        recovery = key.recovery
        if recovery is None:
            return
        told = {
            "recovery": str(recovery.id),
            "reason_sha256": sha256_hex(recovery.reason),
        }
        opened = _entry("recovery-opened", str(recovery.actor_id), told)
        self.entries.append(opened)
        if recovery.compared_at:
            del told["reason_sha256"]
            self.entries.append(_entry("passkey-recovered", str(key.id), told))


def _entry(kind: str, subject: str, told: dict[str, Any]) -> LedgerEntry:
    """Return the first entry of this kind about subject that says what is told."""
    for entry in LedgerEntry.objects.about(subject).filter(kind=kind):
        if told.items() <= entry.payload.items():
            return entry
    raise LedgerBroken("The ledger does not know what was signed here.")


def _key(key: PasskeyCredential) -> KeyPart:
    answer = key.registration_parts
    return KeyPart(
        id=str(key.id),
        credential_id=bytes(key.credential_id),
        public_key=bytes(key.public_key),
        aaguid=key.aaguid,
        rp_id=key.rp_id,
        origin=key.origin,
        reason=key.recovery.reason if key.recovery else None,
        **{name: base64_bytes(text) for name, text in answer.items()},
    )


def receipt_as_pdf(receipt: Receipt) -> bytes:
    """Return the receipt for reading, after checking it as a stranger would: no PDF
    is made of a receipt that does not hold."""
    return receipt_pdf(verify_receipt(receipt), reading_locale())
