"""Writing to the ledger, and checking it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.utils import timezone

from consent import merkle
from consent.canonical import canonical_bytes
from consent.errors import LedgerBroken
from consent.models import LedgerEntry
from consent.record import instant
from consent.signals import ledger_grown

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
    entry = entry_after(
        LedgerEntry.objects.last(),
        kind=kind,
        subject=subject,
        payload=payload,
        by=acting_user.pk if acting_user else None,
        at=timezone.now(),
    )
    entry.save()
    transaction.on_commit(
        lambda: ledger_grown.send_robust(sender=LedgerEntry, entry=entry)
    )
    return entry


def entry_after(
    last: LedgerEntry | None,
    *,
    kind: str,
    subject: str,
    payload: Mapping[str, Any],
    by: int | None,
    at: datetime,
) -> LedgerEntry:
    """Return the unsaved entry that follows the last one of a ledger."""
    index = last.index + 1 if last else 0
    content = canonical_bytes(
        {
            "schema": ENTRY_SCHEMA,
            "index": index,
            "kind": kind,
            "subject": subject,
            "at": instant(at),
            "by": by,
            "payload": dict(payload),
        }
    )
    leaf = merkle.leaf_hash(content)
    peaks = merkle.peaks_append(last.peak_list if last else [], size=index, leaf=leaf)
    return LedgerEntry(
        index=index,
        kind=kind,
        subject=subject,
        content=content,
        leaf_hash=leaf,
        peaks=b"".join(peaks),
        at=at,
    )


def entries_about(subjects: Iterable[str]) -> Iterator[LedgerEntry]:
    """Yield the entries about any of the subjects, the first one first, with no more
    of them in memory than one query brings."""
    wanted = sorted(set(subjects))
    found: list[int] = []
    for some in _portions(wanted):
        rows = LedgerEntry.objects.about(*some)
        found.extend(rows.order_by().values_list("index", flat=True))
    for places in _portions(sorted(found)):
        yield from LedgerEntry.objects.filter(index__in=places).order_by("index")


def _portions(things: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """As many at a time as a query may name: databases have a limit."""
    for start in range(0, len(things), 400):
        yield things[start : start + 400]


def ledger_root() -> tuple[int, bytes]:
    """Return the ledger's size and its 32-byte root."""
    last = LedgerEntry.objects.last()
    return (last.index + 1, last.root) if last else (0, merkle.EMPTY_ROOT)


def ledger_inclusion_proof(
    entry: LedgerEntry, *, size: int | None = None
) -> tuple[int, list[bytes]]:
    """Return the tree size and audit path that show the entry in the ledger of that
    size (today's)."""
    size = ledger_root()[0] if size is None else size
    return size, _roots_over(merkle.inclusion_ranges(entry.index, size))


def ledger_consistency_proof(*, first: int, second: int) -> list[bytes]:
    """Return the proof that the ledger of second entries begins with that of first.
    Raises LedgerBroken unless 0 < first <= second and there are so many entries."""
    ranges = merkle.consistency_ranges(first, second)
    if second > ledger_root()[0]:
        raise LedgerBroken(f"The ledger has no {second} entries.")
    return _roots_over(ranges)


def _roots_over(ranges: list[tuple[int, int]]) -> list[bytes]:
    """The roots of a proof's ranges, from two rows a range instead of every leaf."""
    wanted = {place for _, end in ranges for place in (end - 2, end - 1)}
    rows = LedgerEntry.objects.in_bulk([place for place in wanted if place >= 0])
    try:
        return [
            merkle.range_root(
                length=end - start,
                peaks=rows[end - 2].peak_list if end > 1 else [],
                leaf=bytes(rows[end - 1].leaf_hash),
            )
            for start, end in ranges
        ]
    except KeyError as missing:
        raise LedgerBroken(f"Entry {missing} of the ledger is missing.") from missing


def _wait_for_other_writers() -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITERS_LOCK])
