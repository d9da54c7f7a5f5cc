"""What a dub holds is said by a producer, and kept against what actors exclude."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.errors import ConsentDenied
from consent.models import Actor, Grant, LedgerEntry, Project
from consent.record import CONTENT
from consent.sentences import CONTENT_WORDS
from lipweb.models import User
from synthesis.errors import SynthesisError
from synthesis.models import Dub, Render
from synthesis.services.consents import dub_verify, render_verify
from synthesis.services.renders import render_queue
from synthesis.services.scenes import dub_declare
from tests.synthesis.production import grant_signed

SignIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignIn, producer: User) -> Client:
    return signed_in(producer)


@pytest.fixture
def grant(project: Project, actor: Actor, producer: User, passkey: Any) -> Grant:
    excluded = ("politics", "violence", "any war film")
    return grant_signed(project, actor, producer, passkey, excluded_content=excluded)


def say(client: Client, dub: Dub, *content: str) -> str:
    """What the producer's form sends; the page that follows, as text."""
    url = reverse("synthesis:dub_content", args=[dub.id])
    page = client.post(url, {"content": content}, follow=True)
    return " ".join(page.content.decode().split())


def scene_page(client: Client, dub: Dub) -> str:
    page = client.get(reverse("synthesis:scene", args=[dub.scene_id]))
    return " ".join(page.content.decode().split())


def failed(dub: Dub) -> list[str]:
    with pytest.raises(ConsentDenied) as denied:
        dub_verify(Dub.objects.get(pk=dub.pk))
    return [failure.code for failure in denied.value.failures]


def declared() -> list[tuple[Any, Any, Any]]:
    """Who said what and what was said before, from the ledger."""
    entries = LedgerEntry.objects.filter(kind="dub-content-declared").order_by("index")
    return [
        (
            one.document["by"],
            one.document["payload"]["before"],
            one.document["payload"]["content"],
        )
        for one in entries
    ]


def test_every_kind_has_its_words() -> None:
    assert tuple(CONTENT_WORDS) == CONTENT


def test_the_page_asks_what_a_dub_holds_with_nothing_ticked(
    client: Client, dub: Dub, grant: Grant
) -> None:
    page = scene_page(client, dub)
    assert page.count('name="content"') == len(CONTENT)
    assert "checked" not in page.partition('name="content"')[2].partition("</form>")[0]
    assert "nobody has said yet whether this holds any of it" in page
    assert f'href="#content-{dub.id}"' in page
    assert "never with politics, violence and any war film." in page
    assert failed(dub) == ["content-not-said"]


def test_a_dub_that_holds_none_of_it_may_be_rendered(
    client: Client, dub: Dub, grant: Grant, producer: User
) -> None:
    page = say(client, dub)
    assert f"None of what can be excluded, as {producer} said on" in page
    assert dub_verify(Dub.objects.get()) == [grant]
    assert declared() == [(producer.pk, None, [])]


def test_a_dub_that_holds_what_is_excluded_is_not_rendered(
    client: Client, dub: Dub, grant: Grant, producer: User
) -> None:
    page = say(client, dub, "violence", "sex")
    assert "The grant is never for violence, and this holds it." in page
    assert "Sex and violence, as" in page
    assert page.count("checked") >= 2
    assert failed(dub) == ["excluded-content"]
    with pytest.raises(ConsentDenied, match="never for violence"):
        render_queue(dub=Dub.objects.get(), acting_user=producer)
    assert not Render.objects.exists()


def test_what_is_said_later_closes_files_made_before(
    dub: Dub, grant: Grant, producer: User
) -> None:
    dub_declare(dub=dub, content=[], acting_user=producer)
    state = Render.State.READY
    made = Render.objects.create(dub=dub, version=1, state=state, requested_by=producer)
    made.grants.add(grant)
    assert render_verify(made) == [grant]
    dub_declare(dub=dub, content=["politics"], acting_user=producer)
    with pytest.raises(ConsentDenied, match="never for politics"):
        render_verify(Render.objects.get())


def test_each_change_is_logged_and_what_changes_nothing_is_not(
    dub: Dub, grant: Grant, producer: User
) -> None:
    for content in (["sex"], ["sex"], []):
        dub_declare(dub=dub, content=content, acting_user=producer)
    by = producer.pk
    assert declared() == [(by, None, ["sex"]), (by, ["sex"], [])]


def test_nothing_is_said_anew_while_a_render_is_under_way(
    client: Client, dub: Dub, grant: Grant, producer: User
) -> None:
    Render.objects.create(
        dub=dub, version=1, state=Render.State.QUEUED, requested_by=producer
    )
    assert "A render of this scene is under way" in say(client, dub, "sex")
    assert Dub.objects.get().content is None
    assert declared() == []


def test_no_other_kind_is_taken(
    client: Client, dub: Dub, grant: Grant, producer: User
) -> None:
    assert "boxing" in say(client, dub, "boxing")
    with pytest.raises(SynthesisError, match="among the kinds"):
        dub_declare(dub=dub, content=["boxing"], acting_user=producer)
    assert Dub.objects.get().content is None


def test_reviewers_read_it_and_cannot_say_it(
    signed_in: SignIn, reviewer: User, dub: Dub, grant: Grant
) -> None:
    page = scene_page(signed_in(reviewer), dub)
    assert "any war film" in page
    assert 'name="content"' not in page
