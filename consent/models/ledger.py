"""The ledger's rows. They are written once: in code here, in the database by trigger
(migration 0002)."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.db import models

from consent import merkle
from consent.checkpoint import checkpoint_read
from consent.errors import LedgerBroken

APPEND_ONLY = "The ledger only grows: its entries cannot be changed or removed."


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    """Entries, for reading."""

    def about(self, *subjects: str) -> LedgerQuerySet:
        return self.filter(subject__in=subjects)

    def update(self, **changes: Any) -> NoReturn:
        raise LedgerBroken(APPEND_ONLY)

    def delete(self) -> NoReturn:
        raise LedgerBroken(APPEND_ONLY)

    def bulk_update(self, *rows: Any, **options: Any) -> NoReturn:
        raise LedgerBroken(APPEND_ONLY)


class LedgerEntry(models.Model):
    """One leaf of the Merkle tree, counted from 0.

    content is the canonical bytes that were hashed; kind and subject repeat two of
    its fields for look-up; peaks are the tree's peaks up to and with this entry."""

    index = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=64, db_index=True, blank=True)
    content = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)
    peaks = models.BinaryField()
    at = models.DateTimeField()

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ["index"]
        verbose_name_plural = "ledger entries"

    def __str__(self) -> str:
        return f"{self.index}: {self.kind}"

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            raise LedgerBroken(APPEND_ONLY)
        super().save(*args, **{**options, "force_insert": True})

    def delete(self, *args: Any, **options: Any) -> NoReturn:
        raise LedgerBroken(APPEND_ONLY)

    @property
    def document(self) -> dict[str, Any]:
        """The whole entry as it was hashed."""
        return dict(json.loads(bytes(self.content)))

    @property
    def payload(self) -> dict[str, Any]:
        return dict(self.document["payload"])

    @property
    def peak_list(self) -> list[bytes]:
        peaks = bytes(self.peaks)
        return [peaks[at : at + 32] for at in range(0, len(peaks), 32)]

    @property
    def root(self) -> bytes:
        """The root of the tree up to and with this entry."""
        return merkle.peaks_root(self.peak_list)


class LedgerCheckpoint(models.Model):
    """The house's signed word on the ledger at one size (consent.checkpoint). Written
    once, as entries are (migration 0003)."""

    size = models.BigIntegerField(primary_key=True)
    note = models.TextField()
    made_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["size"]

    def __str__(self) -> str:
        return f"checkpoint at {self.size}"

    @property
    def root(self) -> bytes:
        """The root it names; its signature is not looked at here."""
        return checkpoint_read(self.note).root
