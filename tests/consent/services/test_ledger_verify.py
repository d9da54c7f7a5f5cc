"""Whoever runs the database cannot change the ledger without its being seen."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, connections

from consent import merkle
from consent.checkpoint import LedgerSigner, checkpoint_sign, verify_checkpoint
from consent.errors import LedgerBroken
from consent.models import LedgerCheckpoint, LedgerEntry
from consent.services.checkpoints import checkpoint_make, ledger_key, ledger_signer
from consent.services.ledger import entry_after
from consent.services.ledger_verify import ledger_verify
from tests.conftest import REPOSITORY, manage_environment
from tests.consent.services.test_ledger import append, unlock


@pytest.fixture
def signed(db: None) -> LedgerCheckpoint:
    """Eight entries, a checkpoint after the fifth and after the last; the triggers
    are gone."""
    for number in range(5):
        append(number)
    checkpoint_make()
    for number in range(5, 8):
        append(number)
    newest = checkpoint_make()
    unlock()
    assert newest
    return newest


def administrator(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def shift(first: int, by: int) -> None:
    """Move the rows from number first on up or down, past any clash of keys."""
    table = "UPDATE consent_ledgerentry"
    administrator(f'{table} SET "index" = "index" + 1000 WHERE "index" >= %s', first)
    administrator(
        f'{table} SET "index" = "index" - %s WHERE "index" >= 1000', 1000 - by
    )


def rewrite(first: int, size: int) -> None:
    """Write other entries from number first on, every hash as it should be."""
    administrator('DELETE FROM consent_ledgerentry WHERE "index" >= %s', first)
    for number in range(first, size):
        append(100 + number)


def fault() -> tuple[str, int | None]:
    with pytest.raises(LedgerBroken) as broken:
        ledger_verify(key=ledger_key())
    assert str(broken.value.entry) in broken.value.sentence
    return broken.value.fault, broken.value.entry


def exit_code(*files: Path) -> int:
    try:
        call_command("verifyledger", checkpoint=list(files))
    except CommandError as error:
        return error.returncode
    return 0


def test_a_whole_ledger_agrees_with_all_that_was_signed(
    signed: LedgerCheckpoint, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ledger_verify(key=ledger_key()) == (8, signed.root)
    assert exit_code() == 0
    assert f"8 entries, root {signed.root.hex()}" in capsys.readouterr().out


@pytest.mark.parametrize("column", ["kind", "subject"])
def test_a_changed_column_is_named(signed: LedgerCheckpoint, column: str) -> None:
    administrator(
        f"UPDATE consent_ledgerentry SET {column} = 'x' WHERE \"index\" = 3"  # noqa: S608
    )
    assert fault() == ("changed", 3)
    assert exit_code() == 1


@pytest.mark.parametrize("column", ["content", "leaf_hash", "peaks"])
def test_changed_bytes_are_named(signed: LedgerCheckpoint, column: str) -> None:
    entry = LedgerEntry.objects.get(index=6)
    changed = bytes(getattr(entry, column)).replace(b'"n":6', b'"n":7')
    if column != "content":
        changed = bytes([changed[0] ^ 1]) + changed[1:]
    administrator(
        f'UPDATE consent_ledgerentry SET {column} = %s WHERE "index" = 6',  # noqa: S608
        changed,
    )
    assert fault() == ("changed", 6)


def test_bytes_that_are_no_entry_are_named(signed: LedgerCheckpoint) -> None:
    administrator(
        'UPDATE consent_ledgerentry SET content = %s WHERE "index" = 2', b"\xff"
    )
    assert fault() == ("changed", 2)


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_removed_entry_is_named(signed: LedgerCheckpoint, place: int) -> None:
    administrator('DELETE FROM consent_ledgerentry WHERE "index" = %s', place)
    assert fault() == ("removed", place)
    shift(place, -1)
    assert fault() == ("removed", place)
    assert exit_code() == 1


def test_entries_cut_off_at_the_end_are_missed(signed: LedgerCheckpoint) -> None:
    administrator('DELETE FROM consent_ledgerentry WHERE "index" >= 6')
    assert fault() == ("removed", 6)


def test_an_emptied_ledger_is_noticed(signed: LedgerCheckpoint) -> None:
    administrator("DELETE FROM consent_ledgerentry")
    assert fault() == ("removed", 0)


def test_an_inserted_entry_is_named(signed: LedgerCheckpoint) -> None:
    shift(4, 1)
    leaf, peaks, content = forged(4)
    LedgerEntry.objects.create(
        index=4,
        kind="forged",
        content=content,
        leaf_hash=leaf,
        peaks=peaks,
        at=LedgerEntry.objects.get(index=0).at,
    )
    assert fault() == ("inserted", 4)
    assert exit_code() == 1


def forged(index: int) -> tuple[bytes, bytes, bytes]:
    """An entry nobody wrote, hashed as if it were number index."""
    content = json.dumps({"index": index, "kind": "forged", "subject": ""}).encode()
    leaf = merkle.leaf_hash(content)
    before = LedgerEntry.objects.get(index=index - 1).peak_list
    peaks = merkle.peaks_append(before, size=index, leaf=leaf)
    return leaf, b"".join(peaks), content


@pytest.mark.parametrize(("first", "agreed"), [(2, 0), (6, 5)])
def test_a_ledger_written_anew_is_a_fork(
    signed: LedgerCheckpoint, first: int, agreed: int
) -> None:
    rewrite(first, 8)
    assert fault() == ("fork", agreed)
    assert exit_code() == 3


def test_without_its_signed_checkpoints_one_kept_elsewhere_shows_the_fork(
    signed: LedgerCheckpoint, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_text(signed.note)
    assert exit_code(kept) == 0
    administrator("DELETE FROM consent_ledgercheckpoint")
    rewrite(3, 9)
    # Nothing in the house tells any more: every hash fits.
    assert exit_code() == 0
    assert exit_code(kept) == 3


def test_a_checkpoint_nobody_signed_is_named(signed: LedgerCheckpoint) -> None:
    note = checkpoint_sign(
        size=8, root=signed.root, signer=LedgerSigner.new(ledger_key().name)
    )
    administrator("UPDATE consent_ledgercheckpoint SET note = %s WHERE size = 8", note)
    assert fault() == ("checkpoint", 8)
    assert exit_code() == 3


def test_a_checkpoint_put_at_another_size_is_named(signed: LedgerCheckpoint) -> None:
    administrator("UPDATE consent_ledgercheckpoint SET size = 7 WHERE size = 8")
    assert fault() == ("checkpoint", 7)


def test_given_checkpoints_must_be_of_this_house(
    signed: LedgerCheckpoint, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    assert exit_code(kept) == 2
    for content in (b"\xff", b"hello", b""):
        kept.write_bytes(content)
        assert exit_code(kept) == 2
    other = LedgerSigner.new("other/ledger")
    kept.write_text(checkpoint_sign(size=8, root=signed.root, signer=other))
    assert exit_code(kept) == 2


def test_a_given_checkpoint_may_be_of_the_past_but_not_of_the_future(
    signed: LedgerCheckpoint, tmp_path: Path
) -> None:
    notes = []
    for size in (5, 9):
        kept = tmp_path / str(size)
        root = LedgerEntry.objects.get(index=4).root
        kept.write_text(checkpoint_sign(size=size, root=root, signer=ledger_signer()))
        notes.append(kept)
    assert exit_code(notes[0]) == 0
    assert exit_code(*notes) == 1


@pytest.mark.django_db(transaction=True)
def test_entries_may_be_written_meanwhile(settings: Any) -> None:
    settings.CHECKPOINT_EVERY_S = 0
    append(0)
    done = threading.Event()

    def write() -> None:
        try:
            for number in range(40):
                append(number)
        finally:
            done.set()
            connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    sizes = []
    while not done.is_set():
        sizes.append(ledger_verify(key=ledger_key())[0])
    writer.join()
    assert ledger_verify(key=ledger_key())[0] == 41
    assert sizes == sorted(sizes)


@pytest.mark.django_db(transaction=True)
def test_other_processes_may_write_meanwhile() -> None:
    append(0)
    script = (
        "import django; django.setup()\n"
        "from consent.services.ledger import ledger_append\n"
        "for n in range(20): ledger_append(kind='tested', payload={}, acting_user=None)"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", script], cwd=REPOSITORY, env=manage_environment()
        )
        for _ in range(2)
    ]
    while any(writer.poll() is None for writer in writers):
        ledger_verify(key=ledger_key())
    assert [writer.returncode for writer in writers] == [0, 0]
    assert ledger_verify(key=ledger_key())[0] == 41
    assert exit_code() == 0


def many(count: int) -> Iterator[LedgerEntry]:
    """Entries as ledger_append makes them, without a query each."""
    last, now = None, datetime(2026, 11, 21, tzinfo=UTC)
    for number in range(count):
        last = entry_after(
            last, kind="tested", subject="", payload={"n": number}, by=None, at=now
        )
        yield last


@pytest.mark.slow
def test_a_hundred_thousand_entries_are_read_in_constant_memory(db: None) -> None:
    entries = many(100_000)
    while batch := list(islice(entries, 2000)):
        LedgerEntry.objects.bulk_create(batch)
    made = checkpoint_make()
    assert made
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size, root = ledger_verify(key=ledger_key())
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_kib
    assert (size, root) == (100_000, verify_checkpoint(made.note, ledger_key()).root)
    # Their contents alone are 15 MB.
    assert grown_kib < 8 << 10
