"""Each page shows each person what concerns them, and nothing else exists."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import Actor, Casting, Grant, PasskeyCredential, Status
from consent.record import SceneRef
from consent.seams import Made, seams
from consent.services.actors import actor_invite, invitation_token
from tests.consent.conftest import OTHER_SCENE, SCENE, Cast, new_user

MakeGrant = Callable[..., Grant]


def as_user(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def options_on(page: Any) -> dict[str, Any]:
    """The passkey options that a page holds for its script."""
    found = re.search(r'data-options="([^"]+)"', page.content.decode())
    assert found
    return dict(json.loads(html.unescape(found.group(1))))


def words(page: Any) -> str:
    return html.unescape(page.content.decode())


def grant_page(grant: Grant) -> str:
    return reverse("consent:grant", kwargs={"grant_id": grant.id})


# Who sees what


def test_a_grant_concerns_its_actor_and_its_production(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose()
    for user in (cast.actor_user, cast.producer, cast.reviewer):
        page = as_user(user).get(grant_page(grant))
        assert page.status_code == 200
        assert "Meridian may change the movement of your mouth" in words(page)
    outsiders = (cast.stranger, new_user("otto"))
    for act in ("grant", "sign", "decline", "revoke"):
        address = reverse(f"consent:{act}", kwargs={"grant_id": grant.id})
        method = "get" if act == "grant" else "post"
        for user in outsiders:
            assert getattr(as_user(user), method)(address).status_code == 404
        assert getattr(Client(), method)(address).url.startswith("/login/")


def test_an_actor_does_not_see_another_actors_grant(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose()
    Actor.objects.create(
        stage_name="Other", legal_name="Other", user_id=cast.stranger.pk
    )
    client = as_user(cast.stranger)
    assert client.get(grant_page(grant)).status_code == 404
    assert "Harbour Lights" not in words(client.get("/me/"))


def test_only_an_actor_has_a_home_here(cast: Cast) -> None:
    for address in ("/me/", "/me/passkeys/"):
        assert as_user(cast.actor_user).get(address).status_code == 200
        for user in (cast.producer, cast.reviewer, cast.stranger):
            assert as_user(user).get(address).status_code == 404
        assert Client().get(address).status_code == 302


def test_a_cast_is_seen_by_its_members(cast: Cast) -> None:
    address = reverse("consent:actors", kwargs={"project_id": cast.project.id})
    producers = as_user(cast.producer).get(address)
    assert "Invite an actor" in words(producers)
    reviewers = as_user(cast.reviewer).get(address)
    assert "Robin Vale" in words(reviewers)
    assert "Invite an actor" not in words(reviewers)
    for user in (cast.actor_user, cast.stranger):
        assert as_user(user).get(address).status_code == 404


# The actor answers


def test_the_actor_signs_and_withdraws_on_the_grants_page(
    cast: Cast, propose: MakeGrant
) -> None:
    grant, client = propose(), as_user(cast.actor_user)
    page = client.get(grant_page(grant))
    assert "Nothing is allowed unless you sign" in words(page)
    response = json.dumps(cast.authenticator.get(options_on(page)))
    signed = client.post(f"{grant_page(grant)}sign/", {"response": response})
    assert signed.url == grant_page(grant)
    assert Grant.objects.get().status == Status.ACTIVE

    page = client.get(grant_page(grant))
    assert "Work that is running is stopped." in words(page)
    assert cast.actor.passkeys.get().fingerprint in words(page)
    response = json.dumps(cast.authenticator.get(options_on(page)))
    client.post(f"{grant_page(grant)}revoke/", {"response": response})
    assert Grant.objects.get().status == Status.REVOKED
    page = client.get(grant_page(grant))
    assert "data-passkey" not in words(page)
    assert "None of this is allowed any more." in words(page)


def test_the_actor_declines(cast: Cast, propose: MakeGrant) -> None:
    grant, client = propose(), as_user(cast.actor_user)
    client.post(f"{grant_page(grant)}decline/")
    assert Grant.objects.get().status == Status.DECLINED
    page = client.get(grant_page(grant))
    assert "data-passkey" not in words(page)
    assert "None of this was ever allowed." in words(page)


def test_a_question_whose_time_is_over_is_shown_as_such(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose(ends_at=datetime(2026, 2, 1, tzinfo=UTC))
    page = as_user(cast.actor_user).get(grant_page(grant))
    assert "can no longer be signed" in words(page)
    assert "data-passkey" not in words(page)


@pytest.mark.parametrize(
    ("starts_in_days", "ends_in_days", "said"),
    [(2, 9, "It begins on the first day"), (-9, 9, "Withdraw your consent")],
)
def test_a_signed_grant_says_where_it_stands(
    cast: Cast, sign: MakeGrant, starts_in_days: int, ends_in_days: int, said: str
) -> None:
    now = timezone.now()
    grant = sign(
        starts_at=now + timedelta(days=starts_in_days),
        ends_at=now + timedelta(days=ends_in_days),
    )
    assert said in words(as_user(cast.actor_user).get(grant_page(grant)))


def test_a_producer_cannot_answer(cast: Cast, propose: MakeGrant) -> None:
    grant, client = propose(), as_user(cast.producer)
    assert "data-passkey" not in words(client.get(grant_page(grant)))
    options = options_on(as_user(cast.actor_user).get(grant_page(grant)))
    response = json.dumps(cast.authenticator.get(options))
    for act in ("sign", "decline", "revoke"):
        answer = client.post(f"{grant_page(grant)}{act}/", {"response": response})
        assert answer.status_code == 403
    assert Grant.objects.get().status == Status.PROPOSED


@pytest.mark.parametrize("response", ["", "{}", "nonsense"])
def test_nonsense_is_refused_in_words(
    cast: Cast, propose: MakeGrant, response: str
) -> None:
    grant = propose()
    page = as_user(cast.actor_user).post(
        f"{grant_page(grant)}sign/", {"response": response}
    )
    assert page.status_code == 400
    assert "passkey's answer does not fit" in words(page)


def test_a_grant_that_was_tampered_with_is_shown_as_such(
    cast: Cast, sign: MakeGrant
) -> None:
    grant = sign()
    Grant.objects.update(shown_text="What you allow\nEverything.")
    page = as_user(cast.actor_user).get(grant_page(grant))
    assert "This consent does not hold" in words(page)


def test_an_actor_without_a_passkey_is_shown_the_way_to_one(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose()
    PasskeyCredential.objects.all().delete()
    page = as_user(cast.actor_user).get(grant_page(grant))
    assert "Set up your passkey first" in words(page)
    assert "data-passkey" not in words(page)


def test_typed_names_are_shown_as_text(cast: Cast, propose: MakeGrant) -> None:
    cast.project.name = '<script>alert("x")</script>'
    cast.project.save()
    page = as_user(cast.actor_user).get(grant_page(propose()))
    assert "<script>alert" not in page.content.decode()


def test_another_address_of_the_house_leads_to_the_right_one(
    cast: Cast, propose: MakeGrant
) -> None:
    client = as_user(cast.actor_user)
    page = client.get(grant_page(propose()), headers={"host": "127.0.0.1:8000"})
    assert "Passkeys work only at this site's own address" in words(page)


def test_the_home_shows_what_is_asked_what_stands_and_what_happened(
    cast: Cast,
    propose: MakeGrant,
    sign: MakeGrant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Made(title="The pier, Spanish", state="Approved", at=propose().proposed_at)
    monkeypatch.setattr(seams, "made_with", lambda actor: [made])
    sign()
    as_user(cast.actor_user).post(f"{grant_page(propose())}decline/")
    page = as_user(cast.actor_user).get("/me/")
    for said in (
        "Read and answer",
        "Read or withdraw",
        "Declined",
        "The pier, Spanish",
    ):
        assert said in words(page)


# Passkeys


def test_a_passkey_is_set_up_once_a_page(cast: Cast) -> None:
    PasskeyCredential.objects.all().delete()
    client = as_user(cast.actor_user)
    options = options_on(client.get("/me/passkeys/"))
    response = {"response": json.dumps(cast.authenticator.create(options))}
    assert client.post("/me/passkeys/add/", response).url == "/me/"
    assert cast.actor.passkeys.count() == 1
    again = client.post("/me/passkeys/add/", response)
    assert again.status_code == 400
    assert "used already" in words(again)


# The producer asks


def ask(cast: Cast, **changes: Any) -> Any:
    typed: dict[str, Any] = {
        "inference": "on",
        "scenes_choice": "whole",
        "languages": "Spanish, pt-BR",
        "shown_in": ["cinema"],
        "territories": "de, at",
        "first_day": date.today().isoformat(),
        "last_day": (date.today() + timedelta(days=9)).isoformat(),
        "excluded_kinds": ["sex"],
        "excluded_content": "advertising.\n\n politics",
    }
    address = reverse(
        "consent:propose",
        kwargs={"project_id": cast.project.id, "actor_id": cast.actor.id},
    )
    user = changes.pop("user", cast.producer)
    return as_user(user).post(address, typed | changes)


def test_a_question_says_what_was_typed(cast: Cast) -> None:
    answer = ask(cast)
    grant = Grant.objects.get()
    assert answer.url == grant_page(grant)
    terms = grant.document.terms
    assert (terms.inference, terms.training) == (True, False)
    assert terms.languages == ("es", "pt-BR")
    assert terms.territories == ("DE", "AT")
    assert terms.scenes is None
    assert terms.excluded_content == ("sex", "advertising", "politics")
    assert terms.excluded_kinds == {"sex", "advertising", "politics"}
    assert terms.ends_at - terms.starts_at == timedelta(days=10)


def test_chosen_scenes_are_named_with_their_hashes(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = [
        SceneRef(title="Pier", sha256=SCENE),
        SceneRef(title="K", sha256="ab" * 32),
    ]
    monkeypatch.setattr(seams, "scenes_of", lambda project: known)
    ask(cast, scenes_choice="chosen", scenes=[SCENE])
    assert Grant.objects.get().document.terms.scenes == (known[0],)
    assert ask(cast, scenes_choice="chosen", scenes=[OTHER_SCENE]).status_code == 422


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"inference": ""}, "Say what the grant allows."),
        ({"languages": "Elvish!"}, "is not a language tag"),
        ({"languages": " , "}, "Name at least one language"),
        ({"territories": "Germany"}, "is not a country code"),
        ({"scenes_choice": "chosen"}, "Name at least one scene"),
        ({"scenes_choice": ""}, "required"),
        ({"shown_in": []}, "required"),
        ({"last_day": "2001-01-01"}, "must end after it begins"),
        ({"first_day": "soon"}, "valid date"),
    ],
)
def test_a_question_without_sense_is_refused_in_words(
    cast: Cast, changes: dict[str, Any], said: str
) -> None:
    page = ask(cast, **changes)
    assert page.status_code == 422
    assert said in words(page)
    assert not Grant.objects.exists()


def test_nothing_is_ticked_beforehand(cast: Cast) -> None:
    address = reverse(
        "consent:propose",
        kwargs={"project_id": cast.project.id, "actor_id": cast.actor.id},
    )
    page = as_user(cast.producer).get(address)
    assert "checked" not in words(page)


def test_a_reviewer_cannot_ask(cast: Cast) -> None:
    assert ask(cast, user=cast.reviewer).status_code == 403
    assert ask(cast, user=cast.stranger).status_code == 404
    assert not Grant.objects.exists()


# The invitation


@pytest.fixture
def casting(cast: Cast) -> Casting:
    return actor_invite(
        project=cast.project,
        stage_name="Mara Lind",
        legal_name="Mara Lindqvist",
        email="mara@example.com",
        acting_user=cast.producer,
    )


def link_of(casting: Casting) -> str:
    return reverse("consent:invitation", args=[invitation_token(casting)])


def test_a_producer_invites_and_never_sees_the_link(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    client = as_user(cast.producer)
    address = reverse("consent:actors", kwargs={"project_id": cast.project.id})
    typed = {"stage_name": "M", "legal_name": "M", "email": "mara@example.com"}
    typed |= {"language": "de"}
    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(address, typed, follow=True)
    assert "on its way to mara@example.com" in words(page)
    assert "/invitation/" not in words(page)
    assert mail.outbox[0].to == ["mara@example.com"]
    assert "Mit dem Öffnen dieses Links erlauben Sie nichts." in mail.outbox[0].body
    assert client.post(address, typed | {"email": "no"}).status_code == 422


def test_an_invited_actor_comes_in_and_goes_on_to_the_passkey(casting: Casting) -> None:
    client = Client()
    assert "Welcome, Mara Lind" in words(client.get(link_of(casting)))
    weak = client.post(link_of(casting), {"password": "password"})
    assert weak.status_code == 422
    done = client.post(link_of(casting), {"password": "harbour-lights-52"})
    assert done.url == "/me/passkeys/"
    assert client.get("/me/").status_code == 200
    # Whoever comes by the same link later meets the login.
    assert Client().get(link_of(casting)).url.startswith("/login/")
    assert client.get(link_of(casting)).url == "/me/"


def test_an_address_with_a_login_must_use_it(casting: Casting) -> None:
    mara = new_user("mara")
    assert Client().get(link_of(casting)).url.startswith("/login/")
    client = as_user(mara)
    assert "Choose a password" not in words(client.get(link_of(casting)))
    assert client.post(link_of(casting)).url == "/me/passkeys/"


def test_a_broken_invitation_is_refused_in_words(db: None) -> None:
    page = Client().get("/invitation/abc:def/")
    assert page.status_code == 400
    assert "not valid any more" in words(page)


def narrowed_fields(**changes: Any) -> dict[str, Any]:
    usual = {
        "inference": "on",
        "scenes": [SCENE],
        "languages": ["es"],
        "shown_in": ["cinema"],
        "territories": ["DE"],
        "first_day": "2026-01-01",
        "last_day": timezone.now().date().isoformat(),
        "excluded_kinds": ["nudity"],
        "excluded_content": "any war film",
        "output_approval": "on",
    }
    return usual | changes


def test_the_actor_narrows_and_signs_their_own_terms(
    cast: Cast, propose: MakeGrant
) -> None:
    grant, client = propose(training=True), as_user(cast.actor_user)
    page = client.get(f"{grant_page(grant)}narrow/")
    assert "checked" not in words(page)
    moved = client.post(f"{grant_page(grant)}narrow/", narrowed_fields())
    mine = Grant.objects.get(previous=grant)
    assert moved.url == grant_page(mine)
    terms = mine.document.terms
    assert (terms.languages, terms.media, terms.training) == (
        ("es",),
        ("cinema",),
        False,
    )
    assert terms.excluded_content == ("nudity", "any war film")
    assert terms.output_approval

    page = client.get(grant_page(mine))
    assert "What you changed" in words(page)
    assert "Training on the face: no, before: yes." in words(page)
    response = json.dumps(cast.authenticator.get(options_on(page)))
    client.post(f"{grant_page(mine)}sign/", {"response": response})
    assert Grant.objects.get(pk=mine.pk).status == Status.ACTIVE
    seen = words(as_user(cast.producer).get(grant_page(mine)))
    assert f"What {cast.actor} changed" in seen
    assert "Newly excluded: nudity." in seen


def test_what_is_excluded_already_is_said_and_not_offered_again(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose(excluded_content=("nudity", "any war film"))
    page = words(as_user(cast.actor_user).get(f"{grant_page(grant)}narrow/"))
    assert "Already excluded: nudity and any war film." in page
    assert 'value="nudity"' not in page
    assert 'value="sex"' in page


def test_what_is_left_empty_is_asked_for_on_the_same_page(
    cast: Cast, propose: MakeGrant
) -> None:
    grant, client = propose(), as_user(cast.actor_user)
    page = client.post(
        f"{grant_page(grant)}narrow/", narrowed_fields(languages=[], territories=[])
    )
    assert page.status_code == 422
    beyond = client.post(
        f"{grant_page(grant)}narrow/", narrowed_fields(last_day="2031-01-01")
    )
    assert beyond.status_code == 422
    assert "This goes beyond what was asked: the last day." in words(beyond)
    assert Grant.objects.count() == 1


def test_nobody_else_opens_the_narrowing_page(cast: Cast, propose: MakeGrant) -> None:
    address = f"{grant_page(propose())}narrow/"
    assert as_user(cast.producer).get(address).status_code == 403
    assert as_user(cast.stranger).get(address).status_code == 404


def test_training_is_not_signed_without_its_own_tick(
    cast: Cast, propose: MakeGrant
) -> None:
    grant, client = propose(training=True), as_user(cast.actor_user)
    page = client.get(grant_page(grant))
    assert "checked" not in words(page)
    response = json.dumps(cast.authenticator.get(options_on(page)))
    refused = client.post(f"{grant_page(grant)}sign/", {"response": response})
    assert refused.status_code == 403
    assert Grant.objects.get().status == Status.PROPOSED
    client.post(f"{grant_page(grant)}sign/", {"response": response, "training": "on"})
    assert Grant.objects.get().status == Status.ACTIVE


def test_sent_back_the_producer_reads_why_and_asks_from_there(
    cast: Cast, propose: MakeGrant
) -> None:
    grant, client = propose(), as_user(cast.actor_user)
    client.post(f"{grant_page(grant)}send-back/", {"reason": "No German, please."})
    producer = as_user(cast.producer)
    page = words(producer.get(grant_page(grant)))
    assert "No German, please." in page
    again = f"/projects/{cast.project.id}/actors/{cast.actor.id}/ask/?after={grant.id}"
    assert again in page
    form = words(producer.get(again))
    assert 'value="es, de-AT"' in form
    assert "No German, please." in form
