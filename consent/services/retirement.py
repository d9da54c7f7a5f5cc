"""Retiring a lost passkey with another one of the same person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from webauthn.helpers import bytes_to_base64url

from consent.access import require_self
from consent.canonical import canonical_bytes
from consent.errors import NotAllowed, SignatureRefused
from consent.models import PasskeyCredential, PasskeyRetirement
from consent.record import retirement_document
from consent.sentences import shown_retirement
from consent.services.key_notices import key_notice_on_commit
from consent.services.ledger import ledger_append
from consent.services.passkeys import (
    document_sign,
    signature_payload,
    signing_options,
)


def passkey_retire_options(
    *, credential: PasskeyCredential, acting_user: AbstractBaseUser, locale: str = "en"
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer, by another usable key of
    the same person, retires this one."""
    require_self(acting_user, credential.holder)
    _require_standing(credential)
    options = signing_options(
        document=retirement_of(credential, locale), holder=credential.holder
    )
    own = bytes_to_base64url(bytes(credential.credential_id))
    options["allowCredentials"] = [
        one for one in options["allowCredentials"] if one["id"] != own
    ]
    return options


def is_retirable(credential: PasskeyCredential) -> bool:
    """Say whether its holder has another key that could retire it now."""
    others = type(credential).objects.filter(
        actor=credential.actor_id, cosigner=credential.cosigner_id
    )
    others = others.usable().exclude(pk=credential.pk)
    return not credential.is_retired and others.exists()


@transaction.atomic
def passkey_retire(
    *,
    credential: PasskeyCredential,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
    locale: str = "en",
) -> PasskeyRetirement:
    """Keep the holder's signed word that a key is lost. From the ledger's entry on,
    nothing that it signs counts; what it signed before stays as it is."""
    rows = PasskeyCredential.objects.select_for_update(of=("self",))
    credential = rows.get(pk=credential.pk)
    require_self(acting_user, credential.holder)
    _require_standing(credential)
    retirement = retirement_of(credential, locale)
    document_sign(document=retirement, holder=credential.holder, response=assertion)
    if retirement.credential_id == credential.pk:
        raise SignatureRefused("A passkey cannot retire itself. Use the other one.")
    retirement.save()
    ledger_append(
        kind="passkey-retired",
        subject=str(credential.id),
        payload=signature_payload(retirement) | {"retired": str(credential.id)},
        acting_user=acting_user,
    )
    key_notice_on_commit(credential=credential, event="retired")
    return retirement


def retirement_of(
    credential: PasskeyCredential, locale: str = "en"
) -> PasskeyRetirement:
    """Return the unsaved, unsigned retirement of a key, always the same bytes in a
    locale."""
    shown, text = shown_retirement(credential.fingerprint, locale)
    document = retirement_document(
        holder_id=str(credential.holder.id),
        credential=bytes_to_base64url(bytes(credential.credential_id)),
        public_key_sha256=credential.public_key_sha256,
        text=shown,
    )
    # By its id: given the key itself, Django would hang the unsigned row on it.
    return PasskeyRetirement(
        passkey_id=credential.pk, canonical=canonical_bytes(document), shown_text=text
    )


def _require_standing(credential: PasskeyCredential) -> None:
    if credential.is_retired:
        raise NotAllowed("This passkey is retired already.")
