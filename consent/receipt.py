"""The receipt: one file that proves a consent to a stranger, without this server.

It is canonical JSON (RFC 8785) and holds the passkeys with their registrations, the
signed documents with the words shown, the passkeys' answers, the ledger's entries on
them with proofs of inclusion, and a signed checkpoint. Reading is strict: a byte that
could be otherwise is refused. What the parts prove is for consent.verify to say. No
Django.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from consent.canonical import canonical_bytes, sha256_hex
from consent.encoding import base64_bytes, base64_text
from consent.errors import RecordRefused
from consent.passkeys import Assertion

RECEIPT_SCHEMA: Final = "lipweb-receipt-v2"
SUBJECTS: Final = ("grant", "deliverable")
BYTES_OF_A_KEY: Final = (
    "credential_id",
    "public_key",
    "client_data_json",
    "attestation_object",
)
LARGEST_BYTES: Final = 8 << 20
"""No receipt of ours comes near; anything larger is not parsed."""


@dataclass(frozen=True, kw_only=True)
class KeyPart:
    """A passkey that signed something here, as the ledger's entry on it names it.

    client_data_json and attestation_object are the authenticator's answer when the key
    was made; reason is why it was let in by recovery, as the house wrote it, and None
    for every other key."""

    id: str
    credential_id: bytes
    public_key: bytes
    aaguid: str
    rp_id: str
    origin: str
    client_data_json: bytes
    attestation_object: bytes
    reason: str | None

    @property
    def fingerprint(self) -> str:
        """The start of the key's hash in groups, as the actor's page shows it."""
        digest = sha256_hex(self.public_key)
        return " ".join(digest[at : at + 4] for at in range(0, 24, 4))

    @property
    def credential(self) -> str:
        """The credential id as WebAuthn spells it: base64 for addresses, unpadded."""
        return base64_text(self.credential_id).translate({43: "-", 47: "_", 61: None})

    @property
    def registration(self) -> dict[str, str]:
        return {
            "client_data_json": base64_text(self.client_data_json),
            "attestation_object": base64_text(self.attestation_object),
        }

    @property
    def enrolment(self) -> dict[str, Any]:
        """What the ledger must say of the key's enrolment, whoever it is for."""
        return {
            "credential": self.credential,
            "public_key_sha256": sha256_hex(self.public_key),
            "registration_sha256": sha256_hex(canonical_bytes(self.registration)),
            "aaguid": self.aaguid,
            "rp_id": self.rp_id,
            "origin": self.origin,
        }

    def document(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "credential_id": base64_text(self.credential_id),
            "public_key": base64_text(self.public_key),
            "aaguid": self.aaguid,
            "rp_id": self.rp_id,
            "origin": self.origin,
            "registration": self.registration,
            "reason": self.reason,
        }

    @classmethod
    def read(cls, part: Mapping[str, Any]) -> Self:
        fields = dict(part)
        fields |= fields.pop("registration")
        for name in BYTES_OF_A_KEY:
            fields[name] = base64_bytes(fields[name])
        return cls(**fields)


@dataclass(frozen=True, kw_only=True)
class SignedPart:
    """A document (canonical bytes), the words shown with it, and its signature.

    act is the ledger's kind for the signing, such as "grant-signed"; passkey the id of
    one of the receipt's keys."""

    act: str
    canonical: bytes
    text: str
    passkey: str
    assertion: Assertion

    @property
    def sha256(self) -> str:
        return sha256_hex(self.canonical)

    @property
    def logged(self) -> dict[str, Any]:
        """What the ledger must say of the signing."""
        return {
            "document_sha256": self.sha256,
            "passkey": self.passkey,
            "signature_sha256": sha256_hex(self.assertion.signature),
        }

    def document(self) -> dict[str, Any]:
        return {
            "act": self.act,
            "canonical": self.canonical.decode("utf-8"),
            "text": self.text,
            "passkey": self.passkey,
            "assertion": {
                "credential_id": base64_text(self.assertion.credential_id),
                "authenticator_data": base64_text(self.assertion.authenticator_data),
                "client_data_json": base64_text(self.assertion.client_data_json),
                "signature": base64_text(self.assertion.signature),
            },
        }

    @classmethod
    def read(cls, part: Mapping[str, Any]) -> Self:
        answer = {key: base64_bytes(value) for key, value in part["assertion"].items()}
        return cls(
            act=part["act"],
            canonical=part["canonical"].encode("utf-8"),
            text=part["text"],
            passkey=part["passkey"],
            assertion=Assertion(**answer),
        )


@dataclass(frozen=True, kw_only=True)
class EntryPart:
    """The bytes of a ledger's entry, and its audit path in the checkpoint's tree."""

    content: bytes
    proof: tuple[bytes, ...]

    def document(self) -> dict[str, Any]:
        return {
            "content": self.content.decode("utf-8"),
            "proof": [base64_text(node) for node in self.proof],
        }

    @classmethod
    def read(cls, part: Mapping[str, Any]) -> Self:
        proof = tuple(base64_bytes(node) for node in part["proof"])
        return cls(content=part["content"].encode("utf-8"), proof=proof)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """The whole bundle. subject is what it is about: ("grant" | "deliverable", id)."""

    subject: tuple[str, str]
    keys: tuple[KeyPart, ...]
    documents: tuple[SignedPart, ...]
    entries: tuple[EntryPart, ...]
    checkpoint: str
    ledger_key: str

    def document(self) -> dict[str, Any]:
        kind, name = self.subject
        return {
            "schema": RECEIPT_SCHEMA,
            "about": {"kind": kind, "id": name},
            "keys": [key.document() for key in self.keys],
            "documents": [part.document() for part in self.documents],
            "entries": [entry.document() for entry in self.entries],
            "checkpoint": self.checkpoint,
            "ledger_key": self.ledger_key,
        }

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        return canonical_bytes(self.document())

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a file; RecordRefused unless to_bytes would write just these bytes."""
        if len(content) > LARGEST_BYTES:
            raise RecordRefused("This file is too large to be a receipt.")
        try:
            receipt = cls._read(json.loads(content))
            written = receipt.to_bytes()
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            RecursionError,
        ) as error:
            raise RecordRefused("This file is not a receipt of this form.") from error
        if written != content or receipt.subject[0] not in SUBJECTS:
            raise RecordRefused("The file is not a receipt as it was written.")
        return receipt

    @classmethod
    def _read(cls, fields: Mapping[str, Any]) -> Self:
        return cls(
            subject=(fields["about"]["kind"], fields["about"]["id"]),
            keys=tuple(KeyPart.read(part) for part in fields["keys"]),
            documents=tuple(SignedPart.read(part) for part in fields["documents"]),
            entries=tuple(EntryPart.read(part) for part in fields["entries"]),
            checkpoint=fields["checkpoint"],
            ledger_key=fields["ledger_key"],
        )
