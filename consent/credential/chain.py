"""Who signed: certificates (RFC 5280) as far as a C2PA claim's signer needs them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509.oid import NameOID

from consent.errors import RecordRefused, SignatureRefused

PURPOSES: Final = (
    x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1"),
    x509.oid.ExtendedKeyUsageOID.EMAIL_PROTECTION,
    x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),
)
"""Extended key usages of a C2PA signer: its own, e-mail protection, documents."""
ES256_BYTES: Final = 64


def certificates_read(chain: Sequence[bytes]) -> list[x509.Certificate]:
    """Return certificates from DER, leaf first. Raises RecordRefused."""
    try:
        found = [x509.load_der_x509_certificate(one) for one in chain]
    except (ValueError, TypeError) as error:
        raise RecordRefused("A certificate in the bundle cannot be read.") from error
    if not found:
        raise RecordRefused("The Content Credential names no certificate.")
    return found


def roots_read(pem: bytes) -> list[x509.Certificate]:
    """Return the roots of a PEM file, none if it is empty. Raises RecordRefused."""
    if not pem.strip():
        return []
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise RecordRefused("The file of roots cannot be read.") from error


def verify_es256(leaf: x509.Certificate, signature: bytes, message: bytes) -> None:
    """Raise SignatureRefused unless the leaf's key signed the message (RFC 9053)."""
    key = leaf.public_key()
    is_p256 = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(
        key.curve, ec.SECP256R1
    )
    if not is_p256 or len(signature) != ES256_BYTES:
        raise SignatureRefused("The Content Credential is signed in an unknown way.")
    assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - seen above
    half = ES256_BYTES // 2
    r, s = (int.from_bytes(n, "big") for n in (signature[:half], signature[half:]))
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise SignatureRefused(
            "The signature of the Content Credential does not fit it."
        ) from error


def verify_signer(leaf: x509.Certificate, at: datetime) -> None:
    """Raise SignatureRefused unless the leaf may sign claims, and might at an aware
    moment."""
    try:
        used_for = set(
            leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        )
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        basic = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise SignatureRefused("The signer's certificate lacks its purpose.") from error
    if not used_for & set(PURPOSES) or not usage.digital_signature or basic.ca:
        raise SignatureRefused("The signer's certificate is for another purpose.")
    if not leaf.not_valid_before_utc <= at <= leaf.not_valid_after_utc:
        raise SignatureRefused(
            "The signer's certificate was not valid when the ledger was told of it."
        )


def root_of(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], at: datetime
) -> x509.Certificate | None:
    """Return the root that vouches for a chain, None if none does. Raises
    SignatureRefused where a link of the chain does not hold."""
    for one, issuer in pairwise(chain):
        if not _is_issued_by(one, issuer, at):
            raise SignatureRefused("The signer's chain of certificates does not hold.")
    last = chain[-1]
    for root in roots:
        if last == root or _is_issued_by(last, root, at):
            return root
    return None


def _is_issued_by(
    one: x509.Certificate, issuer: x509.Certificate, at: datetime
) -> bool:
    try:
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        one.verify_directly_issued_by(issuer)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature):
        return False
    return basic.ca and issuer.not_valid_before_utc <= at <= issuer.not_valid_after_utc


def named(certificate: x509.Certificate) -> str:
    """The organisation and common name of a certificate, with its fingerprint."""
    names = [
        str(one.value)
        for oid in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for one in certificate.subject.get_attributes_for_oid(oid)
    ]
    text = "".join(c for c in ", ".join(names)[:200] if c.isprintable())
    digest = certificate.fingerprint(hashes.SHA256()).hex()
    return f"{text} (SHA-256 {digest})"
