"""Whoever an act concerns hears of it by e-mail, once it is committed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from consent.models import Grant
from consent.services.grants import grant_decline, grant_return
from consent.services.software import software_grant_revoke, software_grant_sign
from lipweb.pages.inbox import inbox_of
from tests.consent.conftest import Cast

MakeGrant = Callable[..., Grant]
Committed = Callable[..., Any]


def answer(cast: Cast, grant: Grant, how: str) -> None:
    device = {"authenticator": cast.authenticator, "acting_user": cast.actor_user}
    if how == "signed":
        software_grant_sign(grant=grant, **device)
    elif how == "declined":
        grant_decline(grant=grant, acting_user=cast.actor_user)
    else:
        grant_return(grant=grant, acting_user=cast.actor_user, reason="Narrower.")


def test_the_actor_hears_of_a_question(
    cast: Cast, propose: MakeGrant, django_capture_on_commit_callbacks: Committed
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        grant = propose()
        assert not mail.outbox
    (message,) = [m for m in mail.outbox if not m.attachments]
    assert message.to == [cast.actor_user.email]
    assert f"/grants/{grant.id}/" in message.body


@pytest.mark.parametrize("how", ["signed", "declined", "returned"])
def test_the_producer_hears_the_answer_and_no_reviewer_does(
    cast: Cast,
    propose: MakeGrant,
    how: str,
    django_capture_on_commit_callbacks: Committed,
) -> None:
    grant = propose()
    with django_capture_on_commit_callbacks(execute=True):
        answer(cast, grant, how)
    (message,) = [m for m in mail.outbox if not m.attachments]
    assert message.to == [cast.producer.email]
    assert message.subject.endswith(f"consent {how}")


def test_the_producer_hears_of_a_withdrawal(
    cast: Cast, sign: MakeGrant, django_capture_on_commit_callbacks: Committed
) -> None:
    grant = sign()
    with django_capture_on_commit_callbacks(execute=True):
        software_grant_revoke(
            grant=grant,
            authenticator=cast.authenticator,
            acting_user=cast.actor_user,
        )
    (message,) = [m for m in mail.outbox if not m.attachments]
    assert "withdrawn" in message.body


def test_what_waits_for_whom_stands_in_their_inbox(
    cast: Cast, propose: MakeGrant, sign: MakeGrant
) -> None:
    grant = propose()
    assert [thing.word for thing in inbox_of(cast.actor_user)] == ["To answer"]
    assert inbox_of(cast.producer) == []
    answer(cast, grant, "returned")
    assert inbox_of(cast.actor_user) == []
    assert [thing.word for thing in inbox_of(cast.producer)] == ["Sent back"]


def test_a_consent_that_ends_soon_stands_in_the_producers_inbox(
    cast: Cast, sign: MakeGrant
) -> None:
    now = timezone.now()
    sign(ends_at=now + timedelta(days=31))
    assert inbox_of(cast.producer) == []
    sign(ends_at=now + timedelta(days=7, hours=1))
    (waiting,) = inbox_of(cast.producer)
    assert waiting.sentence == "This consent ends in 7 days."
