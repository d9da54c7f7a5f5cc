"""The actor's pages about their face, and what the producer's page says of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.models import Actor, Grant, Notice
from lipweb.models import User
from synthesis.models import Dub, FaceEnrolment, FaceSighting, Track
from synthesis.services.face_confirmations import (
    confirmation_options,
    confirmation_standing,
    face_deny,
)
from synthesis.services.face_questions import face_waiting_tell, faces_waiting
from synthesis.services.faces import track_sight

Verdict = FaceSighting.Verdict
SignedIn = Callable[[User], Client]


@pytest.fixture
def sighting(dub: Dub, producer: User) -> FaceSighting:
    """Face 1 of the pier is said to be Robin Vale; a worker has cut its pictures and
    found nothing to compare them with."""
    return looked_at(Track.objects.get(shot__scene=dub.scene, number=1), producer)


def looked_at(track: Track, producer: User) -> FaceSighting:
    row = track_sight(track=track, acting_user=producer)
    assert row is not None
    picture = np.full((80, 320, 3), 40 * track.number, np.uint8)
    _, jpeg = cv2.imencode(".jpg", picture)
    row.sheet.save("sheet.jpg", ContentFile(jpeg.tobytes()), save=False)
    row.sheet_sha256 = f"{track.number:064x}"
    row.verdict = Verdict.UNKNOWN
    row.save()
    return row


def text(page: Any) -> str:
    return str(page.content.decode())


def address(name: str, sighting: FaceSighting) -> str:
    return reverse(f"synthesis:{name}", args=[sighting.id])


def test_the_actor_is_told_that_a_face_waits_and_what_the_comparison_can_tell(
    signed_in: SignedIn, sighting: FaceSighting, actor_user: User
) -> None:
    client = signed_in(actor_user)
    home = client.get(reverse("consent:home")).content.decode()
    assert "1 face in a scene waits for your word" in home
    page = client.get(reverse("synthesis:own_faces")).content.decode()
    assert "The pier, face 1" in page
    assert "Waits for you" in page
    assert "measured on 12 people" in page
    assert "twins" in page


def test_the_actor_reads_and_signs_it_in_german(
    signed_in: SignedIn, sighting: FaceSighting, actor_user: User, passkey: Any
) -> None:
    client = signed_in(actor_user)
    client.post("/language/", {"language": "de"})
    assert "1 Gesicht in einer Szene" in text(client.get(reverse("consent:home")))
    page = text(client.get(reverse("synthesis:own_faces")))
    assert '<html lang="de">' in page
    assert "The pier, Gesicht 1" in page
    assert "Wartet auf Sie" in page
    assert "Geprüft wurde er an 12 Menschen" in page
    page = text(client.get(address("own_face", sighting)))
    assert "aus „The pier, Gesicht 1“, ist Ihres." in page
    assert 'name="locale" value="de"' in page
    options = confirmation_options(
        sighting=sighting, remembers=False, acting_user=actor_user, locale="de"
    )
    response = passkey_answer(passkey, options)
    fields = {"response": response, "remembers": "no", "locale": "en"}
    client.post(address("own_face", sighting), fields)
    assert confirmation_standing(sighting) is None  # other words than those signed
    client.post(address("own_face", sighting), fields | {"locale": "de"})
    word = confirmation_standing(sighting)
    assert word is not None
    assert json.loads(bytes(word.canonical))["text"]["locale"] == "de"
    assert "Was Sie bestätigen" in word.shown_text


def test_refusals_and_reasons_are_in_the_readers_language(
    signed_in: SignedIn, sighting: FaceSighting, actor_user: User
) -> None:
    client = signed_in(actor_user)
    client.post("/language/", {"language": "de"})
    answer = text(client.post(reverse("synthesis:own_face_brought")))
    assert "Wählen Sie zuerst einen Clip" in answer
    small = (
        "The face is too small in this shot to tell whose it is: fewer than 24 pixels"
        " across the eyes."
    )
    FaceSighting.objects.update(reason=small, verdict=Verdict.UNSURE)
    page = text(client.get(address("own_face", sighting)))
    assert "weniger als 24 Bildpunkte" in page


def test_nobody_else_sees_the_faces(
    signed_in: SignedIn, sighting: FaceSighting, producer: User, stranger: User
) -> None:
    for user in (producer, stranger):
        client = signed_in(user)
        assert client.get(reverse("synthesis:own_faces")).status_code == 404
        for name in ("own_face", "own_face_sheet"):
            assert client.get(address(name, sighting)).status_code == 404
        assert client.post(address("own_face_denied", sighting)).status_code == 404


def test_the_actor_confirms_with_the_passkey_and_only_what_was_chosen(
    signed_in: SignedIn, sighting: FaceSighting, actor_user: User, passkey: Any
) -> None:
    client = signed_in(actor_user)
    page = client.get(address("own_face", sighting)).content.decode()
    assert "It is me: remember my face" in page
    assert "It is me: only this once" in page
    options = confirmation_options(
        sighting=sighting, remembers=False, acting_user=actor_user
    )
    fields = {"response": passkey_answer(passkey, options), "remembers": "yes"}
    client.post(address("own_face", sighting), fields)
    assert confirmation_standing(sighting) is None  # signed for less than was sent
    fields = {"response": passkey_answer(passkey, options), "remembers": "no"}
    answer = client.post(address("own_face", sighting), fields, follow=True)
    assert "Confirmed, for this face only." in answer.content.decode()
    word = confirmation_standing(sighting)
    assert word is not None
    assert not word.remembers


def passkey_answer(passkey: Any, options: dict[str, Any]) -> str:
    return json.dumps(passkey.get(options))


def test_it_is_not_me_takes_one_press(
    signed_in: SignedIn, sighting: FaceSighting, actor_user: User
) -> None:
    client = signed_in(actor_user)
    client.post(address("own_face_denied", sighting))
    sighting.refresh_from_db()
    assert sighting.verdict == Verdict.DENIED
    page = client.get(reverse("synthesis:own_faces")).content.decode()
    assert "Not you" in page


def test_a_clip_is_taken_in_and_an_empty_form_is_answered_in_words(
    signed_in: SignedIn, actor: Actor, actor_user: User
) -> None:
    client = signed_in(actor_user)
    there = reverse("synthesis:own_face_brought")
    assert "Choose a clip" in client.post(there).content.decode()
    clip = SimpleUploadedFile("me.mp4", b"film")
    page = client.post(there, {"clip": clip}, follow=True).content.decode()
    assert "The pictures are not ready yet" in page
    assert FaceSighting.objects.get(actor=actor).is_own_clip


def test_forgetting_is_one_press(
    signed_in: SignedIn,
    sighting: FaceSighting,
    actor: Actor,
    actor_user: User,
    passkey: Any,
) -> None:
    client = signed_in(actor_user)
    options = confirmation_options(
        sighting=sighting, remembers=True, acting_user=actor_user
    )
    fields = {"response": passkey_answer(passkey, options), "remembers": "yes"}
    client.post(address("own_face", sighting), fields)
    FaceEnrolment.objects.create(
        actor=actor,
        confirmation=confirmation_standing(sighting),
        features="lipweb",
        features_sha256="0" * 64,
        vectors=b"\0" * 8,
        count=1,
    )
    page = client.get(reverse("synthesis:own_faces")).content.decode()
    assert "measured 1 time from pictures you confirmed" in page
    client.post(reverse("synthesis:own_face_forgotten"))
    assert not FaceEnrolment.objects.exists()


def test_a_face_recognised_by_what_is_deleted_waits_for_the_actor_again(
    signed_in: SignedIn, sighting: FaceSighting, actor: Actor, actor_user: User
) -> None:
    FaceSighting.objects.update(verdict=Verdict.SAME, compared_with=None)
    assert faces_waiting(actor) == 1
    page = text(signed_in(actor_user).get(reverse("synthesis:own_faces")))
    assert "Look and decide" in page
    assert "Recognised" not in page


def test_the_actor_is_told_once_of_a_scene_and_anew_after_answering(
    dub: Dub, producer: User, actor_user: User
) -> None:
    first, second = (
        looked_at(track, producer)
        for track in Track.objects.filter(shot__scene=dub.scene).order_by("number")[:2]
    )
    for row in (first, second, first):
        face_waiting_tell(row)
    notice = Notice.objects.get(user=actor_user, kind="face-waits")
    assert notice.title == "Is this you? A face in “The pier” waits for your word"
    assert notice.path == reverse("synthesis:own_faces")
    face_deny(sighting=first, acting_user=actor_user)
    first.refresh_from_db()
    face_waiting_tell(first)
    assert Notice.objects.filter(kind="face-waits").count() == 1
    face_waiting_tell(second)  # the worker asks for a face that came up later only
    assert Notice.objects.filter(kind="face-waits").count() == 2


def test_the_producers_page_says_who_must_confirm_and_closes_the_render(
    signed_in: SignedIn, sighting: FaceSighting, grant: Grant, dub: Dub, producer: User
) -> None:
    client = signed_in(producer)
    page = client.get(reverse("synthesis:scene", args=[dub.scene_id])).content.decode()
    assert "Actor must confirm" in page
    assert "Robin Vale has not shown their face here" in page
    answer = client.post(reverse("synthesis:render_new", args=[dub.id]))
    assert "confirm it on their own page" in answer.content.decode()
    assert not dub.renders.exists()


def test_the_row_asks_again_while_a_face_is_compared_and_stops_then(
    signed_in: SignedIn, sighting: FaceSighting, producer: User
) -> None:
    there = reverse("synthesis:track_guard", args=[sighting.track_id])
    client = signed_in(producer)
    FaceSighting.objects.update(verdict=Verdict.WAITING)
    assert "every 2s" in client.get(there).content.decode()
    FaceSighting.objects.update(verdict=Verdict.OTHER)
    page = client.get(there).content.decode()
    assert "Another face" in page
    assert "every 2s" not in page
