"""What is public of the ledger: hashes, proofs and signatures, never a content."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from consent import merkle
from consent.checkpoint import LedgerKey, verify_checkpoint
from consent.encoding import base64_bytes
from consent.services.checkpoints import checkpoint_make
from tests.consent.services.test_ledger import append


@pytest.fixture
def grown(db: None) -> tuple[str, str]:
    """A ledger of five entries, signed at two and at five; the two notes."""
    notes = []
    for size in (2, 5):
        for number in range(len(notes) and 2, size):
            append(number)
        made = checkpoint_make()
        assert made
        notes.append(made.note)
    return notes[0], notes[1]


def test_anybody_can_check_the_ledgers_growth(
    client: Client, grown: tuple[str, str]
) -> None:
    key = LedgerKey.from_text(client.get("/ledger/key").content.decode().strip())
    assert client.get("/ledger/checkpoint").content.decode() == grown[1]
    assert client.get("/ledger/checkpoints/2").content.decode() == grown[0]
    first, second = (verify_checkpoint(note, key) for note in grown)
    told = json.loads(client.get("/ledger/consistency?from=2&to=5").content)
    merkle.verify_consistency(
        first=2,
        first_root=first.root,
        second=5,
        second_root=second.root,
        proof=[base64_bytes(node) for node in told["proof"]],
    )
    listed = json.loads(client.get("/ledger/checkpoints").content)
    assert [one["note"] for one in listed["checkpoints"]] == [grown[1], grown[0]]
    assert (listed["key"], listed["next"]) == (key.text, None)
    older = json.loads(client.get("/ledger/checkpoints?before=5").content)
    assert [one["size"] for one in older["checkpoints"]] == [2]


def test_an_entry_is_proved_without_its_content(
    client: Client, grown: tuple[str, str]
) -> None:
    answer = client.get("/ledger/entries/3/proof")
    told = json.loads(answer.content)
    key = LedgerKey.from_text(client.get("/ledger/key").content.decode().strip())
    point = verify_checkpoint(told["checkpoint"], key)
    merkle.verify_inclusion(
        leaf=base64_bytes(told["leaf_hash"]),
        index=3,
        size=point.size,
        proof=[base64_bytes(node) for node in told["proof"]],
        root=point.root,
    )
    assert b"tested" not in answer.content


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/ledger/consistency", 400),
        ("/ledger/consistency?from=0&to=5", 400),
        ("/ledger/consistency?from=4&to=6", 400),
        ("/ledger/consistency?from=x", 400),
        ("/ledger/checkpoints?before=-1", 400),
        ("/ledger/checkpoints/3", 404),
        ("/ledger/entries/9/proof", 404),
    ],
)
def test_what_is_not_there_is_not_answered(
    client: Client, grown: tuple[str, str], address: str, status: int
) -> None:
    assert client.get(address).status_code == status


def test_an_empty_ledger_has_no_checkpoint(client: Client, db: None) -> None:
    assert client.get("/ledger/checkpoint").status_code == 404
