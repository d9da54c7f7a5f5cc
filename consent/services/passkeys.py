"""Enrolling an actor's passkeys, and signing documents with them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from consent import passkeys
from consent.access import require_self
from consent.canonical import canonical_bytes, sha256_hex
from consent.errors import NotAllowed, SignatureRefused
from consent.models import (
    Actor,
    Cosigner,
    KeyRecovery,
    PasskeyConfirmation,
    PasskeyCredential,
)
from consent.models.passkeys import Holder, PasskeyQuerySet, SignedDocument
from consent.record import passkey_document
from consent.sentences import day_words, shown_passkey
from consent.services.ledger import ledger_append


class RelyingParty(NamedTuple):
    """Where passkeys of this installation are good: host name, and origin as the
    browser writes it."""

    rp_id: str
    origin: str


def relying_party() -> RelyingParty:
    """Return this installation's own, from SITE_URL."""
    address = urlsplit(settings.SITE_URL)
    host = (address.hostname or "").lower()
    usual = {"http": 80, "https": 443}.get(address.scheme)
    port = f":{address.port}" if address.port not in (None, usual) else ""
    return RelyingParty(host, f"{address.scheme}://{host}{port}")


def passkey_enrol_options(
    *, holder: Holder, acting_user: AbstractBaseUser
) -> dict[str, Any]:
    """Return the creation options for the holder's browser, as JSON values. The
    caller keeps options["challenge"] for passkey_enrol, and uses it once."""
    require_self(acting_user, holder)
    return passkeys.enrolment_options(
        rp_id=relying_party().rp_id,
        challenge=secrets.token_bytes(32),
        user_handle=holder.id.bytes,
        user_name=acting_user.get_username(),
        known_credentials=_ids(_keys_of(holder)),
    )


@transaction.atomic
def passkey_enrol(
    *,
    holder: Holder,
    response: str | Mapping[str, Any],
    challenge: str,
    acting_user: AbstractBaseUser,
    recovery: KeyRecovery | None = None,
) -> PasskeyCredential:
    """Keep a new passkey of an actor or a co-signer, and log it; SignatureRefused if
    the answer is not one to our challenge (base64url), with the user verified.
    recovery is one of the actor's that the caller has found open."""
    require_self(acting_user, holder)
    # Two enrolments at once must not both find that there is no key yet.
    holder = type(holder).objects.select_for_update().get(pk=holder.pk)
    site = relying_party()
    try:
        fields = json.loads(response) if isinstance(response, str) else dict(response)
    except ValueError as error:
        raise SignatureRefused(passkeys.REFUSED) from error
    enrolled = passkeys.verify_enrolment(
        response=fields,
        expected_challenge=base64url_to_bytes(challenge),
        expected_rp_id=site.rp_id,
        expected_origin=site.origin,
    )
    known = PasskeyCredential.objects.filter(credential_id=enrolled.credential_id)
    if known.exists():
        raise NotAllowed("This passkey is enrolled already.")
    credential = PasskeyCredential.objects.create(
        actor=holder if isinstance(holder, Actor) else None,
        cosigner=holder if isinstance(holder, Cosigner) else None,
        credential_id=enrolled.credential_id,
        public_key=enrolled.public_key,
        sign_count=enrolled.sign_count,
        is_first=not _keys_of(holder).exists(),
        recovery=recovery,
        registration=fields,
        aaguid=enrolled.aaguid,
        rp_id=site.rp_id,
        origin=site.origin,
    )
    ledger_append(
        kind="passkey-enrolled",
        subject=str(credential.id),
        payload=enrolment_payload(credential),
        acting_user=acting_user,
    )
    return credential


def passkey_confirm_options(
    *, credential: PasskeyCredential, acting_user: AbstractBaseUser, locale: str = "en"
) -> dict[str, Any]:
    """Return the request options whose answer, by a key that the actor has used
    before, confirms this further one."""
    require_self(acting_user, credential.holder)
    _require_unconfirmed(credential)
    document = confirmation_of(credential, locale)
    return signing_options(document=document, holder=credential.holder)


@transaction.atomic
def passkey_confirm(
    *,
    credential: PasskeyCredential,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
    locale: str = "en",
) -> PasskeyConfirmation:
    """Keep the signed word of a usable key that a further one is the actor's too."""
    credential = PasskeyCredential.objects.select_for_update().get(pk=credential.pk)
    require_self(acting_user, credential.holder)
    _require_unconfirmed(credential)
    confirmation = confirmation_of(credential, locale)
    document_sign(document=confirmation, holder=credential.holder, response=assertion)
    by = confirmation.credential
    if by is None or by.created_at >= credential.created_at:
        raise SignatureRefused("Confirm it with a passkey that you had before it.")
    confirmation.save()
    ledger_append(
        kind="passkey-confirmed",
        subject=str(credential.id),
        payload=signature_payload(confirmation),
        acting_user=acting_user,
    )
    return confirmation


def confirmation_of(
    credential: PasskeyCredential, locale: str = "en"
) -> PasskeyConfirmation:
    """Return the unsaved, unsigned confirmation of a key, always the same bytes in a
    locale."""
    shown, text = shown_passkey(credential.fingerprint, locale)
    document = passkey_document(
        actor_id=str(credential.holder.id),
        credential=bytes_to_base64url(bytes(credential.credential_id)),
        public_key_sha256=credential.public_key_sha256,
        text=shown,
    )
    # By its id: given the key itself, Django would hang the unsigned row on it.
    return PasskeyConfirmation(
        passkey_id=credential.pk, canonical=canonical_bytes(document), shown_text=text
    )


def _require_unconfirmed(credential: PasskeyCredential) -> None:
    if credential.is_retired:
        raise NotAllowed("This passkey is retired. Set the device up anew.")
    if credential.is_confirmed:
        raise NotAllowed("This passkey can sign already.")


def enrolment_payload(credential: PasskeyCredential) -> dict[str, Any]:
    """Return what the ledger says of a key: enough to notice any other in its place."""
    actor_id, recovery_id = credential.actor_id, credential.recovery_id
    return {
        "actor" if actor_id else "cosigner": str(actor_id or credential.cosigner_id),
        "credential": bytes_to_base64url(bytes(credential.credential_id)),
        "public_key_sha256": credential.public_key_sha256,
        "aaguid": credential.aaguid,
        "registration_sha256": sha256_hex(
            canonical_bytes(credential.registration_parts)
        ),
        "first": credential.is_first,
        "recovery": str(recovery_id) if recovery_id else None,
        "rp_id": credential.rp_id,
        "origin": credential.origin,
    }


def signature_payload(document: SignedDocument) -> dict[str, Any]:
    """Return what the ledger says of a signed document."""
    return {
        "document_sha256": document.canonical_sha256,
        "passkey": str(document.credential_id),
        "signature_sha256": sha256_hex(bytes(document.signature or b"")),
    }


def signing_options(
    *, document: SignedDocument, holder: Holder, withdrawing: bool = False
) -> dict[str, Any]:
    """Return the request options for signing the document, as JSON values.
    withdrawing is for acts that only take away: every key but a retired or unknown one
    may do those."""
    keys = _keys_of(holder)
    keys = keys.withdrawing() if withdrawing else keys.usable()
    return passkeys.signing_options(
        rp_id=relying_party().rp_id,
        canonical=bytes(document.canonical),
        credentials=_ids(keys),
    )


def document_sign(
    *,
    document: SignedDocument,
    holder: Holder,
    response: str | Mapping[str, Any],
    withdrawing: bool = False,
) -> None:
    """Fill the document's signature columns from the browser's answer, or raise
    SignatureRefused. Runs inside the caller's transaction; the caller saves."""
    assertion = passkeys.Assertion.from_response(response)
    # Locked, so that a retirement at the same time comes before this, or after it.
    keys = _keys_of(holder).select_for_update(of=("self",))
    credential = keys.filter(credential_id=assertion.credential_id).first()
    if credential is None:
        raise SignatureRefused("This passkey does not belong to the actor.")
    _require_power(credential, withdrawing=withdrawing)
    site = relying_party()
    verified = passkeys.verify_assertion(
        assertion=assertion,
        canonical=bytes(document.canonical),
        public_key=bytes(credential.public_key),
        expected_rp_id=site.rp_id,
        expected_origin=site.origin,
        last_sign_count=credential.sign_count,
    )
    credential.sign_count = verified.sign_count
    credential.save(update_fields=["sign_count"])
    document.credential = credential
    document.authenticator_data = assertion.authenticator_data
    document.client_data_json = assertion.client_data_json
    document.signature = assertion.signature
    document.signed_at = timezone.now()


def _require_power(credential: PasskeyCredential, *, withdrawing: bool) -> None:
    may = credential.is_withdrawing if withdrawing else credential.is_usable
    if may:
        return
    if credential.is_retired:
        raise SignatureRefused("This passkey was retired. Use another one.")
    if credential.waits_until is not None:
        raise SignatureRefused(
            "This passkey came by recovery. It can withdraw and suspend now, and sign "
            f"anything else from {day_words(credential.waits_until)} (UTC) on."
        )
    if credential.recovery_id is not None:
        raise SignatureRefused(
            "This passkey came by recovery, and its fingerprint was not compared yet. "
            "Until then it can only withdraw and suspend."
        )
    raise SignatureRefused(
        "This passkey is not confirmed yet. Confirm it with one you used before."
    )


def _keys_of(holder: Holder) -> PasskeyQuerySet:
    column = "actor" if isinstance(holder, Actor) else "cosigner"
    return PasskeyCredential.objects.filter(**{column: holder})


def _ids(keys: PasskeyQuerySet) -> list[bytes]:
    ids = keys.values_list("credential_id", flat=True)
    return [bytes(credential_id) for credential_id in ids]
