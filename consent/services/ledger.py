"""Writing to the ledger, and checking it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.utils import timezone

from consent import merkle
from consent.canonical import canonical_bytes
from consent.errors import LedgerBroken
from consent.models import LedgerEntry
from consent.record import instant

ENTRY_SCHEMA: Final = "lipweb-ledger-v1"

# PostgreSQL's advisory lock of this name: one writer at a time, to the end of its
# transaction. SQLite's transactions are begun IMMEDIATE and wait for each other.
_WRITERS_LOCK: Final = 0x6C697077_65626C67


@transaction.atomic
def ledger_append(
    *,
    kind: str,
    payload: Mapping[str, Any],
    acting_user: AbstractBaseUser | None,
    subject: str = "",
) -> LedgerEntry:
    """Append one entry, in the transaction of the act it tells of.

    payload holds ids and hashes, never names: the ledger cannot forget. subject is
    the id that the entry will be looked up by."""
    _wait_for_other_writers()
    last = LedgerEntry.objects.last()
    index = last.index + 1 if last else 0
    now = timezone.now()
    content = canonical_bytes(
        {
            "schema": ENTRY_SCHEMA,
            "index": index,
            "kind": kind,
            "subject": subject,
            "at": instant(now),
            "by": acting_user.pk if acting_user else None,
            "payload": dict(payload),
        }
    )
    leaf = merkle.leaf_hash(content)
    peaks = merkle.peaks_append(last.peak_list if last else [], size=index, leaf=leaf)
    return LedgerEntry.objects.create(
        index=index,
        kind=kind,
        subject=subject,
        content=content,
        leaf_hash=leaf,
        peaks=b"".join(peaks),
        at=now,
    )


def ledger_root() -> tuple[int, bytes]:
    """Return the ledger's size and its 32-byte root."""
    last = LedgerEntry.objects.last()
    return (last.index + 1, last.root) if last else (0, merkle.EMPTY_ROOT)


def ledger_verify() -> tuple[int, bytes]:
    """Compute every hash of the ledger anew; return its size and root.

    Raises LedgerBroken where an entry is missing, was changed, or does not follow
    from those before it."""
    peaks: list[bytes] = []
    size = 0
    for entry in LedgerEntry.objects.order_by("index").iterator(chunk_size=2000):
        if entry.index != size:
            raise LedgerBroken(f"Entry {size} of the ledger is missing.")
        leaf = merkle.leaf_hash(bytes(entry.content))
        peaks = merkle.peaks_append(peaks, size=size, leaf=leaf)
        as_told = entry.document
        same = (
            leaf == bytes(entry.leaf_hash)
            and peaks == entry.peak_list
            and (entry.index, entry.kind, entry.subject)
            == (as_told["index"], as_told["kind"], as_told["subject"])
        )
        if not same:
            raise LedgerBroken(f"Entry {size} of the ledger was changed.")
        size += 1
    return size, merkle.peaks_root(peaks)


def ledger_inclusion_proof(entry: LedgerEntry) -> tuple[int, list[bytes]]:
    """Return the tree size and audit path that show the entry in today's ledger."""
    leaves = [
        bytes(leaf) for leaf in LedgerEntry.objects.values_list("leaf_hash", flat=True)
    ]
    return len(leaves), merkle.inclusion_proof(leaves, entry.index)


def _wait_for_other_writers() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITERS_LOCK])
