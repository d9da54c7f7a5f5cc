"""What a receipt proves: every check that a stranger can make, and the plain result.

Raises what is wrong as one of consent's errors, whose sentence says it. What it says in
words is in consent.verdict_words. No Django, no network, no database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

from consent.checkpoint import Checkpoint, LedgerKey, verify_checkpoint
from consent.errors import LedgerBroken, RecordRefused, SignatureRefused
from consent.keyring import (
    CONFIRMED,
    RETIRED,
    Book,
    Entry,
    Keyring,
    ProvenKey,
    entry_read,
    fields_read,
    is_known,
    verify_words,
)
from consent.receipt import Receipt, SignedPart
from consent.record import (
    GrantRecord,
    ShownText,
    output_document,
    revocation_document,
    suspension_document,
)
from consent.sentences import (
    GRANT_TEMPLATE,
    OUTPUT_TEMPLATE,
    REVOCATION_TEMPLATE,
    SUSPENSION_TEMPLATE,
    grant_text,
    shown_output,
    shown_revocation,
    shown_suspension,
)

ABOUT_KEYS: Final = (CONFIRMED, RETIRED)

Standing = Literal[
    "in force",
    "withdrawn",
    "suspended",
    "not co-signed",
    "mandate over",
    "over",
    "not begun",
]


@dataclass(frozen=True, kw_only=True)
class ProvenGrant:
    """A consent that its actor signed, and all that was signed of it since.

    rests are the suspensions and liftings in turn, a suspension first; approvals the
    files, by their SHA-256, that the actor approved."""

    record: GrantRecord
    part: SignedPart
    key: ProvenKey
    signed: Entry
    cosigned: Entry | None = None
    cosigning_key: ProvenKey | None = None
    withdrawn: Entry | None = None
    withdrawing_key: ProvenKey | None = None
    rests: tuple[Entry, ...] = ()
    approvals: tuple[tuple[str, Entry], ...] = ()

    def standing(self, at: datetime) -> Standing:
        """Return where the consent stands at an aware moment."""
        return self._standing(at, lambda entry: entry.at <= at)

    def standing_at(self, place: Entry) -> Standing:
        """Return where the consent stood when an entry was written."""
        return self._standing(place.at, lambda entry: entry.index < place.index)

    def _standing(self, at: datetime, is_past: Callable[[Entry], bool]) -> Standing:
        terms, mandate = self.record.terms, self.record.grantor.mandate
        if self.withdrawn and is_past(self.withdrawn):
            return "withdrawn"
        if at >= terms.ends_at:
            return "over"
        if sum(is_past(rest) for rest in self.rests) % 2:
            return "suspended"
        if self.record.cosigner and not (self.cosigned and is_past(self.cosigned)):
            return "not co-signed"
        if mandate and not mandate.starts_at <= at < mandate.ends_at:
            return "mandate over"
        return "not begun" if at < terms.starts_at else "in force"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A receipt whose every proof holds. deliverable is the entry on the file that
    was made, if the receipt is about one; keys are all that signed, oldest first."""

    grants: tuple[ProvenGrant, ...]
    keys: tuple[ProvenKey, ...]
    checkpoint: Checkpoint
    key: LedgerKey
    deliverable: Entry | None
    remarks: tuple[str, ...]

    def in_force(self, at: datetime) -> bool:
        """Whether every consent that is shown stands; none shown is none known to."""
        return bool(self.grants) and all(
            grant.standing(at) == "in force" for grant in self.grants
        )

    @property
    def on_the_houses_word(self) -> bool:
        """Whether a key signed that came by recovery and that no earlier key of the
        same person has confirmed."""
        return any(key.opened and not key.confirmed for key in self.keys)


def verify_receipt(receipt: Receipt) -> Verdict:
    """Return what the receipt proves. Raises LedgerBroken, RecordRefused or
    SignatureRefused at the first thing in it that does not hold."""
    try:
        return _verified(receipt)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RecursionError,
        StopIteration,
    ) as error:
        # A part of a foreign type: whatever it was meant to trip, it proves nothing.
        raise RecordRefused("A part of the receipt is not of its form.") from error


def _verified(receipt: Receipt) -> Verdict:
    key = LedgerKey.from_text(receipt.ledger_key)
    checkpoint = verify_checkpoint(receipt.checkpoint, key)
    book = Book([entry_read(part, checkpoint) for part in receipt.entries])
    on_keys = tuple(part for part in receipt.documents if part.act in ABOUT_KEYS)
    keyring = Keyring(receipt.keys, on_keys, book)
    grants = _grants(receipt, keyring, book)
    deliverable = _subject(receipt, grants, book)
    keyring.verify_all_used()
    if book.unused():
        raise RecordRefused("The receipt holds a ledger entry about something else.")
    oldest_first = sorted(keyring.keys.values(), key=lambda one: one.enrolled.index)
    return Verdict(
        grants=tuple(grants),
        keys=tuple(oldest_first),
        checkpoint=checkpoint,
        key=key,
        deliverable=deliverable,
        remarks=tuple(book.remarks),
    )


def _grants(receipt: Receipt, keyring: Keyring, book: Book) -> list[ProvenGrant]:
    """Read the documents: each grant, followed by all that was signed of it."""
    reader = _Reader(keyring, book)
    on_keys = [part.act in ABOUT_KEYS for part in receipt.documents]
    if on_keys != sorted(on_keys):
        raise RecordRefused("The words on passkeys come last in a receipt.")
    for part in receipt.documents[: on_keys.count(False)]:
        read = reader.acts.get(part.act)
        if read is None:
            raise RecordRefused("A signed document is of a form not known here.")
        wrong = "A signed document is not in canonical form."
        read(part, fields_read(part.canonical, wrong))
    grants = reader.grants
    may_be_none = receipt.subject[0] == "deliverable"
    if not grants and not may_be_none:
        raise RecordRefused("The receipt holds no signed consent.")
    if len({grant.record.grant_id for grant in grants}) < len(grants):
        raise RecordRefused("The receipt must hold each signed consent once.")
    return grants


class _Reader:
    """Takes a receipt's documents in turn; what follows a grant is about it."""

    def __init__(self, keyring: Keyring, book: Book) -> None:
        self.grants: list[ProvenGrant] = []
        self._keyring = keyring
        self._book = book
        self.acts: dict[str, Callable[[SignedPart, dict[str, Any]], None]] = {
            "grant-signed": self._sign,
            "grant-cosigned": self._cosign,
            "grant-suspended": self._rest,
            "suspension-lifted": self._rest,
            "output-approved": self._approve,
            "grant-revoked": self._withdraw,
        }

    def _sign(self, part: SignedPart, fields: dict[str, Any]) -> None:
        record = GrantRecord.from_document(fields)
        known = is_known(record.text, GRANT_TEMPLATE)
        worded = grant_text(record) if known else None
        verify_words(part.text, record.text, worded, self._book)
        signed = self._keyring.prove(
            part,
            holder=("actor", record.grantor.actor_id),
            act="grant-signed",
            subject=record.grant_id,
        )
        mandate = record.grantor.mandate
        if mandate and not mandate.starts_at <= signed.at < mandate.ends_at:
            raise SignatureRefused("It was signed while the mandate did not hold.")
        key = self._keyring.keys[part.passkey]
        self.grants.append(
            ProvenGrant(record=record, part=part, key=key, signed=signed)
        )

    def _cosign(self, part: SignedPart, fields: dict[str, Any]) -> None:
        grant = self._last()
        cosigner = grant.record.cosigner
        same = (part.canonical, part.text) == (grant.part.canonical, grant.part.text)
        if cosigner is None or grant.cosigned or not same:
            raise SignatureRefused("What was co-signed is not the consent beside it.")
        entry = self._keyring.prove(
            part,
            holder=("cosigner", cosigner.cosigner_id),
            act="grant-cosigned",
            subject=grant.record.grant_id,
        )
        self._later(grant.signed, entry)
        key = self._keyring.keys[part.passkey]
        self.grants[-1] = replace(grant, cosigned=entry, cosigning_key=key)

    def _rest(self, part: SignedPart, fields: dict[str, Any]) -> None:
        grant = self._last()
        lifting = bool(len(grant.rests) % 2)
        kind = "lifting" if lifting else "suspension"
        shown = ShownText(**fields["text"])
        expected = suspension_document(
            **_named(grant), kind=kind, number=len(grant.rests) + 1, text=shown
        )
        worded = None
        if is_known(shown, SUSPENSION_TEMPLATE):
            worded = shown_suspension(
                grant.record, lifting=lifting, locale=shown.locale
            )[1]
        act = "suspension-lifted" if lifting else "grant-suspended"
        entry = self._prove(part, fields, expected, worded, act)
        for earlier in grant.rests:
            self._later(earlier, entry)
        self.grants[-1] = replace(grant, rests=(*grant.rests, entry))

    def _approve(self, part: SignedPart, fields: dict[str, Any]) -> None:
        grant = self._last()
        shown = ShownText(**fields["text"])
        sha256 = fields["output_sha256"]
        expected = output_document(**_named(grant), output_sha256=sha256, text=shown)
        worded = None
        if is_known(shown, OUTPUT_TEMPLATE):
            worded = shown_output(grant.record, sha256, shown.locale)[1]
        entry = self._prove(part, fields, expected, worded, "output-approved")
        if sha256 in dict(grant.approvals):
            raise RecordRefused("A file was approved twice.")
        for _, earlier in grant.approvals:
            self._later(earlier, entry)
        approvals = (*grant.approvals, (sha256, entry))
        self.grants[-1] = replace(grant, approvals=approvals)

    def _withdraw(self, part: SignedPart, fields: dict[str, Any]) -> None:
        grant = self._last()
        shown = ShownText(**fields["text"])
        expected = revocation_document(**_named(grant), kind="revocation", text=shown)
        worded = None
        if is_known(shown, REVOCATION_TEMPLATE):
            worded = shown_revocation(grant.record, shown.locale)[1]
        entry = self._prove(part, fields, expected, worded, "grant-revoked")
        for earlier in (*grant.rests, *dict(grant.approvals).values()):
            self._later(earlier, entry)
        key = self._keyring.keys[part.passkey]
        self.grants[-1] = replace(grant, withdrawn=entry, withdrawing_key=key)

    def _prove(
        self,
        part: SignedPart,
        fields: dict[str, Any],
        expected: dict[str, Any],
        worded: str | None,
        act: str,
    ) -> Entry:
        """Return the entry on a later word of the actor on the last grant."""
        grant = self._last()
        if fields != expected:
            raise SignatureRefused(
                "What was signed is not about the consent beside it."
            )
        verify_words(part.text, ShownText(**fields["text"]), worded, self._book)
        entry = self._keyring.prove(
            part,
            holder=("actor", grant.record.grantor.actor_id),
            act=act,
            subject=grant.record.grant_id,
        )
        self._later(grant.signed, entry)
        return entry

    def _last(self) -> ProvenGrant:
        if not self.grants or self.grants[-1].withdrawn:
            raise RecordRefused("A word in the receipt belongs to no consent in it.")
        return self.grants[-1]

    @staticmethod
    def _later(first: Entry, second: Entry) -> None:
        if second.index <= first.index:
            raise LedgerBroken("The ledger has what was signed in another order.")


def _named(grant: ProvenGrant) -> Mapping[str, Any]:
    return {
        "grant_id": grant.record.grant_id,
        "grant_sha256": grant.part.sha256,
        "actor_id": grant.record.grantor.actor_id,
    }


def _subject(receipt: Receipt, grants: list[ProvenGrant], book: Book) -> Entry | None:
    kind, name = receipt.subject
    named = sorted(grant.record.grant_id for grant in grants)
    if kind == "grant":
        if named != [name]:
            raise RecordRefused("The receipt is about another consent.")
        return None
    told = {"deliverable": name}
    made = [entry for entry in book.entries if told.items() <= entry.payload.items()]
    subject = made[0].subject if made else ""
    missing = "The ledger does not say that this file was made."
    entry = book.find("deliverable-made", subject, told, missing)
    if not set(named) <= set(entry.payload["grants"]):
        raise RecordRefused("The file stands on other consents than those shown.")
    for grant in grants:
        signed_before = grant.signed.index < entry.index
        if not signed_before or grant.standing_at(entry) != "in force":
            raise SignatureRefused("The file was made while no consent was in force.")
    return entry
