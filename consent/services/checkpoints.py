"""Signing and publishing how the ledger stands."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from django.utils import timezone

from consent import merkle
from consent.checkpoint import LedgerKey, LedgerSigner, checkpoint_sign
from consent.models import LedgerCheckpoint
from consent.secret_file import secret_from_file
from consent.services.ledger import ledger_consistency_proof, ledger_root
from consent.signals import ledger_grown

log = logging.getLogger(__name__)

KEY_FILE = "ledger-key"


def ledger_signer() -> LedgerSigner:
    """Return the house's ledger key, made on first use under a name from SITE_URL,
    which it keeps even if the house moves."""
    address = settings.SITE_URL.split("://", 1)[-1]
    text = secret_from_file(
        Path(settings.KEYS_DIR) / KEY_FILE,
        make=lambda: LedgerSigner.new(f"{address}/ledger").text,
    )
    return LedgerSigner.from_text(text)


def ledger_key() -> LedgerKey:
    """Return the public key that checkpoints are checked with."""
    return ledger_signer().key


def checkpoint_make() -> LedgerCheckpoint | None:
    """Sign the ledger as it is committed now, unless that is done; None while it is
    empty.

    Raises LedgerBroken, and signs nothing, where the ledger did not grow out of the
    one signed last: the house must never sign two. Not to be called inside a
    transaction: entries that are then rolled back would have been signed."""
    with transaction.atomic(durable=True):
        newest = checkpoint_newest()
        size, root = ledger_root()
        if size == 0 and newest is None:
            return None
        if newest is not None:
            _verify_grown(newest, size, root)
            if newest.size == size:
                return newest
        made = LedgerCheckpoint(
            size=size,
            note=checkpoint_sign(size=size, root=root, signer=ledger_signer()),
            made_at=timezone.now(),
        )
        # Another process may be signing the same: Ed25519 gives both the same note.
        LedgerCheckpoint.objects.bulk_create([made], ignore_conflicts=True)
    log.info("checkpoint made size=%s", size)
    return made


def checkpoint_newest() -> LedgerCheckpoint | None:
    """Return the checkpoint of the largest size."""
    return LedgerCheckpoint.objects.last()


def checkpoint_current() -> LedgerCheckpoint | None:
    """Return the newest checkpoint, after making one if entries have waited for
    longer than CHECKPOINT_EVERY_S."""
    newest = checkpoint_newest()
    age = timedelta(seconds=settings.CHECKPOINT_EVERY_S)
    if newest is None or timezone.now() - newest.made_at >= age:
        return checkpoint_make()
    return newest


def checkpoint_covering(*, entry: int) -> LedgerCheckpoint:
    """Return a checkpoint whose tree holds the entry of that number, which must be
    committed."""
    newest = checkpoint_newest()
    if newest is None or newest.size <= entry:
        newest = checkpoint_make()
    if newest is None or newest.size <= entry:
        raise RuntimeError("a checkpoint was asked for before its entry was committed")
    return newest


@receiver(ledger_grown)
def checkpoint_follow(**_: Any) -> None:
    """Sign soon after entries are committed, but not after each of them."""
    checkpoint_current()


def _verify_grown(newest: LedgerCheckpoint, size: int, root: bytes) -> None:
    merkle.verify_consistency(
        first=newest.size,
        first_root=newest.root,
        second=size,
        second_root=root,
        proof=ledger_consistency_proof(first=newest.size, second=size),
    )
