"""Passkeys (WebAuthn level 2): enrolling a key, and what a signature with it proves.

An actor signs a document by answering a challenge made from its bytes, so that the
authenticator's signature is one over the document. User verification (finger, face,
PIN) is always required. No Django, no database: the caller keeps the state.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from consent.errors import SignatureRefused

DOMAIN: Final = b"lipweb-consent-v1\n"
REFUSED: Final = "The passkey's answer does not fit what was asked of it."


@dataclass(frozen=True, kw_only=True)
class EnrolledPasskey:
    """A key that an authenticator made for this site after verifying its user."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    backed_up: bool


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """One answer of a passkey: the bytes a stranger needs to check it."""

    credential_id: bytes
    authenticator_data: bytes
    client_data_json: bytes
    signature: bytes

    @classmethod
    def from_response(cls, response: str | Mapping[str, Any]) -> Assertion:
        """Read the browser's PublicKeyCredential as JSON; SignatureRefused if it is
        not one."""
        try:
            fields = json.loads(response) if isinstance(response, str) else response
            inner = fields["response"]
            return cls(
                credential_id=base64url_to_bytes(fields["id"]),
                authenticator_data=base64url_to_bytes(inner["authenticatorData"]),
                client_data_json=base64url_to_bytes(inner["clientDataJSON"]),
                signature=base64url_to_bytes(inner["signature"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SignatureRefused(REFUSED) from error


@dataclass(frozen=True, kw_only=True)
class VerifiedAssertion:
    """What a checked answer says beyond that it is good."""

    credential_id: bytes
    sign_count: int


def challenge_for(canonical: bytes) -> bytes:
    """Return the 32-byte challenge whose signing is signing the document."""
    return hashlib.sha256(DOMAIN + canonical).digest()


def enrolment_options(
    *,
    rp_id: str,
    challenge: bytes,
    user_handle: bytes,
    user_name: str,
    known_credentials: list[bytes],
) -> dict[str, Any]:
    """Return PublicKeyCredentialCreationOptions as JSON values."""
    options = generate_registration_options(
        rp_id=rp_id,
        rp_name="lipweb",
        user_id=user_handle,
        user_name=user_name,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(id=known) for known in known_credentials
        ],
    )
    return dict(json.loads(options_to_json(options)))


def signing_options(
    *, rp_id: str, canonical: bytes, credentials: list[bytes]
) -> dict[str, Any]:
    """Return PublicKeyCredentialRequestOptions, as JSON values, for signing a
    document with one of the credentials."""
    options = generate_authentication_options(
        rp_id=rp_id,
        challenge=challenge_for(canonical),
        timeout=300_000,
        allow_credentials=[
            PublicKeyCredentialDescriptor(id=known) for known in credentials
        ],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(json.loads(options_to_json(options)))


def verify_enrolment(
    *,
    response: str | dict[str, Any],
    expected_challenge: bytes,
    expected_rp_id: str,
    expected_origin: str,
) -> EnrolledPasskey:
    """Check an authenticator's answer to enrolment_options; SignatureRefused unless
    challenge, relying party, origin and user verification are as asked."""
    try:
        verified = verify_registration_response(
            credential=response,
            expected_challenge=expected_challenge,
            expected_rp_id=expected_rp_id,
            expected_origin=expected_origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise SignatureRefused(REFUSED) from error
    return EnrolledPasskey(
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        aaguid=verified.aaguid,
        backed_up=verified.credential_backed_up,
    )


def verify_registration(
    *,
    client_data_json: bytes,
    attestation_object: bytes,
    credential_id: bytes,
    public_key: bytes,
    aaguid: str,
    rp_id: str,
    origin: str,
) -> None:
    """Check, long after, that an authenticator made this very key (COSE) for this site
    and verified its user; SignatureRefused if not. The challenge is read from the
    answer: whoever checks later cannot know what was asked, only what was answered."""
    name = bytes_to_base64url(credential_id)
    response = {
        "clientDataJSON": bytes_to_base64url(client_data_json),
        "attestationObject": bytes_to_base64url(attestation_object),
    }
    try:
        challenge = base64url_to_bytes(json.loads(client_data_json)["challenge"])
    except (KeyError, TypeError, ValueError) as error:
        raise SignatureRefused(REFUSED) from error
    made = verify_enrolment(
        response={
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": response,
        },
        expected_challenge=challenge,
        expected_rp_id=rp_id,
        expected_origin=origin,
    )
    told = (made.credential_id, made.public_key, made.aaguid)
    if told != (credential_id, public_key, aaguid):
        raise SignatureRefused("The passkey is not the one that was registered.")


def verify_assertion(
    *,
    assertion: Assertion,
    canonical: bytes,
    public_key: bytes,
    expected_rp_id: str,
    expected_origin: str,
    last_sign_count: int = 0,
) -> VerifiedAssertion:
    """Check that assertion signs the canonical document with public_key (COSE).

    Raises SignatureRefused unless type, challenge, origin, relying party, user
    presence, user verification and signature all hold. last_sign_count above 0 also
    refuses an authenticator whose counter did not grow; leave it at 0 to check a
    signature made earlier.
    """
    credential = AuthenticationCredential(
        id=bytes_to_base64url(assertion.credential_id),
        raw_id=assertion.credential_id,
        response=AuthenticatorAssertionResponse(
            client_data_json=assertion.client_data_json,
            authenticator_data=assertion.authenticator_data,
            signature=assertion.signature,
        ),
    )
    try:
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge_for(canonical),
            expected_rp_id=expected_rp_id,
            expected_origin=expected_origin,
            credential_public_key=public_key,
            credential_current_sign_count=last_sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise SignatureRefused(REFUSED) from error
    return VerifiedAssertion(
        credential_id=verified.credential_id, sign_count=verified.new_sign_count
    )
