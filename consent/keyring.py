"""The passkeys of a receipt: whose each one is, how it came, and what it proves.

A key of a person is their first, or confirmed by an older one of theirs, or let in by
recovery on the house's word. A retired key proves nothing from its retirement on. No
Django.
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
from consent.checkpoint import Checkpoint
from consent.errors import LedgerBroken, RecordRefused, SignatureRefused
from consent.receipt import EntryPart, KeyPart, SignedPart
from consent.record import (
    ShownText,
    moment_of,
    passkey_document,
    retirement_document,
)
from consent.sentences import (
    PASSKEY_TEMPLATE,
    RETIREMENT_TEMPLATE,
    shown_passkey,
    shown_retirement,
)
from consent.tongue import LOCALES, gettext_noop

ENTRY_SCHEMA: Final = "lipweb-ledger-v1"
CONFIRMED: Final = "passkey-confirmed"
RETIRED: Final = "passkey-retired"
SOFTWARE_SIGNED: Final = gettext_noop("A software key signed, no person's device.")
WITHDRAWING: Final = ("grant-revoked", "grant-suspended")
"""Acts that take away. A key let in by recovery may do these without any delay."""

Came = Literal["first", "confirmed", "recovery", "nobody"]
Holder = tuple[str, str]
"""Whose a key is: ("actor" | "cosigner", id)."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A ledger's entry that was shown to stand in the checkpoint's tree."""

    index: int
    kind: str
    subject: str
    at: datetime
    payload: Mapping[str, Any]


@dataclass
class Book:
    """The receipt's entries, each to be asked for at least once, and the remarks that
    a reader should have beside the verdict."""

    entries: list[Entry]
    used: set[int] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)

    def find(
        self, kind: str, subject: str, told: Mapping[str, Any], missing: str
    ) -> Entry:
        """Return the entry that says what is told; LedgerBroken(missing) if none."""
        for entry in self.entries:
            same = (entry.kind, entry.subject) == (kind, subject)
            if same and told.items() <= entry.payload.items():
                self.used.add(entry.index)
                return entry
        raise LedgerBroken(missing)

    def remark(self, sentence: str) -> None:
        if sentence not in self.remarks:
            self.remarks.append(sentence)

    def unused(self) -> bool:
        indices = [entry.index for entry in self.entries]
        return len(set(indices)) < len(indices) or set(indices) != self.used


@dataclass(frozen=True, kw_only=True)
class ProvenKey:
    """A key whose registration and enrolment hold. came is how; confirmed, recovered
    and retired are the entries on it that the receipt shows."""

    part: KeyPart
    holder: Holder
    enrolled: Entry
    came: Came
    opened: Entry | None
    recovered: Entry | None
    confirmed: Entry | None
    retired: Entry | None

    @property
    def is_software(self) -> bool:
        return self.part.aaguid == str(SOFTWARE_AAGUID)


def entry_read(part: EntryPart, checkpoint: Checkpoint) -> Entry:
    """Return an entry that stands in the checkpoint's tree. Raises RecordRefused for
    what is no entry, LedgerBroken for one of another ledger."""
    fields = fields_read(part.content, "A ledger entry in the receipt cannot be read.")
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


def fields_read(content: bytes, otherwise: str) -> dict[str, Any]:
    """Read a canonical JSON object; RecordRefused(otherwise) for any other spelling."""
    try:
        fields = json.loads(content)
    except ValueError as error:
        raise RecordRefused(otherwise) from error
    if not isinstance(fields, dict) or canonical_bytes(fields) != content:
        raise RecordRefused(otherwise)
    return fields


def is_known(shown: ShownText, template: str) -> bool:
    """Say whether this code can write the words of that name anew."""
    return shown.template == template and shown.locale in LOCALES


def verify_words(
    text: str, shown: ShownText, worded: str | None, remarks: Book
) -> None:
    """The words kept must be those whose hash was signed, and those of the terms;
    worded None is a template of another version, which is remarked on."""
    if sha256_hex(text) != shown.sha256:
        raise SignatureRefused("The words in the receipt are not those signed for.")
    if worded is None:
        remarks.remark(
            f"The words follow the template {shown.template} ({shown.locale}), which "
            "this verifier does not know. Their hash was signed; whether they say what "
            "the terms say, read for yourself."
        )
    elif text != worded:
        raise SignatureRefused("The words shown say something else than the terms.")


class Keyring:
    """Every key of a receipt, proven from its documents about keys and its entries.

    Raises SignatureRefused, LedgerBroken or RecordRefused at what does not hold."""

    def __init__(
        self, keys: tuple[KeyPart, ...], documents: tuple[SignedPart, ...], book: Book
    ) -> None:
        self._book = book
        self._signers: set[str] = set()
        self._words: set[tuple[str, str]] = set()
        self.keys = {part.id: self._key(part) for part in keys}
        firsts = [key.holder for key in self.keys.values() if key.came == "first"]
        if len(self.keys) < len(keys) or len(set(firsts)) < len(firsts):
            raise RecordRefused("A passkey of the receipt is there twice.")
        for part in documents:
            self._verify_word(part)

    def prove(
        self, part: SignedPart, *, holder: Holder, act: str, subject: str
    ) -> Entry:
        """Return the entry on a signing, or raise: a key of the holder must have
        signed the bytes, been allowed to at that moment, and the ledger know both."""
        key = self.keys.get(part.passkey)
        if key is None or part.act != act:
            raise RecordRefused("A document in the receipt is not signed as it says.")
        passkeys.verify_assertion(
            assertion=part.assertion,
            canonical=part.canonical,
            public_key=key.part.public_key,
            expected_rp_id=key.part.rp_id,
            expected_origin=key.part.origin,
        )
        if part.assertion.credential_id != key.part.credential_id:
            raise SignatureRefused("The answer of the passkey names another passkey.")
        if key.holder != holder:
            raise LedgerBroken("The ledger says that this passkey is somebody else's.")
        missing = "The ledger does not know this signature."
        signed = self._book.find(act, subject, part.logged, missing)
        _verify_standing(key, signed)
        self._signers.add(key.part.id)
        if key.is_software:
            self._book.remark(SOFTWARE_SIGNED)
        return signed

    def verify_all_used(self) -> None:
        """Raise RecordRefused if a key signed nothing of what the receipt holds."""
        if self._signers != set(self.keys):
            raise RecordRefused("The receipt holds a passkey that signed nothing.")

    def _key(self, part: KeyPart) -> ProvenKey:
        passkeys.verify_registration(
            client_data_json=part.client_data_json,
            attestation_object=part.attestation_object,
            credential_id=part.credential_id,
            public_key=part.public_key,
            aaguid=part.aaguid,
            rp_id=part.rp_id,
            origin=part.origin,
        )
        missing = "The ledger does not say that this passkey was enrolled."
        enrolled = self._book.find("passkey-enrolled", part.id, part.enrolment, missing)
        holder = next(
            (kind, enrolled.payload[kind])
            for kind in ("actor", "cosigner")
            if kind in enrolled.payload
        )
        opened = self._opened(part, holder, enrolled)
        recovered = self._about(part, "passkey-recovered", enrolled)
        confirmed = self._about(part, CONFIRMED, enrolled)
        came: Came = "recovery" if opened else "nobody"
        if enrolled.payload["first"] is True:
            came = "first"
        elif confirmed:
            came = "confirmed"
        if recovered and not opened:
            raise LedgerBroken("A passkey was let in, but no recovery was opened.")
        return ProvenKey(
            part=part,
            holder=holder,
            enrolled=enrolled,
            came=came,
            opened=opened,
            recovered=recovered,
            confirmed=confirmed,
            retired=self._about(part, RETIRED, enrolled),
        )

    def _opened(self, part: KeyPart, holder: Holder, enrolled: Entry) -> Entry | None:
        """The entry that opened the recovery a key was enrolled under, if it was."""
        recovery = enrolled.payload["recovery"]
        if (recovery is None) != (part.reason is None):
            raise RecordRefused("A reason is given for what was no recovery.")
        if recovery is None:
            return None
        told = {"recovery": recovery, "reason_sha256": sha256_hex(part.reason or "")}
        missing = "The ledger does not say that this recovery was opened, or why."
        opened = self._book.find("recovery-opened", holder[1], told, missing)
        if opened.index >= enrolled.index:
            raise LedgerBroken("The recovery was opened only after the passkey came.")
        return opened

    def _about(self, part: KeyPart, kind: str, enrolled: Entry) -> Entry | None:
        """The first entry of a kind on a key. An entry that nothing signed proves
        nothing for anybody, but may well stop a key."""
        for entry in sorted(self._book.entries, key=lambda one: one.index):
            if (entry.kind, entry.subject) == (kind, part.id):
                if entry.index <= enrolled.index:
                    raise LedgerBroken("A passkey was spoken of before it was there.")
                if kind == "passkey-recovered":
                    told = enrolled.payload["recovery"]
                    if entry.payload["recovery"] != told or told is None:
                        raise LedgerBroken("A passkey came by another recovery.")
                    self._book.used.add(entry.index)
                return entry
        return None

    def _verify_word(self, part: SignedPart) -> None:
        """A key's confirmation or retirement, by another key of the same person."""
        fields = fields_read(part.canonical, "A word on a passkey cannot be read.")
        target = next(
            (
                key
                for key in self.keys.values()
                if key.part.credential == fields.get("credential")
            ),
            None,
        )
        signer = self.keys.get(part.passkey)
        if target is None or signer is None or signer is target:
            raise RecordRefused("A word in the receipt is about no passkey in it.")
        shown = ShownText(**fields["text"])
        if fields != _expected(part.act, target, shown):
            raise SignatureRefused("A word on a passkey is about another one.")
        worded = _worded(part.act, target, shown)
        verify_words(part.text, shown, worded, self._book)
        told = self.prove(
            part, holder=target.holder, act=part.act, subject=target.part.id
        )
        word = (part.act, target.part.id)
        if word in self._words:
            raise RecordRefused("A word on a passkey stands in the receipt twice.")
        self._words.add(word)
        known = target.confirmed if part.act == CONFIRMED else target.retired
        older = signer.enrolled.index < target.enrolled.index
        if known != told or (part.act == CONFIRMED and not older):
            raise LedgerBroken("A passkey was not confirmed by an earlier one.")


def _verify_standing(key: ProvenKey, signed: Entry) -> None:
    """Raise unless the key might do at that moment what the entry says it did."""
    if signed.index <= key.enrolled.index:
        raise LedgerBroken("The passkey was enrolled only after the signature.")
    if key.retired and signed.index > key.retired.index:
        raise SignatureRefused("The passkey was retired before it signed this.")
    if key.came == "first":
        return
    if key.confirmed and key.confirmed.index < signed.index:
        return
    if not key.opened:
        raise SignatureRefused("The passkey was never confirmed by an earlier one.")
    if signed.kind in WITHDRAWING:
        return
    if key.recovered is None or key.recovered.index >= signed.index:
        raise SignatureRefused(
            "The passkey came by recovery, and its fingerprint was not compared."
        )
    if signed.at < moment_of(key.recovered.payload["grants_from"]):
        raise SignatureRefused(
            "The passkey came by recovery, and signed before its waiting time was over."
        )


def _expected(act: str, key: ProvenKey, shown: ShownText) -> dict[str, Any]:
    digest = sha256_hex(key.part.public_key)
    if act == CONFIRMED:
        return passkey_document(
            actor_id=key.holder[1],
            credential=key.part.credential,
            public_key_sha256=digest,
            text=shown,
        )
    return retirement_document(
        holder_id=key.holder[1],
        credential=key.part.credential,
        public_key_sha256=digest,
        text=shown,
    )


def _worded(act: str, key: ProvenKey, shown: ShownText) -> str | None:
    mark = key.part.fingerprint
    if act == CONFIRMED:
        known = is_known(shown, PASSKEY_TEMPLATE)
        return shown_passkey(mark, shown.locale)[1] if known else None
    known = is_known(shown, RETIREMENT_TEMPLATE)
    return shown_retirement(mark, shown.locale)[1] if known else None
