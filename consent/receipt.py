"""The receipt: one file that proves a consent to a stranger, without this server.

It is canonical JSON (RFC 8785) and holds the signed documents with the words shown,
the passkeys' answers, the ledger's entries on them with proofs of inclusion, and a
signed checkpoint. Reading is strict: a byte that could be otherwise is refused. What
the parts prove is for consent.verify to say. No Django.
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

RECEIPT_SCHEMA: Final = "lipweb-receipt-v1"
SUBJECTS: Final = ("grant", "deliverable")
LARGEST_BYTES: Final = 8 << 20
"""No receipt of ours comes near; anything larger is not parsed."""


@dataclass(frozen=True, kw_only=True)
class PasskeyPart:
    """The key a document was signed with, as the ledger's entry on it names it."""

    id: str
    credential_id: bytes
    public_key: bytes
    aaguid: str
    rp_id: str
    origin: str

    @property
    def fingerprint(self) -> str:
        """The start of the key's hash in groups, as the actor's page shows it."""
        digest = sha256_hex(self.public_key)
        return " ".join(digest[at : at + 4] for at in range(0, 24, 4))

    def enrolment(self, actor_id: str) -> dict[str, Any]:
        """What the ledger must say of the key's enrolment for the actor."""
        # WebAuthn spells credential ids in base64 for addresses, without padding.
        spelt = base64_text(self.credential_id).translate({43: "-", 47: "_", 61: None})
        return {
            "actor": actor_id,
            "credential": spelt,
            "public_key_sha256": sha256_hex(self.public_key),
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
        }

    @classmethod
    def read(cls, part: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **part,
                "credential_id": base64_bytes(part["credential_id"]),
                "public_key": base64_bytes(part["public_key"]),
            }
        )


@dataclass(frozen=True, kw_only=True)
class SignedPart:
    """A document (canonical bytes), the words shown with it, and its signature."""

    canonical: bytes
    text: str
    passkey: PasskeyPart
    assertion: Assertion

    @property
    def sha256(self) -> str:
        return sha256_hex(self.canonical)

    @property
    def act(self) -> dict[str, Any]:
        """What the ledger must say of the signing."""
        return {
            "document_sha256": self.sha256,
            "passkey": self.passkey.id,
            "signature_sha256": sha256_hex(self.assertion.signature),
        }

    def document(self) -> dict[str, Any]:
        return {
            "canonical": self.canonical.decode("utf-8"),
            "text": self.text,
            "passkey": self.passkey.document(),
            "assertion": {
                "authenticator_data": base64_text(self.assertion.authenticator_data),
                "client_data_json": base64_text(self.assertion.client_data_json),
                "signature": base64_text(self.assertion.signature),
            },
        }

    @classmethod
    def read(cls, part: Mapping[str, Any]) -> Self:
        passkey = PasskeyPart.read(part["passkey"])
        answer = {key: base64_bytes(value) for key, value in part["assertion"].items()}
        return cls(
            canonical=part["canonical"].encode("utf-8"),
            text=part["text"],
            passkey=passkey,
            assertion=Assertion(credential_id=passkey.credential_id, **answer),
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
    documents: tuple[SignedPart, ...]
    entries: tuple[EntryPart, ...]
    checkpoint: str
    ledger_key: str

    def document(self) -> dict[str, Any]:
        kind, name = self.subject
        return {
            "schema": RECEIPT_SCHEMA,
            "about": {"kind": kind, "id": name},
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
            documents=tuple(SignedPart.read(part) for part in fields["documents"]),
            entries=tuple(EntryPart.read(part) for part in fields["entries"]),
            checkpoint=fields["checkpoint"],
            ledger_key=fields["ledger_key"],
        )
