"""Key files of the house: the private test authority, and what proves marks."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from synthesis.provenance.signers import C2PA_SIGNING

ROOT_FILE, CHAIN_FILE, KEY_FILE = "root.pem", "chain.pem", "key.pem"
ROOT_KEY_FILE = "root-key.pem"
ROOT_DAYS, LEAF_DAYS = 3650, 1825
"""Long, because without a time-stamp a credential ends with its certificate."""


@dataclass(frozen=True)
class KeyFolder:
    """Where the files of one signing identity are."""

    folder: Path

    @property
    def chain(self) -> Path:
        """The certificate in use: the newest."""
        return self._newest() / CHAIN_FILE

    @property
    def key(self) -> Path:
        """The private key of the certificate in use."""
        return self._newest() / KEY_FILE

    @property
    def pair(self) -> tuple[Path, Path]:
        """Certificate and key in use, of one moment even while they are renewed."""
        newest = self._newest()
        return newest / CHAIN_FILE, newest / KEY_FILE

    @property
    def root(self) -> Path:
        """The root to trust; public."""
        return self.folder / ROOT_FILE

    def renew(self, *, days: int = LEAF_DAYS) -> None:
        """Put a new key and certificate in use, under the same root: what the ones
        before signed stays trusted. They stay where they are, for the record."""
        root = x509.load_pem_x509_certificate(self.root.read_bytes())
        root_key = serialization.load_pem_private_key(
            (self.folder / ROOT_KEY_FILE).read_bytes(), None
        )
        assert isinstance(root_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - ours
        number = 1 + max((n for n, _ in self._renewed()), default=1)
        draft = Path(tempfile.mkdtemp(prefix=".leaf-", dir=self.folder))
        try:
            _write_leaf(draft, (root, root_key), days)
            draft.rename(self.folder / f"leaf-{number}")
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _newest(self) -> Path:
        return max(self._renewed(), default=(1, self.folder))[1]

    def _renewed(self) -> list[tuple[int, Path]]:
        named = ((path.name.removeprefix("leaf-"), path) for path in self._leaves())
        return [(int(number), path) for number, path in named if number.isdigit()]

    def _leaves(self) -> list[Path]:
        return list(self.folder.glob("leaf-*"))


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


def _rename_unless_there(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        # Not empty: another process was first. Anything else is a real failure.
        if not (folder / KEY_FILE).exists():
            raise


def _write_authority(folder: Path) -> None:
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("lipweb test authority", root_key, None, ROOT_DAYS)
    _write(folder / ROOT_KEY_FILE, _key_pem(root_key))
    _write(folder / ROOT_FILE, root.public_bytes(serialization.Encoding.PEM))
    _write_leaf(folder, (root, root_key), LEAF_DAYS)


def _write_leaf(
    folder: Path, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey], days: int
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = _certificate("lipweb test signer", key, issuer, days)
    _write(folder / CHAIN_FILE, leaf.public_bytes(serialization.Encoding.PEM))
    _write(folder / KEY_FILE, _key_pem(key))


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
