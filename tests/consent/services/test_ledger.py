"""The ledger only grows, in code and in the database, and notices any change."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from consent import merkle
from consent.errors import LedgerBroken
from consent.models import LedgerEntry
from consent.services.ledger import (
    ledger_append,
    ledger_inclusion_proof,
    ledger_root,
)
from consent.services.ledger_verify import ledger_verify

MIGRATIONS: Any = [
    import_module(f"consent.migrations.{name}")
    for name in ("0004_ledger_checkpoints", "0002_ledger_is_append_only")
]


def append(number: int) -> LedgerEntry:
    return ledger_append(
        kind="tested", subject=str(number), payload={"n": number}, acting_user=None
    )


@pytest.fixture
def five(db: None) -> list[LedgerEntry]:
    return [append(number) for number in range(5)]


@pytest.fixture
def unlocked(five: list[LedgerEntry]) -> None:
    unlock()


def unlock() -> None:
    """Take the triggers away, as an administrator of the database could."""
    with connection.cursor() as cursor:
        for migration in MIGRATIONS:
            for statement in migration.STATEMENTS[connection.vendor][1]:
                cursor.execute(statement)


def tamper(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_an_empty_ledger_has_the_empty_root(db: None) -> None:
    assert ledger_root() == (0, merkle.EMPTY_ROOT) == ledger_verify()


def test_entries_follow_each_other(five: list[LedgerEntry]) -> None:
    assert [entry.index for entry in five] == [0, 1, 2, 3, 4]
    leaves = [bytes(entry.leaf_hash) for entry in five]
    assert ledger_root() == (5, merkle.tree_root(leaves)) == ledger_verify()
    assert five[2].payload == {"n": 2}
    assert list(LedgerEntry.objects.about("2", "4")) == [five[2], five[4]]


def test_an_entry_says_who_acted_but_not_their_name(cast: Any) -> None:
    entry = ledger_append(kind="tested", payload={}, acting_user=cast.producer)
    assert entry.document["by"] == cast.producer.pk
    everything = b"".join(bytes(row.content) for row in LedgerEntry.objects.all())
    for name in (b"Robin", b"robin", b"Paula", b"Harbour", b"example.com"):
        assert name not in everything


def test_an_entry_can_be_proved(five: list[LedgerEntry]) -> None:
    size, proof = ledger_inclusion_proof(five[3])
    merkle.verify_inclusion(
        leaf=merkle.leaf_hash(bytes(five[3].content)),
        index=3,
        size=size,
        proof=proof,
        root=ledger_root()[1],
    )


def test_an_act_that_fails_leaves_no_entry(five: list[LedgerEntry]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        append(5)
        raise RuntimeError
    assert ledger_root()[0] == 5


def test_code_cannot_change_an_entry(five: list[LedgerEntry]) -> None:
    entries = LedgerEntry.objects.all()
    attempts = [
        five[1].save,
        five[1].delete,
        entries.delete,
        lambda: entries.update(kind="other"),
        lambda: entries.bulk_update(five, ["kind"]),
    ]
    for attempt in attempts:
        with pytest.raises(LedgerBroken):
            attempt()
    with pytest.raises(DatabaseError), transaction.atomic():
        LedgerEntry(index=1, kind="x", content=b"", leaf_hash=b"", at=five[0].at).save()
    assert ledger_verify()[0] == 5


STATEMENTS = [
    "UPDATE consent_ledgerentry SET kind = 'other'",
    "DELETE FROM consent_ledgerentry",
    'DELETE FROM consent_ledgerentry WHERE "index" = 4',
]
BY_VENDOR = {
    "sqlite": [
        "INSERT OR REPLACE INTO consent_ledgerentry SELECT * FROM consent_ledgerentry"
    ],
    "postgresql": [
        "TRUNCATE consent_ledgerentry CASCADE",
        "INSERT INTO consent_ledgerentry SELECT * FROM consent_ledgerentry "
        "ON CONFLICT (\"index\") DO UPDATE SET kind = 'other'",
    ],
}


def test_the_database_refuses_changes_too(five: list[LedgerEntry]) -> None:
    for statement in STATEMENTS + BY_VENDOR[connection.vendor]:
        with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
            tamper(statement)
    assert ledger_verify()[0] == 5


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE consent_ledgerentry SET kind = 'x' WHERE \"index\" = 3", 3),
        ("UPDATE consent_ledgerentry SET subject = 'x' WHERE \"index\" = 0", 0),
        ('DELETE FROM consent_ledgerentry WHERE "index" = 2', 2),
        ('UPDATE consent_ledgerentry SET "index" = 9 WHERE "index" = 4', 4),
    ],
)
def test_past_the_triggers_a_change_is_noticed(
    unlocked: None, statement: str, place: int
) -> None:
    tamper(statement)
    with pytest.raises(LedgerBroken, match=str(place)):
        ledger_verify()


def test_a_rewritten_entry_is_noticed(unlocked: None, five: list[LedgerEntry]) -> None:
    told = five[1].document | {"payload": {"n": 99}}
    content = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    leaf = merkle.leaf_hash(content)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE consent_ledgerentry SET content = %s, leaf_hash = %s "
            'WHERE "index" = 1',
            [content, leaf],
        )
    with pytest.raises(LedgerBroken, match="Entry 1"):
        ledger_verify()


def test_an_entry_inserted_at_the_end_past_the_code_is_noticed(
    five: list[LedgerEntry],
) -> None:
    LedgerEntry.objects.create(
        index=5,
        kind="forged",
        content=five[4].content,
        leaf_hash=five[4].leaf_hash,
        peaks=five[4].peaks,
        at=five[4].at,
    )
    with pytest.raises(LedgerBroken, match="Entry 5"):
        ledger_verify()


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_make_one_chain() -> None:
    def write(number: int) -> None:
        try:
            with transaction.atomic():
                append(number)
                append(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as writers:
        list(writers.map(write, range(12)))
    assert ledger_verify()[0] == 24
    subjects = [entry.subject for entry in LedgerEntry.objects.all()]
    # Each writer's two entries stand together: it held the ledger to its commit.
    assert subjects[::2] == subjects[1::2]
