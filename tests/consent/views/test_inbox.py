"""Everybody has an inbox of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse

from consent.models import Grant, Notice, NoticeWish
from tests.consent.conftest import Cast
from tests.consent.views.test_pages import as_user, words

MakeGrant = Callable[..., Grant]
INBOX = "/inbox/"


def test_a_notice_leads_to_what_it_is_about_and_is_read_from_then_on(
    cast: Cast, propose: MakeGrant
) -> None:
    grant, client = propose(), as_user(cast.actor_user)
    page = words(client.get(INBOX))
    assert "Meridian asks for your consent in Harbour Lights" in page
    assert "One notice is new." in page
    notice = Notice.objects.get(user=cast.actor_user)
    led = client.get(reverse("consent:notice", args=[notice.id]))
    assert led.url == reverse("consent:grant", args=[grant.id])
    assert "You have read everything." in words(client.get(INBOX))
    assert "asks for your consent" not in words(client.get(f"{INBOX}?unread=1"))


def test_an_inbox_is_nobody_elses(cast: Cast, propose: MakeGrant) -> None:
    propose()
    notice = Notice.objects.get(user=cast.actor_user)
    for user in (cast.producer, cast.reviewer, cast.stranger):
        client = as_user(user)
        assert "asks for your consent" not in words(client.get(INBOX))
        address = reverse("consent:notice", args=[notice.id])
        assert client.get(address).status_code == 404
        client.post(f"{INBOX}read/")
    notice.refresh_from_db()
    assert notice.read_at is None


def test_what_is_new_is_counted_in_the_menu_of_every_page(
    cast: Cast, propose: MakeGrant
) -> None:
    propose()
    propose()
    client = as_user(cast.actor_user)
    assert '<span class="count">2' in words(client.get("/me/"))
    client.post(f"{INBOX}read/")
    assert '<span class="count">' not in words(client.get("/me/"))


def test_a_long_inbox_has_pages(cast: Cast) -> None:
    for number in range(21):
        Notice.objects.create(
            user=cast.stranger, kind="own-exported", key=str(number), path="/me/data/"
        )
    client = as_user(cast.stranger)
    first, second = client.get(INBOX), client.get(f"{INBOX}?page=2")
    assert words(first).count("Everything kept about you was downloaded") == 20
    assert words(second).count("Everything kept about you was downloaded") == 1
    assert "Page 1 of 2" in words(first)


@pytest.mark.parametrize("uses", ["none", "daily", "at-once"])
def test_how_much_mail_comes_is_the_actors_choice(cast: Cast, uses: str) -> None:
    client = as_user(cast.actor_user)
    client.post(f"{INBOX}mail/", {"uses": uses})
    assert NoticeWish.objects.get(user=cast.actor_user).uses == uses
    assert f'value="{uses}" checked' in words(client.get(INBOX))


def test_a_choice_that_is_not_offered_is_refused(cast: Cast) -> None:
    client = as_user(cast.actor_user)
    assert client.post(f"{INBOX}mail/", {"uses": "sometimes"}).status_code == 403
    assert not NoticeWish.objects.filter(uses="sometimes").exists()
