"""A day begins where the house is; a moment is the same one everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone as django_timezone

from consent.errors import ConsentDenied
from consent.forms import day_start, days_of
from consent.models import Grant
from consent.policy import Use, verify
from consent.record import moment_of
from tests.consent.conftest import terms

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("UTC", date(2026, 3, 29), datetime(2026, 3, 29, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("Pacific/Auckland", date(2026, 1, 1), datetime(2025, 12, 31, 11, tzinfo=UTC)),
        ("America/Los_Angeles", date(2026, 1, 1), datetime(2026, 1, 1, 8, tzinfo=UTC)),
    ],
)
def test_a_day_begins_where_the_house_is(
    zone: str, day: date, begins: datetime
) -> None:
    with django_timezone.override(zone):
        assert day_start(day) == begins


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Los_Angeles"])
def test_days_survive_the_way_through_the_record(zone: str) -> None:
    """Across the change of clocks, too."""
    with django_timezone.override(zone):
        first, last = date(2026, 3, 28), date(2026, 3, 29)
        ends = day_start(last + timedelta(days=1))
        assert days_of(terms(starts_at=day_start(first), ends_at=ends)) == (first, last)


def test_the_edges_hold_to_the_second_in_any_zone(
    sign: Callable[..., Grant], use: Callable[..., Use]
) -> None:
    here = timezone(timedelta(hours=13))
    begins = datetime(2026, 6, 1, tzinfo=here)
    ends = datetime(2030, 6, 1, tzinfo=here)
    grant = sign(starts_at=begins, ends_at=ends)
    for moment in (begins, begins.astimezone(UTC), ends - SECOND):
        assert verify(use(moment=moment)) == grant
    outside: Any = {begins - SECOND: "not-yet", ends: "expired"}
    for moment, code in outside.items():
        for told in (moment, moment.astimezone(UTC)):
            with pytest.raises(ConsentDenied) as denied:
                verify(use(moment=told))
            assert [failure.code for failure in denied.value.failures] == [code]


@pytest.fixture
def in_february(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is February 2026: the dates below are to come, and their clocks known."""
    now = datetime(2026, 2, 1, tzinfo=UTC)
    monkeypatch.setattr(django_timezone, "now", lambda: now)


@pytest.mark.usefixtures("in_february")
@pytest.mark.parametrize(
    ("zone", "last_day", "ends"),
    [
        # The night in which Berlin's clocks go back has an hour more, the one in which
        # they go forward an hour less; Lord Howe's change by half an hour.
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 25, 23, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (
            "Australia/Lord_Howe",
            date(2026, 4, 5),
            datetime(2026, 4, 5, 13, 30, tzinfo=UTC),
        ),
        ("UTC", date(2028, 2, 29), datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_the_last_day_is_whole_where_it_was_granted(
    sign: Callable[..., Grant],
    use: Callable[..., Use],
    zone: str,
    last_day: date,
    ends: datetime,
) -> None:
    with django_timezone.override(zone):
        grant = sign(ends_at=day_start(last_day + timedelta(days=1)))
    assert grant.document.terms.ends_at == ends
    # Asked from elsewhere: a moment is the same one everywhere.
    with django_timezone.override("America/Los_Angeles"):
        assert verify(use(moment=ends - SECOND)) == grant
        with pytest.raises(ConsentDenied, match="ran to"):
            verify(use(moment=ends))


@pytest.mark.usefixtures("in_february")
def test_an_hour_that_comes_twice_is_two_moments(
    sign: Callable[..., Grant], use: Callable[..., Use]
) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first, second = (
        datetime(2026, 10, 25, 2, 30, tzinfo=berlin, fold=fold) for fold in (0, 1)
    )
    sign(ends_at=second.astimezone(UTC))
    verify(use(moment=first))
    with pytest.raises(ConsentDenied, match="ran to"):
        verify(use(moment=second))


def test_a_record_knows_no_leap_second() -> None:
    """UTC as computers keep it has none; such a text is not a moment of a record."""
    with pytest.raises(ValueError, match="second"):
        moment_of("2026-12-31T23:59:60Z")
