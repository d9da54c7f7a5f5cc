"""Checking the whole ledger anew, against itself and against what was signed of it."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import NamedTuple

from django.db.models import Max

from consent import merkle
from consent.checkpoint import Checkpoint, LedgerKey, verify_checkpoint
from consent.errors import LedgerBroken, RecordRefused
from consent.models import LedgerCheckpoint, LedgerEntry

_ROWS_AT_ONCE = 2000
_COLUMNS = ("index", "kind", "subject", "content", "leaf_hash", "peaks")


class _Row(NamedTuple):
    number: int
    kind: str
    subject: str
    content: bytes
    leaf_hash: bytes
    peaks: bytes


def ledger_verify(
    *, key: LedgerKey | None = None, given: Sequence[Checkpoint] = ()
) -> tuple[int, bytes]:
    """Compute every hash of the ledger anew; return its size and root.

    With a key, every stored checkpoint must be signed by it and be of this ledger;
    given are checkpoints that came another way and were checked. Rows are streamed:
    memory does not grow with the ledger, and entries may be written meanwhile. Raises
    LedgerBroken with fault and entry where something was changed, removed or inserted,
    or where what was signed is of another ledger."""
    # Asked first: what is signed by now is part of what is read after it, whoever
    # writes meanwhile.
    newest = LedgerCheckpoint.objects.aggregate(Max("size"))["size__max"] or 0
    signed = _Signed(key, given, newest)
    peaks: list[bytes] = []
    size = 0
    # Closed at once whatever is found: the database keeps a cursor open for each.
    with closing(signed), closing(_rows()) as rows:
        for row in rows:
            peaks = _follow(row, size, peaks)
            size += 1
            due = size == signed.due
            signed.compare(size, merkle.peaks_root(peaks) if due else None)
        signed.end(size)
    return size, merkle.peaks_root(peaks)


def _rows() -> Generator[_Row, None, None]:
    rows = LedgerEntry.objects.order_by("index").values_list(*_COLUMNS)
    for number, kind, subject, *parts in rows.iterator(chunk_size=_ROWS_AT_ONCE):
        content, leaf, peaks = (bytes(part) for part in parts)
        yield _Row(number, kind, subject, content, leaf, peaks)


def _follow(row: _Row, size: int, peaks: list[bytes]) -> list[bytes]:
    """Return the peaks with the row as entry number size, or say what is wrong."""
    if row.number != size:
        raise LedgerBroken(
            f"Entry {size} of the ledger is missing: somebody removed it.",
            fault="removed",
            entry=size,
        )
    told = _told(row)
    if told != size:
        raise _moved(size, told)
    leaf = merkle.leaf_hash(row.content)
    peaks = merkle.peaks_append(peaks, size=size, leaf=leaf)
    if leaf != row.leaf_hash or b"".join(peaks) != row.peaks:
        raise _changed(size)
    return peaks


def _told(row: _Row) -> int:
    """The number that the entry itself says it has; its row must repeat the rest."""
    try:
        told = json.loads(row.content)
        if (told["kind"], told["subject"]) == (row.kind, row.subject):
            return int(told["index"])
    except (ValueError, KeyError, TypeError):
        pass
    raise _changed(row.number)


def _changed(entry: int) -> LedgerBroken:
    sentence = f"Entry {entry} of the ledger was changed after it was written."
    return LedgerBroken(sentence, fault="changed", entry=entry)


def _moved(place: int, told: int) -> LedgerBroken:
    if told > place:
        return LedgerBroken(
            f"Entry {place} of the ledger was removed, and later ones moved up: in "
            f"its place stands entry {told}.",
            fault="removed",
            entry=place,
        )
    return LedgerBroken(
        f"An entry was inserted into the ledger before number {place}: in its place "
        f"stands entry {told}.",
        fault="inserted",
        entry=told,
    )


class _Signed:
    """The checkpoints to meet while the ledger is read, smallest first."""

    def __init__(
        self, key: LedgerKey | None, given: Sequence[Checkpoint], newest: int
    ) -> None:
        self._given = sorted(given, key=lambda point: point.size)
        self._stored = _stored(key, newest) if key else iter(())
        self._next_stored = next(self._stored, None)
        self._agreed = 0
        self._forked: LedgerBroken | None = None

    @property
    def due(self) -> int:
        """The size at which the next checkpoint stands, or -1."""
        sizes = [point.size for point in chain(self._given[:1], self._head())]
        return min(sizes, default=-1)

    def _head(self) -> list[Checkpoint]:
        return [self._next_stored] if self._next_stored else []

    def compare(self, size: int, root: bytes | None) -> None:
        """Hold the root at this size against each checkpoint of it."""
        while root is not None and self.due == size:
            point = self._take()
            if self._forked is None and point.root != root:
                # Not raised yet: a row further on may show what was done, and where.
                self._forked = self._fork(point)
            elif self._forked is None:
                self._agreed = size

    def end(self, size: int) -> None:
        """Raise what was found; whatever was signed of more entries than there are
        was cut off."""
        if self._forked:
            raise self._forked
        while self.due >= 0:
            point = self._take()
            if point.size == 0:
                continue
            raise LedgerBroken(
                f"The ledger ends with {size} entries, but {point.size} were signed "
                f"for: those from number {size} on are missing.",
                fault="removed",
                entry=size,
            )

    def close(self) -> None:
        """Let go of the stored checkpoints."""
        if isinstance(self._stored, Generator):
            self._stored.close()

    def _take(self) -> Checkpoint:
        stored = self._next_stored
        if stored and stored.size == self.due:
            self._next_stored = next(self._stored, None)
            return stored
        return self._given.pop(0)

    def _fork(self, point: Checkpoint) -> LedgerBroken:
        return LedgerBroken(
            f"This is not the ledger that was signed at {point.size} entries: it was "
            f"written anew from an entry between {self._agreed} and {point.size - 1} "
            "on. Two ledgers went by one name (a fork).",
            fault="fork",
            entry=self._agreed,
        )


def _stored(key: LedgerKey, newest: int) -> Iterator[Checkpoint]:
    rows = LedgerCheckpoint.objects.filter(size__lte=newest).order_by("size")
    for row in rows.iterator(chunk_size=_ROWS_AT_ONCE):
        try:
            point = verify_checkpoint(row.note, key)
        except (LedgerBroken, RecordRefused) as error:
            raise _forged(row.size) from error
        if point.size != row.size:
            raise _forged(row.size)
        yield point


def _forged(size: int) -> LedgerBroken:
    return LedgerBroken(
        f"The checkpoint kept for {size} entries was not signed by this house.",
        fault="checkpoint",
        entry=size,
    )
