"""How long checking a long ledger takes, and how much memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from consent.models import LedgerEntry
from consent.services.ledger import entry_after
from consent.services.ledger_verify import ledger_verify

ROWS_AT_ONCE = 2000


class Speed(NamedTuple):
    """Seconds by the clock and of this process's own work; memory that was added."""

    entries: int
    seconds: float
    own_work_s: float
    grown_mib: float


class _UndoneAtTheEndError(Exception):
    """Rolls back everything that was made for measuring."""


def ledger_measure(*, entries: int = 100_000) -> Speed:
    """Let the current database's ledger grow by so many entries, verify all of it, and
    leave nothing there. Nobody else can write to the ledger meanwhile."""
    try:
        with transaction.atomic():
            grown = _entries_after(LedgerEntry.objects.last(), entries)
            while batch := list(islice(grown, ROWS_AT_ONCE)):
                LedgerEntry.objects.bulk_create(batch)
            found = _timed()
            raise _UndoneAtTheEndError
    except _UndoneAtTheEndError:
        return found


def _entries_after(last: LedgerEntry | None, count: int) -> Iterator[LedgerEntry]:
    """What ledger_append would write, without a query each."""
    now = timezone.now()
    for number in range(count):
        payload = {"sha256": f"{number:064x}", "purpose": "review"}
        last = entry_after(
            last, kind="measured", subject=str(number), payload=payload, by=None, at=now
        )
        yield last


def _timed() -> Speed:
    held_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, worked = time.perf_counter(), time.process_time()
    size, _ = ledger_verify()
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held_kib
    return Speed(
        entries=size,
        seconds=time.perf_counter() - began,
        own_work_s=time.process_time() - worked,
        grown_mib=grown_kib / 1024,
    )
