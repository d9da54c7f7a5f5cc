"""Signers with certificates that are wrong in one way each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from synthesis.provenance.keys import KeyFolder, _key_usage
from synthesis.provenance.manifest import sign
from synthesis.provenance.signers import C2PA_SIGNING, es256
from tests.synthesis.provenance.conftest import Studio

DAY = timedelta(days=1)
RIGHT = (C2PA_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION)
# As long as the right ones, byte for byte.
WRONG = (
    x509.ObjectIdentifier("1.3.6.1.4.1.62559.2.1"),
    ExtendedKeyUsageOID.SERVER_AUTH,
)


def issued(
    authority: KeyFolder,
    key: ec.EllipticCurvePrivateKey,
    *,
    begins: datetime,
    ends: datetime,
    uses: Sequence[x509.ObjectIdentifier] = RIGHT,
    uses_critical: bool = False,
) -> x509.Certificate:
    """A leaf under the authority's root."""
    root = x509.load_pem_x509_certificate(authority.root.read_bytes())
    root_key = serialization.load_pem_private_key(
        (authority.folder / "root-key.pem").read_bytes(), None
    )
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "A studio")])
    own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(1 << 100)
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(_key_usage(False), True)
        .add_extension(own, False)
        .add_extension(issuer, False)
        .add_extension(x509.ExtendedKeyUsage(uses), uses_critical)
        .sign(root_key, hashes.SHA256())
    )


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Forger:
    """Shows the library a good certificate and signs for a bad one of equal length,
    which it refuses to sign for. Put `bad` for `good` in the file afterwards."""

    def __init__(
        self,
        authority: KeyFolder,
        begins: datetime,
        ends: datetime,
        uses: Sequence[x509.ObjectIdentifier],
    ) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        while True:  # A certificate's own signature has one of three lengths.
            good = issued(authority, self._key, begins=now - DAY, ends=now + DAY)
            bad = issued(authority, self._key, begins=begins, ends=ends, uses=uses)
            self.good, self.bad = (
                one.public_bytes(serialization.Encoding.DER) for one in (good, bad)
            )
            if len(self.good) == len(self.bad):
                break
        self.chain_pem, self.expires = pem(good), ends

    def sign(self, message: bytes) -> bytes:
        assert message.count(self.good) == 1
        return es256(self._key, message.replace(self.good, self.bad))


def signed_with_bad(
    studio: Studio,
    scene: Path,
    *,
    begins: timedelta,
    ends: timedelta,
    uses: Sequence[x509.ObjectIdentifier] = RIGHT,
) -> Path:
    """A film whose certificate is valid from and until so long from now."""
    now = datetime.now(UTC)
    forger = Forger(studio.authority, now + begins, now + ends, uses)
    path = studio.folder / "bad.mp4"
    sign(scene, path, facts=studio.facts, signer=forger, anchors=studio.anchors)
    content = path.read_bytes()
    assert content.count(forger.good) == 1
    path.write_bytes(content.replace(forger.good, forger.bad))
    return path
