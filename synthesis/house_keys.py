"""The keys this house marks and signs with. They live in files of mode 0600."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from synthesis.provenance.keys import (
    FileSigner,
    mark_keys,
    signer_from_files,
    test_authority,
)


def signer() -> FileSigner:
    """Who signs outputs: the operator's certificate, or the private test authority."""
    if settings.C2PA_CERTIFICATE:
        return signer_from_files(
            Path(settings.C2PA_CERTIFICATE), Path(settings.C2PA_PRIVATE_KEY)
        )
    house = test_authority(_signing_folder())
    return signer_from_files(house.chain, house.key)


def anchors() -> bytes:
    """PEM roots whose signatures read "trusted" here: our own test authority, and the
    operator's root if one is named."""
    roots = test_authority(_signing_folder()).root.read_bytes()
    if settings.C2PA_ROOT:
        roots += Path(settings.C2PA_ROOT).read_bytes()
    return roots


def all_mark_keys() -> list[tuple[str, bytes]]:
    """Every (name, key) that marks were ever made with, the current one first."""
    return mark_keys(Path(settings.KEYS_DIR) / "marks")


def _signing_folder() -> Path:
    return Path(settings.KEYS_DIR) / "signing"
