"""The keys this house marks and signs with. They live in files of mode 0600."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from synthesis.provenance.keys import MarkKey, Signer, house_signer, mark_keys_at


def signer() -> Signer:
    """Who signs outputs: the operator's certificate, or the private test CA."""
    return house_signer(
        Path(settings.KEYS_DIR),
        certificate=settings.C2PA_CERTIFICATE,
        private_key=settings.C2PA_PRIVATE_KEY,
    )


def mark_keys() -> list[MarkKey]:
    """Every key marks were ever made with, the current one first."""
    return mark_keys_at(Path(settings.KEYS_DIR) / "marks")
