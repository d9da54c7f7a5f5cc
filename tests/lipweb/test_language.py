"""A page is in the language its reader chose, or else their browser's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from consent.models import Actor, Project
from lipweb.models import User

pytestmark = pytest.mark.django_db
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-AT,de;q=0.9,en;q=0.5"}
SignedIn = Callable[[User], Client]


def text(page: Any) -> str:
    return str(page.content.decode())


@pytest.mark.parametrize("address", ["/login/", "/", "/no-such-page/"])
def test_a_browser_is_answered_in_its_language(client: Client, address: str) -> None:
    page = client.get(address, **GERMAN)
    assert '<html lang="de">' in text(page)
    assert page["Content-Language"] == "de"
    assert "Anmelden" in text(page)
    assert '<html lang="en">' in text(client.get(address))
    assert '<html lang="en">' in text(
        client.get(address, HTTP_ACCEPT_LANGUAGE="fr, ja;q=0.9")
    )


def test_caches_know_what_a_page_depends_on(client: Client) -> None:
    vary = client.get("/login/")["Vary"]
    assert "Accept-Language" in vary and "Cookie" in vary


def test_no_language_outlives_its_request(client: Client) -> None:
    client.get("/login/", **GERMAN)
    assert translation.get_language() == "en"


def test_a_visitor_chooses_without_a_login(client: Client) -> None:
    page = text(client.get("/login/"))
    assert re.search(r'<button[^>]*value="de" lang="de">Deutsch</button>', page)
    back = client.post("/language/", {"language": "de", "next": "/login/"})
    assert back.url == "/login/"
    assert '<html lang="de">' in text(client.get("/login/"))
    assert 'value="en" lang="en">English</button>' in text(client.get("/login/"))


def test_what_a_person_chose_holds_in_every_browser(
    signed_in: SignedIn, actor: Actor, actor_user: User
) -> None:
    signed_in(actor_user).post("/language/", {"language": "de", "next": "/me/"})
    actor_user.refresh_from_db()
    assert actor_user.language == "de"
    page = signed_in(actor_user).get("/me/", HTTP_ACCEPT_LANGUAGE="en")
    assert "Meine Einwilligungen" in text(page)


def test_an_actors_pages_about_their_face_are_in_their_language(
    signed_in: SignedIn, actor: Actor, actor_user: User
) -> None:
    page = signed_in(actor_user).get("/me/faces/", **GERMAN)
    assert "Mein Gesicht" in text(page)
    assert page["Content-Language"] == "de"
    assert 'lang="en">English</button>' in text(page)


def test_an_unknown_language_is_not_kept(signed_in: SignedIn, actor_user: User) -> None:
    signed_in(actor_user).post("/language/", {"language": "../de", "next": "/me/"})
    actor_user.refresh_from_db()
    assert actor_user.language == ""


@pytest.mark.parametrize("there", ["https://evil.example/", "//evil.example", ""])
def test_the_way_back_stays_in_the_house(client: Client, there: str) -> None:
    assert client.post("/language/", {"language": "de", "next": there}).url == "/"


def test_a_choice_is_not_made_by_a_link(client: Client) -> None:
    assert client.get("/language/", {"language": "de"}).status_code == 405


def test_pages_for_those_who_work_here_are_english_throughout(
    signed_in: SignedIn, producer: User, project: Project
) -> None:
    client = signed_in(producer)
    for address in ("/", f"/projects/{project.id}/", f"/projects/{project.id}/actors/"):
        page = client.get(address, **GERMAN)
        assert '<html lang="en">' in text(page)
        assert "Abmelden" not in text(page)
        assert "Deutsch</button>" not in text(page), "there is nothing to choose"
        assert page["Content-Language"] == "en"
