"""Keys: what signs manifests, what proves marks, and the private test authority.

Nothing here knows C2PA. A signer is four small things, so that a key in a PKCS#11
token or a cloud KMS can stand in for one in a file.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from synthesis.errors import SynthesisError

C2PA_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
"""Extended key usage of C2PA claim signing certificates."""

ROOT_FILE, CHAIN_FILE, KEY_FILE = "root.pem", "chain.pem", "key.pem"
ROOT_KEY_FILE = "root-key.pem"
ROOT_DAYS, LEAF_DAYS = 3650, 1825
"""Long, because without a time-stamp a credential ends with its certificate."""


class Signer(Protocol):
    """An ES256 key somewhere, and the certificates that speak for it."""

    @property
    def chain_pem(self) -> bytes:
        """Certificates, leaf first, the root not needed."""

    @property
    def expires(self) -> datetime:
        """When the leaf certificate ends, aware, UTC."""

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
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@dataclass(frozen=True)
class KeyFolder:
    """Where the files of one signing identity are."""

    folder: Path

    @property
    def chain(self) -> Path:
        """Leaf and intermediate certificates."""
        return self.folder / CHAIN_FILE

    @property
    def key(self) -> Path:
        """The leaf's private key."""
        return self.folder / KEY_FILE

    @property
    def root(self) -> Path:
        """The root to trust; public."""
        return self.folder / ROOT_FILE


def signer_from_files(
    chain: Path, key: Path, *, password: bytes | None = None
) -> FileSigner:
    """Load the operator's certificate chain and key (PEM).

    Raises SynthesisError `signing-key-unusable` with what is wrong: unreadable, not
    P-256, key and certificate of different pairs, or without the C2PA usage.
    """
    try:
        chain_pem = chain.read_bytes()
        leaf = x509.load_pem_x509_certificates(chain_pem)[0]
        private = serialization.load_pem_private_key(key.read_bytes(), password)
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise _unusable("The certificate or key cannot be read.") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(
        private.curve, ec.SECP256R1
    ):
        raise _unusable("The key is not an EC key on the curve P-256.")
    if private.public_key() != leaf.public_key():
        raise _unusable("The key does not belong to the first certificate.")
    if not _may_sign(leaf):
        raise _unusable("The certificate lacks the C2PA extended key usage.")
    return FileSigner(chain_pem, leaf.not_valid_after_utc, private)


def test_authority(folder: Path) -> KeyFolder:
    """Return the private test authority in `folder`, making it on the first run.

    The folder appears whole or not at all, mode 0700, keys 0600. If two start at
    once, both get the one that came first. Readers trust it only where told to.
    """
    if not (folder / KEY_FILE).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # mkdtemp makes it 0700, and it keeps that mode under its final name.
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            _write_authority(draft)
            _rename_unless_there(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return KeyFolder(folder)


def mark_keys(folder: Path) -> list[tuple[str, bytes]]:
    """Return the (name, key) pairs of the invisible mark in `folder`, newest first.

    The first is to write with, all are to read with. The first run makes one. To
    rotate, add a file mark-N.key of 32 random bytes, mode 0600, with a higher N.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = _mark_key_files(folder)
    if not found:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".mark-") as draft:
            draft.write(secrets.token_bytes(32))
            draft.flush()
            os.fsync(draft.fileno())
            # Another process may be first; its key is as good.
            with suppress(FileExistsError):
                os.link(draft.name, folder / "mark-1.key")
        found = _mark_key_files(folder)
    return [(path.stem, path.read_bytes()) for path in found]


def _mark_key_files(folder: Path) -> list[Path]:
    numbered = [
        (int(path.stem.removeprefix("mark-")), path)
        for path in folder.glob("mark-*.key")
        if path.stem.removeprefix("mark-").isdigit()
    ]
    return [path for _, path in sorted(numbered, reverse=True)]


def _unusable(what: str) -> SynthesisError:
    return SynthesisError(
        "signing-key-unusable",
        f"{what} Nothing can be signed until the signing certificate is put right.",
    )


def _may_sign(leaf: x509.Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    return C2PA_SIGNING in usage.value


def _rename_unless_there(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        # Not empty: another process was first. Anything else is a real failure.
        if not (folder / KEY_FILE).exists():
            raise


def _write_authority(folder: Path) -> None:
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("lipweb test authority", root_key, None, ROOT_DAYS)
    leaf = _certificate("lipweb test signer", leaf_key, (root, root_key), LEAF_DAYS)
    pem = serialization.Encoding.PEM
    _write(folder / ROOT_KEY_FILE, _key_pem(root_key))
    _write(folder / ROOT_FILE, root.public_bytes(pem))
    _write(folder / CHAIN_FILE, leaf.public_bytes(pem))
    _write(folder / KEY_FILE, _key_pem(leaf_key))


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    days: int,
) -> x509.Certificate:
    """A root if there is no issuer, else a leaf for C2PA claims."""
    now = datetime.now(UTC)
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "lipweb (test, not vetted)"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    is_root = issuer is None
    issuer_name = issuer[0].subject if issuer else subject
    issuer_key = issuer[1] if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(is_root, 0 if is_root else None), True)
        .add_extension(_key_usage(is_root), True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            False,
        )
    )
    if not is_root:
        uses = [C2PA_SIGNING, ExtendedKeyUsageOID.EMAIL_PROTECTION]
        builder = builder.add_extension(x509.ExtendedKeyUsage(uses), False)
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(is_root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_root,
        key_cert_sign=is_root,
        crl_sign=is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _write(path: Path, content: bytes) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
