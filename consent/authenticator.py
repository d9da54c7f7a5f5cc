"""An authenticator in software: real ES256 keys and real WebAuthn answers.

The demo production's computer-generated actor has no finger to put on a sensor; this
stands in for it, and is checked by the same code as any passkey. Its AAGUID is its
own, so that nobody can take its signatures for those of a person's device.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

SOFTWARE_AAGUID: Final = uuid.UUID("6c697077-6562-4d64-a65d-6f2d6b657931")

_USER_PRESENT = 0x01
_USER_VERIFIED = 0x04
_KEY_ATTACHED = 0x40


class SoftwareAuthenticator:
    """One ES256 credential of one site.

    rp_id and origin are what a browser would fill in by itself: the site's host name
    and its scheme://host:port."""

    def __init__(
        self,
        *,
        rp_id: str,
        origin: str,
        key: ec.EllipticCurvePrivateKey | None = None,
        credential_id: bytes | None = None,
        sign_count: int = 0,
        user_verified: bool = True,
    ) -> None:
        self.rp_id = rp_id
        self.origin = origin
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.credential_id = credential_id or secrets.token_bytes(32)
        self.sign_count = sign_count
        self.user_verified = user_verified

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer creation options (JSON values) with attestation "none"."""
        client_data = self._client_data("webauthn.create", options["challenge"])
        length = len(self.credential_id).to_bytes(2, "big")
        attested = SOFTWARE_AAGUID.bytes + length + self.credential_id + self.cose_key()
        attestation = {
            "fmt": "none",
            "attStmt": {},
            "authData": self._authenticator_data(_KEY_ATTACHED) + attested,
        }
        return self._credential(
            clientDataJSON=client_data, attestationObject=encode_cbor(attestation)
        )

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Answer request options (JSON values) with a signed assertion."""
        self.sign_count += 1
        client_data = self._client_data("webauthn.get", options["challenge"])
        authenticator_data = self._authenticator_data(0)
        signed = authenticator_data + hashlib.sha256(client_data).digest()
        return self._credential(
            clientDataJSON=client_data,
            authenticatorData=authenticator_data,
            signature=self.key.sign(signed, ec.ECDSA(hashes.SHA256())),
        )

    def cose_key(self) -> bytes:
        """Return the public key as a COSE EC2 key (RFC 9053 section 7.1)."""
        point = self.key.public_key().public_numbers()
        x, y = (value.to_bytes(32, "big") for value in (point.x, point.y))
        return encode_cbor({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def dump(self) -> str:
        """Return everything, the private key too, as JSON for a file of mode 0600."""
        key = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return json.dumps(
            {
                "rp_id": self.rp_id,
                "origin": self.origin,
                "key": key.decode("ascii"),
                "credential_id": self.credential_id.hex(),
                "sign_count": self.sign_count,
            }
        )

    @classmethod
    def load(cls, text: str) -> SoftwareAuthenticator:
        """Return the authenticator that dump() wrote."""
        fields = json.loads(text)
        key = serialization.load_pem_private_key(fields["key"].encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("a software authenticator holds an elliptic curve key")
        return cls(
            rp_id=fields["rp_id"],
            origin=fields["origin"],
            key=key,
            credential_id=bytes.fromhex(fields["credential_id"]),
            sign_count=fields["sign_count"],
        )

    def _client_data(self, kind: str, challenge: str) -> bytes:
        # Decoded and encoded again, as a browser does: never trust its spelling.
        challenge = bytes_to_base64url(base64url_to_bytes(challenge))
        fields = {"type": kind, "challenge": challenge, "origin": self.origin}
        return json.dumps(fields | {"crossOrigin": False}).encode("utf-8")

    def _authenticator_data(self, flags: int) -> bytes:
        flags |= _USER_PRESENT | (_USER_VERIFIED if self.user_verified else 0)
        head = hashlib.sha256(self.rp_id.encode("utf-8")).digest()
        return head + bytes([flags]) + self.sign_count.to_bytes(4, "big")

    def _credential(self, **response: bytes) -> dict[str, Any]:
        name = bytes_to_base64url(self.credential_id)
        encoded = {key: bytes_to_base64url(part) for key, part in response.items()}
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "response": encoded,
            "clientExtensionResults": {},
        }
