"""Whether a stored signature still proves what it did: asked anew at each use.

A row in a database proves nothing, since whoever runs the database can write it. What
proves a grant is the actor's signature over its bytes, with a key whose enrolment
stands in the ledger, as the signature itself does.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Final
from uuid import UUID

from consent import passkeys
from consent.asked import Logged, logged_about
from consent.canonical import canonical_bytes, sha256_hex
from consent.errors import RecordRefused, SignatureRefused
from consent.keyring import WITHDRAWING
from consent.models import (
    Grant,
    LedgerEntry,
    OutputApproval,
    PasskeyConfirmation,
    PasskeyCredential,
    PasskeyRetirement,
    Revocation,
    Suspension,
)
from consent.models.passkeys import SignedDocument
from consent.passkeys import Assertion
from consent.record import moment_of
from consent.services.passkeys import (
    confirmation_of,
    enrolment_payload,
    signature_payload,
)
from consent.tongue import LOCALES

LOGGED_AS: Final[dict[str, str]] = {
    Suspension.Kind.SUSPENSION: "grant-suspended",
    Suspension.Kind.LIFTING: "suspension-lifted",
}


def is_revoked(grant: Grant, logged: Logged) -> bool:
    """Say whether the grant was taken back: by its row, or by the ledger alone if
    somebody removed the row."""
    if any(kind == "grant-revoked" for kind, _ in logged):
        return True
    by_row = getattr(grant, "was_taken_back", None)
    return grant.revocation is not None if by_row is None else bool(by_row)


def is_suspended(grant: Grant, logged: Logged) -> bool:
    """Say whether the grant rests now. Each suspension counts, by its row or by the
    ledger alone; a lifting counts only if the actor's signature under it holds."""
    by_row = getattr(grant, "was_suspended", None)
    in_ledger = sum(kind == "grant-suspended" for kind, _ in logged)
    if not in_ledger and by_row is False:
        return False
    words = list(grant.suspensions.select_related("credential"))
    rows = sum(word.kind == Suspension.Kind.SUSPENSION for word in words)
    lifted = sum(_is_lifting(word, grant) for word in words)
    return max(in_ledger, rows) > lifted


def _is_lifting(word: Suspension, grant: Grant) -> bool:
    if word.kind != Suspension.Kind.LIFTING:
        return False
    # The bytes must say what the row says: a signed suspension under a changed row
    # would otherwise lift itself.
    told = json.loads(bytes(word.canonical))
    expected = (word.kind, word.number, str(grant.id), grant.canonical_sha256)
    if (told["kind"], told["number"], told["grant"], told["grant_sha256"]) != expected:
        return False
    try:
        document_verify_signature(
            word,
            actor_id=grant.actor_id,
            kind=LOGGED_AS[word.kind],
            logged=logged_about(grant.id, word.credential_id),
        )
    except SignatureRefused:
        return False
    return True


def is_output_approved(grant: Grant, output_sha256: str) -> bool:
    """Say whether the grant's actor signed that this very file may go out."""
    approval = (
        OutputApproval.objects.filter(grant=grant, output_sha256=output_sha256)
        .select_related("credential")
        .first()
    )
    if approval is None:
        return False
    told = json.loads(bytes(approval.canonical))
    expected = (str(grant.id), grant.canonical_sha256, output_sha256)
    if (told["grant"], told["grant_sha256"], told["output_sha256"]) != expected:
        return False
    try:
        document_verify_signature(
            approval,
            actor_id=grant.actor_id,
            kind="output-approved",
            logged=logged_about(grant.id, approval.credential_id),
        )
    except SignatureRefused:
        return False
    return True


def grant_verify_signature(grant: Grant, logged: Logged | None = None) -> None:
    """Raise SignatureRefused unless the actor signed exactly this grant.

    Checks that record, rows and shown text are what the canonical bytes say, that the
    passkey is the actor's and signed those bytes, and that the ledger knows both."""
    try:
        if canonical_bytes(grant.record) != bytes(grant.canonical):
            raise SignatureRefused("The grant is not the one that was signed.")
        record = grant.document
    except RecordRefused as error:
        raise SignatureRefused("The grant is not a readable record.") from error
    told = (record.grant_id, record.grantor.actor_id, record.grantee.project_id)
    if told != (str(grant.id), str(grant.actor_id), str(grant.project_id)):
        raise SignatureRefused("The grant was signed for somebody or something else.")
    if logged is None:
        logged = logged_about(grant.id, grant.credential_id)
    if record.text.sha256 != sha256_hex(grant.shown_text):
        raise SignatureRefused("The text kept with the grant is not what was shown.")
    document_verify_signature(
        grant,
        actor_id=grant.actor_id,
        kind="grant-signed",
        logged=logged,
    )


def is_cosigned(grant: Grant) -> bool:
    """Say whether the co-signer whom the signed record names signed its very bytes.
    A grant that names none needs nobody's."""
    named = grant.document.cosigner
    if named is None:
        return True
    cosignature = getattr(grant, "cosignature", None)
    if cosignature is None or bytes(cosignature.canonical) != bytes(grant.canonical):
        return False
    try:
        document_verify_signature(
            cosignature,
            actor_id=UUID(named.cosigner_id),
            kind="grant-cosigned",
            logged=logged_about(grant.id, cosignature.credential_id),
        )
    except SignatureRefused:
        return False
    return True


def revocation_verify_signature(revocation: Revocation) -> None:
    """Raise SignatureRefused unless the grant's actor signed this revocation."""
    document_verify_signature(
        revocation,
        actor_id=revocation.grant.actor_id,
        kind="grant-revoked",
        logged=logged_about(revocation.grant_id, revocation.credential_id),
    )


def document_verify_signature(
    document: SignedDocument, *, actor_id: UUID, kind: str, logged: Logged
) -> None:
    """Raise SignatureRefused unless a passkey of the actor signed the document, and
    what the ledger has logged holds the key's enrolment and the act of this kind."""
    assertion, credential = document.assertion, document.credential
    if assertion is None or credential is None:
        raise SignatureRefused("This was never signed.")
    if actor_id not in (credential.actor_id, credential.cosigner_id):
        raise SignatureRefused("It was signed with somebody else's passkey.")
    _verify_assertion(
        assertion,
        bytes(document.canonical),
        bytes(credential.public_key),
        credential.rp_id,
        credential.origin,
    )
    if ("passkey-enrolled", enrolment_payload(credential)) not in logged:
        raise SignatureRefused("The ledger does not know the passkey.")
    act = (kind, signature_payload(document))
    if act not in logged:
        raise SignatureRefused("The ledger does not know the signature.")
    before = logged[: logged.index(act)]
    if any(
        was == "passkey-retired" and told["retired"] == str(credential.id)
        for was, told in before
    ):
        raise SignatureRefused("The passkey was retired before it signed this.")
    if credential.is_first:
        return
    if credential.recovery_id and not hasattr(credential, "confirmation"):
        _passkey_verify_recovered(credential, document, kind, before)
    else:
        _passkey_verify_confirmed(credential)


def _passkey_verify_recovered(
    credential: PasskeyCredential, document: SignedDocument, kind: str, before: Logged
) -> None:
    """Raise SignatureRefused unless a key that came by recovery might sign: anything
    that takes away, or after its fingerprint was compared and its time was waited."""
    if kind in WITHDRAWING:
        return
    told = next((told for was, told in before if was == "passkey-recovered"), None)
    if told is None or told["recovery"] != str(credential.recovery_id):
        raise SignatureRefused("The passkey's fingerprint was never compared.")
    acts = LedgerEntry.objects.filter(kind=kind)
    signed = next(
        entry.document["at"]
        for entry in acts.about(str(_subject_of(document)))
        if entry.payload == signature_payload(document)
    )
    if moment_of(signed) < moment_of(told["grants_from"]):
        raise SignatureRefused("The passkey signed before its waiting time was over.")


def _subject_of(document: SignedDocument) -> UUID:
    """What the ledger's entry on the signing is about: a passkey, a grant, or else the
    document itself, such as an actor's word on a face."""
    if isinstance(document, PasskeyConfirmation | PasskeyRetirement):
        return document.passkey_id
    subject: UUID = getattr(document, "grant_id", document.pk)
    return subject


@lru_cache(maxsize=1024)
def _verify_assertion(
    assertion: Assertion, canonical: bytes, public_key: bytes, rp_id: str, origin: str
) -> None:
    """Raise SignatureRefused unless the signature holds.

    Pure arithmetic on exactly these bytes, so a signature that held is remembered by
    all of them; one other byte, and it is computed anew. Refusals are not kept."""
    passkeys.verify_assertion(
        assertion=assertion,
        canonical=canonical,
        public_key=public_key,
        expected_rp_id=rp_id,
        expected_origin=origin,
    )


def _passkey_verify_confirmed(credential: PasskeyCredential) -> None:
    """Raise SignatureRefused unless an older key of the actor confirmed this one."""
    confirmation = getattr(credential, "confirmation", None)
    by = confirmation.credential if confirmation else None
    # Older, so that two keys of a forger cannot vouch for each other.
    if confirmation is None or by is None or by.created_at >= credential.created_at:
        raise SignatureRefused("The passkey was never confirmed by an earlier one.")
    if not _is_confirmation_of(confirmation, credential):
        raise SignatureRefused("What was confirmed is another passkey.")
    document_verify_signature(
        confirmation,
        actor_id=credential.holder.id,
        kind="passkey-confirmed",
        logged=logged_about(credential.id, by.id),
    )


def _is_confirmation_of(
    confirmation: PasskeyConfirmation, credential: PasskeyCredential
) -> bool:
    """Say whether the bytes confirm this key, in whichever language they were read."""
    locale = json.loads(bytes(confirmation.canonical))["text"]["locale"]
    if locale not in LOCALES:
        return False
    expected = confirmation_of(credential, locale)
    return bytes(confirmation.canonical) == bytes(expected.canonical)
