"""Actor and producers hear 30, 7 and 1 days before a consent ends, once each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from consent.models import Grant, Notice
from consent.services.expiry import expiry_tell, step_due
from consent.services.software import software_grant_revoke
from tests.consent.conftest import Cast

MakeGrant = Callable[..., Grant]
DAY = timedelta(days=1)


@pytest.fixture
def ending(sign: MakeGrant) -> Grant:
    """A consent signed now that ends in 90 days."""
    grant = sign()
    Notice.objects.all().delete()
    return grant


def told(grant: Grant, now: datetime) -> list[str]:
    """Who is told at that moment."""
    before = set(Notice.objects.values_list("pk", flat=True))
    expiry_tell(now=now)
    new = Notice.objects.exclude(pk__in=before)
    return sorted(new.values_list("user__name", flat=True))


def test_each_step_is_told_once_to_the_actor_and_the_producer(
    ending: Grant,
) -> None:
    end = ending.document.terms.ends_at
    both = ["Paula", "Robin"]
    minute = timedelta(minutes=1)
    assert told(ending, end - 31 * DAY) == []
    for days in (30, 7, 1):
        assert told(ending, end - days * DAY - minute) == []
        assert told(ending, end - days * DAY) == both
        assert told(ending, end - days * DAY + minute) == []
    assert told(ending, end) == []
    assert Notice.objects.count() == 6


def test_of_steps_that_were_missed_only_the_last_is_told(ending: Grant) -> None:
    end = ending.document.terms.ends_at
    assert told(ending, end - timedelta(hours=20)) == ["Paula", "Robin"]
    assert told(ending, end - timedelta(hours=19)) == []
    assert set(Notice.objects.values_list("kind", flat=True)) == {
        "ending",
        "own-ending",
    }


def test_who_has_just_signed_for_a_week_is_not_told_that_it_ends_in_a_month(
    sign: MakeGrant,
) -> None:
    grant = sign(ends_at=timezone.now().replace(microsecond=0) + 6 * DAY)
    assert told(grant, timezone.now()) == []
    end = grant.document.terms.ends_at
    assert told(grant, end - DAY) == ["Paula", "Robin"]


def test_a_withdrawn_consent_ends_without_a_word(cast: Cast, ending: Grant) -> None:
    software_grant_revoke(
        grant=ending, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    assert told(ending, ending.document.terms.ends_at - DAY) == []


def test_days_are_those_of_the_house_where_summer_time_ends(sign: MakeGrant) -> None:
    # Midnight in Berlin after 25 October 2026, on which the day has 25 hours.
    end = datetime(2026, 10, 25, 23, tzinfo=UTC)
    grant = sign(ends_at=timezone.now() + 90 * DAY)
    grant.signed_at = datetime(2026, 1, 1, tzinfo=UTC)
    grant.document.terms.__dict__["ends_at"] = end
    with timezone.override("Europe/Berlin"):
        assert step_due(grant, datetime(2026, 10, 24, 21, 59, tzinfo=UTC)) == 7
        assert step_due(grant, datetime(2026, 10, 24, 22, tzinfo=UTC)) == 1
    with timezone.override("UTC"):
        assert step_due(grant, datetime(2026, 10, 24, 22, tzinfo=UTC)) == 7
        assert step_due(grant, datetime(2026, 10, 24, 23, tzinfo=UTC)) == 1


def test_the_day_named_is_the_last_one_where_the_house_is(ending: Grant) -> None:
    expiry_tell(now=ending.document.terms.ends_at - DAY)
    notice = Notice.objects.get(kind="own-ending")
    end = ending.document.terms.ends_at
    assert f"ends on {end.day} {end:%B %Y}, {end:%H:%M}" in notice.title
    assert "reckoned in UTC" in notice.sentence


def test_the_command_tells_and_mails(
    ending: Grant, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    end = ending.document.terms.ends_at
    monkeypatch.setattr(timezone, "now", lambda: end - 7 * DAY + timedelta(hours=1))
    call_command("sendnotices")
    assert "Consents told of: 1." in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_the_letter_goes_when_the_notice_is_committed(ending: Grant) -> None:
    mail.outbox.clear()
    expiry_tell(now=ending.document.terms.ends_at - DAY)
    to: list[Any] = sorted(address for m in mail.outbox for address in m.to)
    assert to == ["paula@example.com", "robin@example.com"]
    assert all("ends on" in m.subject for m in mail.outbox)
