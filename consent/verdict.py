"""What a receipt proves: every check that a stranger can make, and the plain result.

Raises what is wrong as one of consent's errors, whose sentence says it. No Django, no
network, no database.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from consent import merkle, passkeys
from consent.authenticator import SOFTWARE_AAGUID
from consent.canonical import canonical_bytes, sha256_hex
from consent.checkpoint import Checkpoint, LedgerKey, verify_checkpoint
from consent.errors import LedgerBroken, RecordRefused, SignatureRefused
from consent.receipt import EntryPart, Receipt, SignedPart
from consent.record import (
    GRANT_SCHEMA,
    REVOCATION_SCHEMA,
    GrantRecord,
    ShownText,
    moment_of,
    revocation_document,
)
from consent.sentences import (
    GRANT_TEMPLATE,
    REVOCATION_TEMPLATE,
    day_words,
    grant_text,
    shown_revocation,
    until_words,
)
from consent.tongue import LOCALES

ENTRY_SCHEMA: Final = "lipweb-ledger-v1"
WITHDRAWALS: Final = {"revocation": "grant-revoked"}
"""Kinds of signed documents that end a grant, and the ledger's word for the act."""

Standing = Literal["in force", "withdrawn", "over", "not begun"]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A ledger's entry that was shown to stand in the checkpoint's tree."""

    index: int
    kind: str
    subject: str
    at: datetime
    payload: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProvenGrant:
    """A consent that its actor signed, and its withdrawal if there is one."""

    record: GrantRecord
    part: SignedPart
    signed: Entry
    withdrawn: Entry | None

    def standing(self, at: datetime) -> Standing:
        if self.withdrawn and self.withdrawn.at <= at:
            return "withdrawn"
        if at >= self.record.terms.ends_at:
            return "over"
        return "not begun" if at < self.record.terms.starts_at else "in force"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A receipt whose every proof holds. deliverable is the entry on the file that
    was made, if the receipt is about one."""

    grants: tuple[ProvenGrant, ...]
    checkpoint: Checkpoint
    key: LedgerKey
    deliverable: Entry | None
    remarks: tuple[str, ...]

    def in_force(self, at: datetime) -> bool:
        return all(grant.standing(at) == "in force" for grant in self.grants)


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
    ) as error:
        # A part of a foreign type: whatever it was meant to trip, it proves nothing.
        raise RecordRefused("A part of the receipt is not of its form.") from error


def _verified(receipt: Receipt) -> Verdict:
    key = LedgerKey.from_text(receipt.ledger_key)
    checkpoint = verify_checkpoint(receipt.checkpoint, key)
    book = _Book([_entry(part, checkpoint) for part in receipt.entries])
    grants, remarks = _grants(receipt, book)
    deliverable = _subject(receipt, grants, book)
    if book.unused():
        raise RecordRefused("The receipt holds a ledger entry about something else.")
    return Verdict(
        grants=tuple(grants),
        checkpoint=checkpoint,
        key=key,
        deliverable=deliverable,
        remarks=tuple(remarks),
    )


@dataclass
class _Book:
    """The receipt's entries, each to be asked for at least once."""

    entries: list[Entry]
    used: set[int] = field(default_factory=set)

    def find(
        self, kind: str, subject: str, told: Mapping[str, Any], missing: str
    ) -> Entry:
        for entry in self.entries:
            same = (entry.kind, entry.subject) == (kind, subject)
            if same and told.items() <= entry.payload.items():
                self.used.add(entry.index)
                return entry
        raise LedgerBroken(missing)

    def unused(self) -> bool:
        indices = [entry.index for entry in self.entries]
        return len(set(indices)) < len(indices) or set(indices) != self.used


def _entry(part: EntryPart, checkpoint: Checkpoint) -> Entry:
    fields = _fields(part.content, "A ledger entry in the receipt cannot be read.")
    try:
        if fields["schema"] != ENTRY_SCHEMA:
            raise RecordRefused("A ledger entry in the receipt is of another form.")
        entry = Entry(
            index=fields["index"],
            kind=fields["kind"],
            subject=fields["subject"],
            at=moment_of(fields["at"]),
            payload=dict(fields["payload"]),
        )
        merkle.verify_inclusion(
            leaf=merkle.leaf_hash(part.content),
            index=entry.index,
            size=checkpoint.size,
            proof=part.proof,
            root=checkpoint.root,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecordRefused("A ledger entry in the receipt cannot be read.") from error
    return entry


def _fields(content: bytes, otherwise: str) -> dict[str, Any]:
    """Read canonical JSON, refusing any other spelling of it."""
    try:
        fields = json.loads(content)
    except ValueError as error:
        raise RecordRefused(otherwise) from error
    if not isinstance(fields, dict) or canonical_bytes(fields) != content:
        raise RecordRefused(otherwise)
    return fields


def _grants(receipt: Receipt, book: _Book) -> tuple[list[ProvenGrant], list[str]]:
    """Read the documents: each grant, followed by its withdrawal if there is one."""
    grants: list[ProvenGrant] = []
    remarks: list[str] = []
    for part in receipt.documents:
        fields = _fields(part.canonical, "A signed document is not in canonical form.")
        if fields.get("schema") == GRANT_SCHEMA:
            grants.append(_grant(part, fields, book, remarks))
        elif fields.get("schema") == REVOCATION_SCHEMA:
            _withdraw(part, fields, grants, book, remarks)
        else:
            raise RecordRefused("A signed document is of a form not known here.")
    if not grants or len({grant.record.grant_id for grant in grants}) < len(grants):
        raise RecordRefused("The receipt must hold each signed consent once.")
    return grants, remarks


def _grant(
    part: SignedPart, fields: dict[str, Any], book: _Book, remarks: list[str]
) -> ProvenGrant:
    record = GrantRecord.from_document(fields)
    worded = grant_text(record) if _is_known(record.text, GRANT_TEMPLATE) else None
    _verify_words(part.text, record.text, worded, remarks)
    signed = _verify_signed(
        part, record.grantor.actor_id, "grant-signed", record.grant_id, book, remarks
    )
    return ProvenGrant(record=record, part=part, signed=signed, withdrawn=None)


def _withdraw(
    part: SignedPart,
    fields: dict[str, Any],
    grants: list[ProvenGrant],
    book: _Book,
    remarks: list[str],
) -> None:
    grant = grants[-1] if grants else None
    kind = fields.get("kind")
    if grant is None or grant.withdrawn or kind not in WITHDRAWALS:
        raise RecordRefused("A withdrawal in the receipt belongs to no consent in it.")
    record = grant.record
    try:
        shown = ShownText(**fields["text"])
        expected = revocation_document(
            grant_id=record.grant_id,
            grant_sha256=grant.part.sha256,
            actor_id=record.grantor.actor_id,
            kind=kind,
            text=shown,
        )
    except (KeyError, TypeError) as error:
        raise RecordRefused("The withdrawal is not a readable record.") from error
    if fields != expected:
        raise SignatureRefused("The withdrawal is not one of the consent beside it.")
    known = _is_known(shown, REVOCATION_TEMPLATE)
    worded = shown_revocation(record, shown.locale)[1] if known else None
    _verify_words(part.text, shown, worded, remarks)
    withdrawn = _verify_signed(
        part,
        record.grantor.actor_id,
        WITHDRAWALS[kind],
        record.grant_id,
        book,
        remarks,
    )
    if withdrawn.index <= grant.signed.index:
        raise LedgerBroken("The consent was withdrawn before it was signed.")
    grants[-1] = ProvenGrant(
        record=record, part=grant.part, signed=grant.signed, withdrawn=withdrawn
    )


def _is_known(shown: ShownText, template: str) -> bool:
    return shown.template == template and shown.locale in LOCALES


def _verify_words(
    text: str, shown: ShownText, worded: str | None, remarks: list[str]
) -> None:
    """The words kept are those whose hash was signed, and those of the terms."""
    if sha256_hex(text) != shown.sha256:
        raise SignatureRefused("The words in the receipt are not those signed for.")
    if worded is None:
        remarks.append(
            f"The words follow the template {shown.template} ({shown.locale}), which "
            "this verifier does not know. Their hash was signed; whether they say what "
            "the terms say, read for yourself."
        )
    elif text != worded:
        raise SignatureRefused("The words shown say something else than the terms.")


def _verify_signed(
    part: SignedPart,
    actor_id: str,
    kind: str,
    grant_id: str,
    book: _Book,
    remarks: list[str],
) -> Entry:
    passkeys.verify_assertion(
        assertion=part.assertion,
        canonical=part.canonical,
        public_key=part.passkey.public_key,
        expected_rp_id=part.passkey.rp_id,
        expected_origin=part.passkey.origin,
    )
    enrolled = book.find(
        "passkey-enrolled",
        part.passkey.id,
        part.passkey.enrolment(actor_id),
        "The ledger does not say that this passkey is the actor's.",
    )
    missing = "The ledger does not know this signature."
    signed = book.find(kind, grant_id, part.act, missing)
    if signed.index <= enrolled.index:
        raise LedgerBroken("The passkey was enrolled only after the signature.")
    software = "A software key signed, no person's device."
    if part.passkey.aaguid == str(SOFTWARE_AAGUID) and software not in remarks:
        remarks.append(software)
    return signed


def _subject(receipt: Receipt, grants: list[ProvenGrant], book: _Book) -> Entry | None:
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
        withdrawn = grant.withdrawn and grant.withdrawn.index < entry.index
        terms = grant.record.terms
        if (
            withdrawn
            or entry.index <= grant.signed.index
            or not terms.starts_at <= entry.at < terms.ends_at
        ):
            raise SignatureRefused("The file was made while no consent was in force.")
    return entry


def sentences(verdict: Verdict, at: datetime) -> list[str]:
    """Return the verdict in plain words, as it stands at an aware moment."""
    lines = []
    for grant in verdict.grants:
        lines += _grant_lines(grant, at)
    if verdict.deliverable:
        told = verdict.deliverable.payload
        lines.append(
            f"The file with the SHA-256 {told.get('sha256')} was made on this consent "
            f"on {day_words(verdict.deliverable.at)} (UTC)."
        )
        others = len(told["grants"]) - len(verdict.grants)
        if others:
            lines.append(f"It stands on other people's consents too: {others}.")
    lines += verdict.remarks
    size, root = verdict.checkpoint.size, verdict.checkpoint.root.hex()
    lines.append(
        f"The ledger {verdict.checkpoint.origin} vouches for it with {size} entries "
        f"and the root {root}. It can say nothing of what happened after them."
    )
    lines.append(
        f"Compare the ledger's key with the one its house publishes: "
        f"{verdict.key.text} (fingerprint {verdict.key.fingerprint})."
    )
    return lines


def _grant_lines(grant: ProvenGrant, at: datetime) -> list[str]:
    grantor, grantee = grant.record.grantor, grant.record.grantee
    terms, key = grant.record.terms, grant.part.passkey
    states = {
        "withdrawn": "It is withdrawn" if grant.withdrawn else "",
        "over": "Its time is over",
        "not begun": "Its time has not begun",
        "in force": "It is in force",
    }
    lines = [
        f"{grantor.legal_name} ({grantor.stage_name}) signed the consent "
        f"{grant.record.grant_id} for “{grantee.production}” by {grantee.company}.",
        f"It was signed on {day_words(grant.signed.at)} (UTC) at {key.origin} with the "
        f"passkey {key.fingerprint}, after its owner was recognised.",
        f"It runs from {day_words(terms.starts_at)} to {until_words(terms.ends_at)} "
        f"(UTC). {states[grant.standing(at)]} at {at:%Y-%m-%d %H:%M} UTC.",
    ]
    if grant.withdrawn:
        lines.append(f"It was withdrawn on {day_words(grant.withdrawn.at)} (UTC).")
    return lines
