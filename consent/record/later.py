"""What an actor signs about a grant later, and about a passkey: small documents."""

from __future__ import annotations

from typing import Any, Final

from consent.record.grant import ShownText, text_document

REVOCATION_SCHEMA: Final = "lipweb-revocation-v1"
SUSPENSION_SCHEMA: Final = "lipweb-suspension-v1"
PASSKEY_SCHEMA: Final = "lipweb-passkey-confirmation-v1"
RETIREMENT_SCHEMA: Final = "lipweb-passkey-retirement-v1"
OUTPUT_SCHEMA: Final = "lipweb-output-approval-v1"


def revocation_document(
    *, grant_id: str, grant_sha256: str, actor_id: str, kind: str, text: ShownText
) -> dict[str, Any]:
    """Return what an actor signs to take a grant back.

    It holds no moment of its own: a grant can be revoked only once, so the document
    is the same whenever it is asked for, and the ledger says when it was signed."""
    return {
        "schema": REVOCATION_SCHEMA,
        "kind": kind,
        "grant": grant_id,
        "grant_sha256": grant_sha256,
        "actor": actor_id,
        "text": text_document(text),
    }


def suspension_document(
    *,
    grant_id: str,
    grant_sha256: str,
    actor_id: str,
    kind: str,
    number: int,
    text: ShownText,
) -> dict[str, Any]:
    """Return what an actor signs to suspend a grant, or to lift that again.

    number counts these words of one grant from 1, so that none can be used twice."""
    return {
        "schema": SUSPENSION_SCHEMA,
        "kind": kind,
        "number": number,
        "grant": grant_id,
        "grant_sha256": grant_sha256,
        "actor": actor_id,
        "text": text_document(text),
    }


def output_document(
    *,
    grant_id: str,
    grant_sha256: str,
    actor_id: str,
    output_sha256: str,
    text: ShownText,
) -> dict[str, Any]:
    """Return what an actor signs to approve one finished file, named by its SHA-256."""
    return {
        "schema": OUTPUT_SCHEMA,
        "grant": grant_id,
        "grant_sha256": grant_sha256,
        "actor": actor_id,
        "output_sha256": output_sha256,
        "text": text_document(text),
    }


def passkey_document(
    *, actor_id: str, credential: str, public_key_sha256: str, text: ShownText
) -> dict[str, Any]:
    """Return what an actor signs with a key they have, to confirm a further one."""
    return {
        "schema": PASSKEY_SCHEMA,
        "actor": actor_id,
        "credential": credential,
        "public_key_sha256": public_key_sha256,
        "text": text_document(text),
    }


def retirement_document(
    *, holder_id: str, credential: str, public_key_sha256: str, text: ShownText
) -> dict[str, Any]:
    """Return what somebody signs with one passkey of theirs to retire another.

    A key is retired once and for good, so the document needs no moment: the ledger
    says when it was signed."""
    return {
        "schema": RETIREMENT_SCHEMA,
        "holder": holder_id,
        "credential": credential,
        "public_key_sha256": public_key_sha256,
        "text": text_document(text),
    }
