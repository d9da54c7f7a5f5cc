"""The house signs its ledger as it grows, once a size, and never a second one."""

from __future__ import annotations

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, connections, transaction

from consent import merkle
from consent.checkpoint import verify_checkpoint
from consent.errors import LedgerBroken
from consent.models import LedgerCheckpoint, LedgerEntry
from consent.services.checkpoints import (
    KEY_FILE,
    checkpoint_covering,
    checkpoint_current,
    checkpoint_make,
    ledger_key,
    ledger_signer,
)
from consent.services.ledger import ledger_consistency_proof, ledger_root
from tests.consent.services.test_ledger import append, unlock


@pytest.fixture
def five(db: None) -> list[LedgerEntry]:
    return [append(number) for number in range(5)]


def signed() -> LedgerCheckpoint:
    made = checkpoint_make()
    assert made
    return made


def test_the_key_is_made_once_for_its_owner_alone(
    settings: Any, tmp_path: Path
) -> None:
    settings.KEYS_DIR = tmp_path / "keys"
    with ThreadPoolExecutor(max_workers=4) as pool:
        keys = set(pool.map(lambda _: ledger_signer().text, range(8)))
    assert len(keys) == 1
    path = settings.KEYS_DIR / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in settings.KEYS_DIR.iterdir()] == [KEY_FILE]


def test_the_key_keeps_its_name_when_the_house_moves(settings: Any) -> None:
    before = ledger_key()
    settings.SITE_URL = "https://elsewhere.example.com"
    assert ledger_key() == before


def test_an_empty_ledger_is_not_signed(db: None) -> None:
    assert checkpoint_make() is None
    assert checkpoint_current() is None


def test_a_checkpoint_says_the_ledgers_size_and_root(five: list[LedgerEntry]) -> None:
    made = signed()
    checkpoint = verify_checkpoint(made.note, ledger_key())
    assert (checkpoint.size, checkpoint.root) == ledger_root()
    assert signed() == made
    assert LedgerCheckpoint.objects.count() == 1


def test_each_checkpoint_grows_out_of_the_one_before(five: list[LedgerEntry]) -> None:
    first = signed()
    append(5)
    second = signed()
    merkle.verify_consistency(
        first=first.size,
        first_root=first.root,
        second=second.size,
        second_root=second.root,
        proof=ledger_consistency_proof(first=first.size, second=second.size),
    )


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (3, 6), (6, 7)])
def test_growth_that_was_not_cannot_be_proved(
    five: list[LedgerEntry], first: int, second: int
) -> None:
    with pytest.raises(LedgerBroken):
        ledger_consistency_proof(first=first, second=second)


def test_entries_wait_a_while_for_a_checkpoint(
    five: list[LedgerEntry],
    settings: Any,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    settings.CHECKPOINT_EVERY_S = 3600
    for number, size in ((5, 6), (6, 6)):
        with django_capture_on_commit_callbacks(execute=True):
            append(number)
        newest = LedgerCheckpoint.objects.last()
        assert newest and newest.size == size
    settings.CHECKPOINT_EVERY_S = 0
    assert getattr(checkpoint_current(), "size", 0) == 7


def test_an_entry_can_be_covered_at_once(five: list[LedgerEntry]) -> None:
    assert checkpoint_covering(entry=3).size == 5
    append(5)
    assert checkpoint_covering(entry=3).size == 5
    assert checkpoint_covering(entry=5).size == 6


def test_a_rewritten_ledger_is_not_signed(five: list[LedgerEntry]) -> None:
    signed()
    unlock()
    with connection.cursor() as cursor:
        cursor.execute('DELETE FROM consent_ledgerentry WHERE "index" >= 3')
    for number in (103, 104, 105):
        append(number)
    with pytest.raises(LedgerBroken):
        checkpoint_make()
    with pytest.raises(CommandError, match="Nothing was signed"):
        call_command("checkpoint")
    assert LedgerCheckpoint.objects.count() == 1


def test_a_shortened_ledger_is_not_signed(five: list[LedgerEntry]) -> None:
    signed()
    unlock()
    with connection.cursor() as cursor:
        cursor.execute('DELETE FROM consent_ledgerentry WHERE "index" >= 3')
    with pytest.raises(LedgerBroken):
        checkpoint_make()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_signed_that_may_still_be_undone() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        append(0)
        checkpoint_make()
    assert not LedgerCheckpoint.objects.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_ledgercheckpoint SET note = ''",
        "DELETE FROM consent_ledgercheckpoint",
    ],
)
def test_the_database_keeps_what_was_signed(
    five: list[LedgerEntry], statement: str
) -> None:
    signed()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as c:
        c.execute(statement)
    assert LedgerCheckpoint.objects.count() == 1


def test_the_command_prints_or_writes_the_note(
    five: list[LedgerEntry], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("checkpoint")
    printed = capsys.readouterr().out
    call_command("checkpoint", export=tmp_path / "note")
    assert (tmp_path / "note").read_text() == printed == signed().note


@pytest.mark.django_db(transaction=True)
def test_writers_and_signers_do_not_get_in_each_others_way(settings: Any) -> None:
    settings.CHECKPOINT_EVERY_S = 0

    def write(number: int) -> None:
        append(number)
        connections.close_all()

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(write, range(16)))
    final = signed()
    assert final.size == 16
    earlier = list(LedgerCheckpoint.objects.all())
    assert len(earlier) > 1
    for one in earlier:
        verify_checkpoint(one.note, ledger_key())
        merkle.verify_consistency(
            first=one.size,
            first_root=one.root,
            second=final.size,
            second_root=final.root,
            proof=ledger_consistency_proof(first=one.size, second=final.size),
        )
