"""The audit bundle: one zip with all that is known of one finished file.

Each member's SHA-256 stands in index.json, and that file's stands in the ledger: the
seal holds the ledger's entries on the file, the last of which names the index, with
proofs of inclusion in a signed checkpoint. So there is no byte of any member that
could be another. What the parts prove is for consent.audit to say. No Django.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from consent.canonical import canonical_bytes, sha256_hex
from consent.errors import RecordRefused
from consent.receipt import EntryPart

BUNDLE_SCHEMA: Final = "lipweb-audit-v1"
SEAL_SCHEMA: Final = "lipweb-audit-seal-v1"
SEALED: Final = "audit-bundle-made"
"""The ledger's word for the making of a bundle."""
INDEX, SEAL, RECEIPT = "index.json", "seal.json", "receipt.json"
FACTS, DECISIONS, CREDENTIAL = "file.json", "decisions.json", "credential.c2pa"
ROOTS = "roots.pem"
"""The roots that the house trusts to sign: to be compared with what it publishes."""
MEMBERS: Final = frozenset({RECEIPT, FACTS, DECISIONS, CREDENTIAL, ROOTS})
LARGEST_BYTES: Final = 64 << 20


@dataclass(frozen=True, kw_only=True)
class Seal:
    """The ledger's entries on a file, and the checkpoint they stand under."""

    entries: tuple[EntryPart, ...]
    checkpoint: str
    ledger_key: str

    def to_bytes(self) -> bytes:
        return canonical_bytes(
            {
                "schema": SEAL_SCHEMA,
                "entries": [entry.document() for entry in self.entries],
                "checkpoint": self.checkpoint,
                "ledger_key": self.ledger_key,
            }
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read a seal; RecordRefused unless to_bytes would write just these bytes."""
        fields = document_read(content, SEAL)
        try:
            seal = cls(
                entries=tuple(EntryPart.read(part) for part in fields["entries"]),
                checkpoint=fields["checkpoint"],
                ledger_key=fields["ledger_key"],
            )
            written = seal.to_bytes()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RecordRefused("The bundle's seal cannot be read.") from error
        if written != content:
            raise RecordRefused("The bundle's seal is not as it was written.")
        return seal


def index_bytes(deliverable: str, members: Mapping[str, bytes]) -> bytes:
    """Return index.json of the members of a bundle about a deliverable."""
    hashes = {name: sha256_hex(content) for name, content in members.items()}
    return canonical_bytes(
        {"schema": BUNDLE_SCHEMA, "deliverable": deliverable, "members": hashes}
    )


def bundle_bytes(members: Mapping[str, bytes], index: bytes, seal: Seal) -> bytes:
    """Return the zip. Nothing in it is compressed, so that any tool reads it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        whole = {INDEX: index, SEAL: seal.to_bytes(), **members}
        for name, content in sorted(whole.items()):
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def members_read(content: bytes) -> dict[str, bytes]:
    """Return the members of a bundle by name. Raises RecordRefused where it is no zip,
    or holds other members than a bundle does."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            rows = archive.infolist()
            if sum(row.file_size for row in rows) > LARGEST_BYTES:
                raise RecordRefused("This file is too large to be an audit bundle.")
            if sorted(row.filename for row in rows) != sorted(MEMBERS | {INDEX, SEAL}):
                raise RecordRefused("The bundle holds other files than it should.")
            return {row.filename: archive.read(row) for row in rows}
    except (zipfile.BadZipFile, NotImplementedError, OSError, RuntimeError) as error:
        raise RecordRefused("A file in the bundle was changed or damaged.") from error


def document_read(content: bytes, name: str) -> dict[str, Any]:
    """Read canonical JSON, refusing any other spelling of it."""
    try:
        fields = json.loads(content)
        same = isinstance(fields, dict) and canonical_bytes(fields) == content
    except (ValueError, RecursionError, RecordRefused) as error:
        raise RecordRefused(f"{name} in the bundle cannot be read.") from error
    if not same:
        raise RecordRefused(f"{name} in the bundle is not as it was written.")
    return dict(fields)
