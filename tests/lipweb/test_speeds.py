"""What measures speed leaves nothing behind, and measures what it says."""

from __future__ import annotations

import re
from functools import partial
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from consent.errors import LedgerBroken
from consent.models import Grant, LedgerEntry
from consent.services.ledger import ledger_append
from consent.services.ledger_verify import ledger_verify
from lipweb.ledger_speed import ledger_measure
from lipweb.management.commands import bench
from lipweb.models import User
from lipweb.policy_speed import policy_measure
from tests.consent.services.test_ledger import unlock

pytestmark = pytest.mark.django_db


def test_the_policy_is_measured_among_grants_that_are_taken_back() -> None:
    speed = policy_measure(grants=20, asked=2, rounds=2)
    assert speed.grants == 22
    assert 0 < speed.round_trip_ms < speed.median_ms <= speed.p95_ms
    assert not Grant.objects.exists()
    assert not LedgerEntry.objects.exists()
    assert not User.objects.exists()


def test_bench_names_the_database_and_says_median_and_p95(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = partial(policy_measure, grants=20, asked=2, rounds=2)
    monkeypatch.setattr(bench, "policy_measure", small)
    monkeypatch.setattr(bench, "ledger_measure", partial(ledger_measure, entries=50))
    # A busy machine may miss the bound: then it is said after the figures.
    monkeypatch.setattr(bench, "MOST_POLICY_MS", 10_000)
    told = StringIO()
    call_command("bench", "--policy", "--ledger", stdout=told)
    policy, ledger = told.getvalue().splitlines()
    assert re.match(
        rf"{connection.vendor}, 22 grants: .* [\d.]+ ms median, [\d.]+ ms p95", policy
    )
    assert ledger.startswith(f"{connection.vendor}, 50 ledger entries: verified in")


def test_the_ledger_is_measured_with_entries_that_are_taken_back() -> None:
    mine = ledger_append(kind="tested", payload={}, acting_user=None)
    speed = ledger_measure(entries=50)
    assert speed.entries == 51
    assert speed.own_work_s > 0
    assert list(LedgerEntry.objects.all()) == [mine]
    assert ledger_verify()[0] == 1


def test_a_ledger_that_is_broken_is_not_measured_but_refused() -> None:
    """So what is measured is the real check."""
    ledger_append(kind="tested", payload={}, acting_user=None)
    unlock()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE consent_ledgerentry SET kind = 'x'")
    with pytest.raises(LedgerBroken, match="Entry 0"):
        ledger_measure(entries=5)
    assert LedgerEntry.objects.count() == 1
