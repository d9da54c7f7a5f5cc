"""Whoever an act concerns hears of it by e-mail, once it is committed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone, translation

from consent.models import Grant, Notice, NoticeWish, Project
from consent.notice_words import WORDS, sentence_of, title_of
from consent.services.grants import grant_decline, grant_return
from consent.services.notices import letters_send, notice_wish_keep, use_tell
from consent.services.software import software_grant_revoke, software_grant_sign
from consent.services.withdrawals import (
    grant_suspend,
    suspension_lift,
    suspension_options,
)
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


def kinds_of(user: Any) -> list[str]:
    return list(Notice.objects.filter(user=user).values_list("kind", flat=True))


def suspend_or_lift(cast: Cast, grant: Grant) -> None:
    grant = Grant.objects.get(pk=grant.pk)
    options = suspension_options(grant=grant, acting_user=cast.actor_user)
    act = suspension_lift if grant.suspension else grant_suspend
    assertion = cast.authenticator.get(options)
    act(grant=grant, assertion=assertion, acting_user=cast.actor_user)


def test_the_actors_own_acts_are_confirmed_to_her_by_receipt(
    cast: Cast, sign: MakeGrant, django_capture_on_commit_callbacks: Committed
) -> None:
    grant = sign()
    for event in ("suspended", "lifted"):
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            suspend_or_lift(cast, grant)
        own, house = sorted(mail.outbox, key=lambda one: -len(one.attachments))
        assert (own.to, house.to) == ([cast.actor_user.email], [cast.producer.email])
        assert event in own.subject.lower() and event in house.subject
        assert len(own.attachments) == 2
    assert kinds_of(cast.actor_user) == [
        "own-lifted",
        "own-suspended",
        "own-signed",
        "asked",
    ]
    assert kinds_of(cast.reviewer) == []


def test_a_signature_is_confirmed_by_its_receipt_and_no_second_letter(
    cast: Cast, propose: MakeGrant, django_capture_on_commit_callbacks: Committed
) -> None:
    grant = propose()
    with django_capture_on_commit_callbacks(execute=True):
        answer(cast, grant, "signed")
    (letter,) = [m for m in mail.outbox if m.to == [cast.actor_user.email]]
    assert len(letter.attachments) == 2
    assert "own-signed" in kinds_of(cast.actor_user)


def test_a_mail_server_that_fails_breaks_no_act_and_is_tried_again(
    cast: Cast,
    sign: MakeGrant,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Committed,
) -> None:
    grant = sign()
    Notice.objects.all().delete()
    backend = "django.core.mail.backends.locmem.EmailBackend.send_messages"

    def refuse(*args: Any) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as broken:
        broken.setattr(backend, refuse)
        with django_capture_on_commit_callbacks(execute=True):
            suspend_or_lift(cast, grant)
    assert Grant.objects.get(pk=grant.pk).suspension
    late = Notice.objects.to_mail(Notice.Mail.AT_ONCE)
    assert [notice.user for notice in late] == [cast.producer]
    mail.outbox.clear()
    later = timezone.now() + timedelta(hours=1)
    assert letters_send(now=later) == 1
    assert letters_send(now=later) == 0
    assert [m.to for m in mail.outbox] == [[cast.producer.email]]


def test_a_name_with_a_line_break_in_it_reaches_the_inbox_all_the_same(
    cast: Cast, sign: MakeGrant, django_capture_on_commit_callbacks: Committed
) -> None:
    grant = sign()
    Project.objects.update(name="Harbour\nBcc: all@example.com")
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        suspend_or_lift(cast, grant)
    assert "own-suspended" in kinds_of(cast.actor_user)
    assert all("\n" not in m.subject for m in mail.outbox)


# Uses: once a day, at once, or not by mail


def a_use(cast: Cast, key: str) -> None:
    use_tell(
        actor=cast.actor,
        kind="use-shown",
        facts={"project": "Harbour", "file": f"The pier {key}", "person": "Rita"},
        path="/me/",
        project=cast.project,
        key=key,
    )


NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_the_uses_of_a_day_are_one_letter(cast: Cast) -> None:
    a_use(cast, "1")
    a_use(cast, "2")
    a_use(cast, "2")  # a second look of the same person is no news
    assert mail.outbox == []
    assert letters_send(now=NOON) == 1
    (letter,) = mail.outbox
    assert letter.subject == "Your face: 2 uses"
    assert "The pier 1 was watched by Rita" in letter.body
    assert "The pier 2 was watched by Rita" in letter.body
    a_use(cast, "3")
    assert letters_send(now=NOON + timedelta(hours=5)) == 0
    assert letters_send(now=NOON + timedelta(hours=24)) == 1


@pytest.mark.parametrize(
    ("zone", "now", "sent"),
    [
        ("UTC", datetime(2026, 12, 1, 7, 59, tzinfo=UTC), 0),
        ("UTC", datetime(2026, 12, 1, 8, tzinfo=UTC), 1),
        ("Europe/Berlin", datetime(2026, 12, 1, 7, tzinfo=UTC), 1),
        ("America/New_York", datetime(2026, 12, 1, 8, tzinfo=UTC), 0),
    ],
)
def test_the_day_of_letters_begins_where_the_house_is(
    cast: Cast, zone: str, now: datetime, sent: int
) -> None:
    a_use(cast, "1")
    with timezone.override(zone):
        assert letters_send(now=now) == sent


def test_who_wants_to_know_at_once_is_told_at_once(
    cast: Cast, django_capture_on_commit_callbacks: Committed
) -> None:
    notice_wish_keep(uses="at-once", acting_user=cast.actor_user)
    with django_capture_on_commit_callbacks(execute=True):
        a_use(cast, "1")
    (letter,) = mail.outbox
    assert letter.subject == "The pier 1 was watched by Rita"
    assert "All your notices" in letter.body
    assert letters_send(now=NOON) == 0


def test_who_wants_no_mail_of_uses_finds_them_in_the_inbox(cast: Cast) -> None:
    notice_wish_keep(uses="none", acting_user=cast.actor_user)
    a_use(cast, "1")
    assert letters_send(now=NOON) == 0
    assert "use-shown" in kinds_of(cast.actor_user)


def test_an_actor_without_a_login_is_told_nothing_and_nothing_breaks(
    cast: Cast,
) -> None:
    cast.actor.user = None
    cast.actor.save()
    a_use(cast, "1")
    assert not Notice.objects.exists()


def test_every_notice_has_words_for_the_facts_it_is_given() -> None:
    facts = dict.fromkeys(
        [
            *("project", "company", "actor", "file", "person"),
            *("reason", "zone", "what", "place"),
        ],
        "X",
    )
    facts["ends_at"] = "2026-12-01T00:00:00+01:00"
    for kind in WORDS:
        said = title_of(kind, facts) + sentence_of(kind, facts)
        assert "%(" not in said
    assert "30 November 2026" in title_of("own-ending", facts)
    facts["ends_at"] = "2026-12-01T14:30:00+01:00"
    assert "1 December 2026, 14:30" in title_of("own-ending", facts)


def test_letters_are_in_the_language_in_which_the_person_last_came_in(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    with translation.override("de"):
        client.force_login(cast.actor_user)
    assert NoticeWish.objects.get(user=cast.actor_user).language == "de"
    seen = []
    monkeypatch.setattr(
        "consent.services.notices._subject",
        lambda notices: seen.append(translation.get_language()) or "Subject",
    )
    a_use(cast, "1")
    assert letters_send(now=NOON) == 1
    assert seen == ["de"]
    client.force_login(cast.actor_user)
    assert NoticeWish.objects.get(user=cast.actor_user).language == "en"
