"""An actor who reads German reads it everywhere, and signs what she read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from consent.models import Casting, Grant
from consent.seams import Output, seams
from consent.services.actors import actor_invite, invitation_token
from consent.services.software import software_passkey_enrol
from tests.consent.conftest import SCENE, Cast
from tests.consent.views.test_pages import grant_page, options_on, words

MakeGrant = Callable[..., Grant]
# Words that only English pages have; those in names that people typed are left out.
ENGLISH = re.compile(r"\b(the|your|you|with|this|and|consent for|Sign out)\b", re.I)


@pytest.fixture
def german(cast: Cast) -> Client:
    cast.actor_user.language = "de"
    cast.actor_user.save()
    client = Client()
    client.force_login(cast.actor_user)
    return client


def spoken(page: Any) -> str:
    """What a page says: without its head, scripts, addresses and class names."""
    body = words(page).split("<body", 1)[1].replace("The pier", "")
    labels = " ".join(re.findall(r'aria-label="([^"]*)"', body))
    return re.sub(r"<[^>]*>", " ", body) + labels


def signed(cast: Cast, client: Client, grant: Grant, **more: str) -> Any:
    options = options_on(client.get(grant_page(grant)))
    answer = json.dumps(cast.authenticator.get(options))
    address = f"/grants/{grant.id}/sign/"
    return client.post(address, {"response": answer, "locale": "de", **more})


def test_the_signing_page_is_german_throughout(
    german: Client, propose: MakeGrant
) -> None:
    page = german.get(grant_page(propose(output_approval=True)))
    assert '<html lang="de">' in words(page)
    assert '<article class="record" lang="de"' in words(page)
    assert "Mit meinem Passkey unterschreiben" in spoken(page)
    assert "Solange Sie nicht unterschreiben" in spoken(page)
    assert ENGLISH.findall(spoken(page)) == []


def test_what_was_read_is_signed_even_if_the_language_changes_meanwhile(
    cast: Cast, german: Client, propose: MakeGrant
) -> None:
    grant = propose()
    options = options_on(german.get(grant_page(grant)))
    german.post("/language/", {"language": "en"})
    answer = json.dumps(cast.authenticator.get(options))
    german.post(f"/grants/{grant.id}/sign/", {"response": answer, "locale": "de"})
    kept = Grant.objects.get()
    assert kept.document.text.locale == "de"
    # Signed words stay as they were read, on an English page too.
    page = german.get(grant_page(grant))
    assert '<html lang="en">' in words(page)
    assert '<article class="record" lang="de"' in words(page)
    assert "Was Sie erlauben" in spoken(page)


def test_a_page_that_says_it_showed_other_words_signs_nothing(
    cast: Cast, german: Client, propose: MakeGrant
) -> None:
    grant = propose()
    refused = signed(cast, german, grant, locale="en")
    assert refused.status_code == 400
    assert Grant.objects.get().signed_at is None


def test_each_page_of_an_actor_is_german_throughout(
    cast: Cast,
    german: Client,
    propose: MakeGrant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, grant = propose(), propose(output_approval=True)
    software_passkey_enrol(actor=cast.actor, acting_user=cast.actor_user)
    signed(cast, german, grant)
    output = Output(
        title="Pier",
        sha256="ab" * 32,
        grant=Grant.objects.get(pk=grant.pk),
        watch_url="/",
        page="/",
        at=timezone.now(),
        is_approved=False,
    )
    monkeypatch.setattr(seams, "outputs_of", lambda actor: [output])
    for address in (
        "/me/",
        "/me/passkeys/",
        grant_page(grant),
        f"{grant_page(asked)}narrow/",
        f"{grant_page(grant)}versions/{'ab' * 32}/",
    ):
        page = german.get(address)
        assert page.status_code == 200, address
        assert ENGLISH.findall(spoken(page)) == [], address


def test_answers_and_refusals_are_german(
    cast: Cast, german: Client, propose: MakeGrant
) -> None:
    grant = propose()
    done = german.post(f"/grants/{grant.id}/decline/", {"reason": "Nein"}, follow=True)
    assert "Abgelehnt. Es wurde nichts erlaubt." in spoken(done)
    again = german.post(f"/grants/{grant.id}/decline/", {"reason": "Nein"})
    assert "Das wurde nicht ausgeführt" in spoken(again)
    assert "Diese Frage wurde bereits beantwortet." in spoken(again)


def test_terms_are_narrowed_in_german(german: Client, propose: MakeGrant) -> None:
    grant = propose()
    page = german.get(f"{grant_page(grant)}narrow/")
    assert "Spanisch (es)" in spoken(page) and "im Kino" in spoken(page)
    first, last = re.findall(r'type="date" name="\w+" value="([^"]+)"', words(page))
    assert (first, len(last)) == ("2026-01-01", 10), "as browsers read it"
    typed = {
        "inference": "on",
        "scenes": [SCENE],
        "languages": ["es"],
        "shown_in": ["cinema"],
        "territories": ["DE"],
        "first_day": first,
        "last_day": (timezone.now() + timedelta(days=5)).date().isoformat(),
        "union": "Bühnengewerkschaft",
    }
    wrong = german.post(f"{grant_page(grant)}narrow/", typed | {"languages": []})
    assert wrong.status_code == 422 and ENGLISH.findall(spoken(wrong)) == []
    done = german.post(f"{grant_page(grant)}narrow/", typed, follow=True)
    assert "Was Sie geändert haben" in spoken(done)
    assert "Zu sehen: im Kino. Vorher: im Kino und bei Streaming" in spoken(done)
    assert "Beteiligte Gewerkschaft: Bühnengewerkschaft." in spoken(done)
    assert ENGLISH.findall(spoken(done)) == []


# Letters


def test_an_actor_is_written_to_in_their_language(
    cast: Cast,
    german: Client,
    propose: MakeGrant,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        grant = propose()
    (asked,) = [one for one in mail.outbox if one.to == [cast.actor_user.email]]
    assert asked.subject == "Meridian bittet um Ihre Einwilligung für Harbour Lights"
    assert "Nichts ist erlaubt, solange Sie nicht unterschreiben." in asked.body
    signed(cast, german, grant)
    answer = german.get(f"/grants/{grant.id}/receipt.pdf")
    assert b"/Lang (de)" in b"".join(answer)


@pytest.fixture
def casting(cast: Cast) -> Casting:
    return actor_invite(
        project=cast.project,
        stage_name="Mara Lind",
        legal_name="Mara Lindqvist",
        email="mara@example.com",
        acting_user=cast.producer,
        language="de",
    )


def test_a_first_visit_in_german_is_remembered(casting: Casting) -> None:
    client = Client(HTTP_ACCEPT_LANGUAGE="de")
    link = f"/invitation/{invitation_token(casting)}/"
    page = client.get(link)
    assert "Willkommen, Mara Lind" in spoken(page)
    assert ENGLISH.findall(spoken(page)) == []
    client.post(link, {"password": "harbour-lights-52"})
    casting.actor.refresh_from_db()
    assert casting.actor.user is not None
    assert casting.actor.user.language == "de"


def test_a_question_can_be_read_as_a_pdf_before_it_is_signed(
    cast: Cast, german: Client, propose: MakeGrant
) -> None:
    grant = propose()
    address = f"/grants/{grant.id}/question.pdf"
    answer = german.get(address)
    assert answer["Content-Type"] == "application/pdf"
    assert b"/Lang (de)" in answer.content
    stranger = Client()
    stranger.force_login(cast.stranger)
    assert stranger.get(address).status_code == 404
    signed(cast, german, grant)
    assert german.get(address).url.endswith("/receipt.pdf")
