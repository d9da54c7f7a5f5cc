"""The keys this house marks and signs with. They live in files of mode 0600."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from synthesis.provenance.keys import Signer, file_signer, house_signer
from synthesis.provenance.mark_keys import MarkKey, mark_keys_at


def signer() -> Signer:
    """Who signs outputs: the operator's certificate, or the private test CA."""
    if settings.C2PA_CERTIFICATE:
        return file_signer(
            Path(settings.C2PA_CERTIFICATE), Path(settings.C2PA_PRIVATE_KEY)
        )
    return house_signer(Path(settings.KEYS_DIR))


def mark_keys() -> list[MarkKey]:
    """Every key marks were ever made with, the current one first."""
    return mark_keys_at(Path(settings.KEYS_DIR) / "marks")
