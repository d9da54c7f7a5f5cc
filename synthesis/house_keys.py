"""The keys this house marks and signs with. They live in files of mode 0600, or in
another process that signs what it is handed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings

from synthesis.errors import NotAllowed, SynthesisError
from synthesis.provenance.keys import mark_keys, test_authority
from synthesis.provenance.signers import (
    Signer,
    signer_at_socket,
    signer_from_files,
    unusable,
)

SOCKET = "unix:"
"""C2PA_PRIVATE_KEY begins with it where the key is kept behind a Unix socket."""
WARN_BEFORE = timedelta(days=30)


def signer() -> Signer:
    """Who signs outputs: the operator's certificate, or the private test authority.
    Raises SynthesisError `signing-key-unusable`."""
    if not settings.C2PA_CERTIFICATE:
        return signer_from_files(*test_authority(_signing_folder()).pair)
    chain, key = Path(settings.C2PA_CERTIFICATE), settings.C2PA_PRIVATE_KEY
    if key.startswith(SOCKET):
        return signer_at_socket(chain, key.removeprefix(SOCKET))
    return signer_from_files(chain, Path(key), password=_key_password())


def anchors() -> bytes:
    """PEM roots whose signatures read "trusted" here: our own test authority, and the
    operator's roots if a file of them is named, those of former certificates too."""
    roots = test_authority(_signing_folder()).root.read_bytes()
    if settings.C2PA_ROOT:
        roots += Path(settings.C2PA_ROOT).read_bytes()
    return roots


def time_anchors() -> bytes:
    """PEM roots of time-stamp authorities that are believed; empty for none."""
    named = settings.C2PA_TIMESTAMP_ROOT
    return Path(named).read_bytes() if named else b""


def time_authority() -> str:
    """Address of the time-stamp authority asked at each signature, or ""."""
    return str(settings.C2PA_TIMESTAMP_URL)


def certificate_trouble() -> str:
    """In a sentence: what stops the signing certificate, or will within thirty days;
    "" where nothing does. For the operator: no file of the house is named."""
    if not settings.C2PA_CERTIFICATE and not _signing_folder().exists():
        return ""  # It is made at the first signature, not by whoever asks.
    try:
        ends = signer().expires
    except SynthesisError as error:
        return error.sentence
    left = ends - datetime.now(UTC)
    if left > WARN_BEFORE:
        return ""
    return (
        f"The signing certificate ends on {ends:%d %B %Y}, in {left.days} days. After"
        " that nothing can be signed, and what it signed without a time-stamp reads"
        " as expired."
    )


def certificate_renew() -> datetime:
    """Put a new key and certificate of the private test authority in use; what the one
    before signed stays trusted. Returns when the new one ends. Raises NotAllowed where
    the operator's own certificate is in use."""
    if settings.C2PA_CERTIFICATE:
        raise NotAllowed(
            "own-certificate",
            "Outputs are signed with your own certificate. Get a new one from whoever"
            " issued it, and keep the former root in the file that C2PA_ROOT names.",
        )
    test_authority(_signing_folder()).renew()
    return signer().expires


def all_mark_keys() -> list[tuple[str, bytes]]:
    """Every (name, key) that marks were ever made with, the current one first."""
    return mark_keys(Path(settings.KEYS_DIR) / "marks")


def _key_password() -> bytes | None:
    """The password of the operator's key file, None for one that has none. Raises
    SynthesisError where the file that keeps it is open to others."""
    if settings.C2PA_KEY_PASSWORD:
        return str(settings.C2PA_KEY_PASSWORD).encode()
    if not settings.C2PA_KEY_PASSWORD_FILE:
        return None
    path = Path(settings.C2PA_KEY_PASSWORD_FILE)
    try:
        if path.stat().st_mode & 0o077:
            raise unusable("Others may read the file with the signing key's password.")
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise unusable("The signing key's password cannot be read.") from error


def _signing_folder() -> Path:
    return Path(settings.KEYS_DIR) / "signing"
