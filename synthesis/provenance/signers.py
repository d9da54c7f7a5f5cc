"""Who signs manifests: keys in files, and keys that never enter this process.

A signer is three small things, the shape of C_Sign in PKCS#11 and of Sign in a cloud
KMS: bytes go in, a signature comes out. Nothing else of the house touches a key.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from synthesis.errors import SynthesisError

C2PA_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""Extended key usage of C2PA claim signing certificates."""

SIGNATURE_BYTES = 64
LENGTH = struct.Struct(">I")
"""Before each message to a key in another process: its length."""
ANSWER_S = 10.0


class Signer(Protocol):
    """An ES256 key somewhere, and the certificates that speak for it."""

    @property
    def chain_pem(self) -> bytes:
        """Certificates, leaf first, the root not needed."""

    @property
    def expires(self) -> datetime:
        """When the first of them ends, aware, UTC."""

    def sign(self, message: bytes) -> bytes:
        """ECDSA P-256 SHA-256 signature of `message`: r and s, 32 bytes each."""


@dataclass(frozen=True)
class FileSigner:
    """A signer whose key is a PEM file on this machine."""

    chain_pem: bytes
    expires: datetime
    _key: ec.EllipticCurvePrivateKey

    def sign(self, message: bytes) -> bytes:
        """Sign as the protocol says."""
        return es256(self._key, message)


@dataclass(frozen=True)
class SocketSigner:
    """A signer whose key another process keeps, behind a Unix socket.

    That process is handed LENGTH and the message, and answers with the signature: see
    key_process.py for one. A PKCS#11 token or a KMS is reached by such a one as well.
    """

    chain_pem: bytes
    expires: datetime
    path: str

    def sign(self, message: bytes) -> bytes:
        """Sign as the protocol says. Raises OSError where nobody answers, and
        InvalidSignature where another key than the certificate's does."""
        with socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(ANSWER_S)
            asked.connect(self.path)
            asked.sendall(LENGTH.pack(len(message)) + message)
            signature = b""
            while len(signature) < SIGNATURE_BYTES:
                block = asked.recv(SIGNATURE_BYTES - len(signature))
                if not block:
                    raise ConnectionError("the key's process gave no signature")
                signature += block
        self._check(message, signature)
        return signature

    def _check(self, message: bytes, signature: bytes) -> None:
        public = x509.load_pem_x509_certificates(self.chain_pem)[0].public_key()
        if not isinstance(public, ec.EllipticCurvePublicKey):
            raise InvalidSignature
        half = SIGNATURE_BYTES // 2
        r, s = (int.from_bytes(n, "big") for n in (signature[:half], signature[half:]))
        public.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


def es256(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """The signature as COSE has it (RFC 9053 2.1): r and s, 32 bytes each."""
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signer_from_files(
    chain: Path, key: Path, *, password: bytes | None = None
) -> FileSigner:
    """Load the operator's certificate chain and key (PEM). password: of a key that is
    encrypted (PKCS#8).

    Raises SynthesisError `signing-key-unusable` with what is wrong: unreadable, not
    P-256, key and certificate of different pairs, for another purpose, or out of date.
    """
    chain_pem, certificates = _certificates(chain)
    private = private_key(key, password)
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(
        private.curve, ec.SECP256R1
    ):
        raise unusable("The key is not an EC key on the curve P-256.")
    if private.public_key() != certificates[0].public_key():
        raise unusable("The key does not belong to the first certificate.")
    return FileSigner(chain_pem, _usable_until(certificates), private)


def private_key(path: Path, password: bytes | None) -> object:
    """The key of a PEM file. Raises SynthesisError `signing-key-unusable`."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unusable("The certificate or key cannot be read.") from error
    is_locked = b"ENCRYPTED" in content
    if is_locked and password is None:
        raise unusable("The signing key is encrypted, and no password is set for it.")
    try:
        return serialization.load_pem_private_key(
            content, password if is_locked else None
        )
    except (ValueError, TypeError) as error:
        if is_locked:
            raise unusable("The signing key's password is wrong.") from error
        raise unusable("The certificate or key cannot be read.") from error


def signer_at_socket(chain: Path, path: str) -> SocketSigner:
    """A signer for the certificate chain (PEM) whose key is behind a Unix socket.
    Raises SynthesisError `signing-key-unusable`; the socket is only asked to sign."""
    chain_pem, certificates = _certificates(chain)
    return SocketSigner(chain_pem, _usable_until(certificates), path)


def _certificates(chain: Path) -> tuple[bytes, list[x509.Certificate]]:
    try:
        chain_pem = chain.read_bytes()
        return chain_pem, x509.load_pem_x509_certificates(chain_pem)
    except (OSError, ValueError) as error:
        raise unusable("The certificate or key cannot be read.") from error


def _usable_until(certificates: list[x509.Certificate]) -> datetime:
    """When the first of the chain ends. Raises unless it may sign today."""
    if not _may_sign(certificates[0]):
        raise unusable(
            "The certificate is made for another purpose: it lacks the C2PA extended"
            " key usage."
        )
    begins = max(one.not_valid_before_utc for one in certificates)
    ends = min(one.not_valid_after_utc for one in certificates)
    now = datetime.now(UTC)
    if now > ends:
        raise unusable(f"The certificate has expired, on {ends:%d %B %Y}.")
    if now < begins:
        raise unusable(f"The certificate is not valid before {begins:%d %B %Y}.")
    return ends


def _may_sign(leaf: x509.Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return C2PA_SIGNING in usage.value


def unusable(what: str) -> SynthesisError:
    """What is raised wherever the signing key cannot be used."""
    return SynthesisError(
        "signing-key-unusable",
        f"{what} Nothing can be signed until the signing certificate is put right.",
    )
