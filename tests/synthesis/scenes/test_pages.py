"""The scene page: analysis on its way, refusal, faces and whose they are."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Actor, Grant
from lipweb.models import User
from synthesis.models import Dub, Scene, Track
from tests.synthesis.production import video_bytes

SignIn = Callable[[User], Client]


def page_of(scene: Scene) -> str:
    return reverse("synthesis:scene", args=[scene.id])


def test_a_ready_scene_shows_facts_shots_and_faces(
    signed_in: SignIn, producer: User, scene: Scene
) -> None:
    words = signed_in(producer).get(page_of(scene)).content.decode()
    for fact in ("320 × 180 px", "25 frames a second", "50 frames", "Sound"):
        assert fact in words
    assert "00:00:00:00 to 00:00:01:24" in words
    assert "Face 1" in words
    assert "Face 2" in words
    assert "00:00:01:05" in words  # the first frame of the second shot


def test_a_scene_under_analysis_asks_again_until_it_is_ready(
    signed_in: SignIn, producer: User, scene: Scene
) -> None:
    progress = {"stage": "Finding faces", "frame": 3, "frames": 50, "eta_s": 7.0}
    Scene.objects.update(state=Scene.State.ANALYSING, progress=progress)
    client = signed_in(producer)
    url = reverse("synthesis:scene_progress", args=[scene.id])
    assert url in client.get(page_of(scene)).content.decode()
    under_way = client.get(url).content.decode()
    assert "Finding faces" in under_way
    assert "frame 3 of 50" in under_way
    assert "about 7 s left" in under_way
    assert 'hx-trigger="every 1s"' in under_way
    Scene.objects.update(state=Scene.State.READY)
    assert 'hx-trigger="every 1s"' not in client.get(url).content.decode()


def test_a_refused_scene_says_why_and_what_to_do(
    signed_in: SignIn, producer: User, scene: Scene
) -> None:
    Scene.objects.update(
        state=Scene.State.REFUSED,
        media_facts={},
        error_sentence="This is a text file, not a video.",
    )
    words = signed_in(producer).get(page_of(scene)).content.decode()
    assert "This is a text file, not a video." in words
    assert "Upload another file" in words


def test_a_scene_without_a_face_says_so(
    signed_in: SignIn, producer: User, scene: Scene
) -> None:
    Track.objects.all().delete()
    words = signed_in(producer).get(page_of(scene)).content.decode()
    assert "No face was found" in words


def test_analysis_can_be_asked_for_again(
    signed_in: SignIn, producer: User, scene: Scene
) -> None:
    Scene.objects.update(state=Scene.State.REFUSED)
    signed_in(producer).post(reverse("synthesis:scene_again", args=[scene.id]))
    scene.refresh_from_db()
    assert scene.state == Scene.State.ANALYSING


@pytest.mark.parametrize("name", ["scene", "scene_progress", "scene_original"])
def test_strangers_do_not_learn_of_a_scene(
    signed_in: SignIn, stranger: User, other_producer: User, scene: Scene, name: str
) -> None:
    url = reverse(f"synthesis:{name}", args=[scene.id])
    assert signed_in(stranger).get(url).status_code == 404
    assert signed_in(other_producer).get(url).status_code == 404
    assert Client().get(url).status_code == 302


def test_the_original_plays_in_ranges_for_members(
    signed_in: SignIn, reviewer: User, scene: Scene
) -> None:
    url = reverse("synthesis:scene_original", args=[scene.id])
    answer = signed_in(reviewer).get(url, headers={"Range": "bytes=4-7"})
    assert answer.status_code == 206
    assert b"".join(answer.streaming_content) == video_bytes()[4:8]


def test_a_thumbnail_is_for_members_only(
    signed_in: SignIn, reviewer: User, stranger: User, scene: Scene
) -> None:
    track = Track.objects.first()
    url = reverse("synthesis:track_thumbnail", args=[track.id])
    answer = signed_in(reviewer).get(url)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "private, no-store"
    assert signed_in(stranger).get(url).status_code == 404


def test_a_producer_says_whose_face_a_track_is(
    signed_in: SignIn, producer: User, scene: Scene, actor: Actor, grant: Grant
) -> None:
    track = Track.objects.first()
    url = reverse("synthesis:track_actor", args=[track.id])
    client = signed_in(producer)
    assert client.post(url, {"actor": actor.id}).status_code == 302
    track.refresh_from_db()
    assert track.actor == actor
    client.post(url, {"actor": ""})
    track.refresh_from_db()
    assert track.actor is None


def test_the_choice_of_actors_says_how_their_consent_stands(
    signed_in: SignIn, producer: User, scene: Scene, actor: Actor, grant: Grant
) -> None:
    words = signed_in(producer).get(page_of(scene)).content.decode()
    assert "Robin Vale · consent: active" in words


def test_assigning_by_htmx_tells_each_dub_what_it_still_lacks(
    signed_in: SignIn, producer: User, dub: Dub, actor: Actor, grant: Grant
) -> None:
    Track.objects.update(actor=None)
    client = signed_in(producer)
    track = Track.objects.first()
    page = client.get(page_of(dub.scene)).content.decode()
    assert "No face in the scene is assigned to Robin Vale yet." in page
    url = reverse("synthesis:track_actor", args=[track.id])
    headers = {"HX-Request": "true"}
    answer = client.post(url, {"actor": actor.id}, headers=headers).content.decode()
    assert f'id="track-{track.id}"' in answer
    assert f'id="readiness-{dub.id}"' in answer
    assert "consent stands" in answer


def test_an_actor_of_another_production_cannot_be_chosen(
    signed_in: SignIn, producer: User, scene: Scene, actor: Actor
) -> None:
    track = Track.objects.first()
    url = reverse("synthesis:track_actor", args=[track.id])
    answer = signed_in(producer).post(url, {"actor": actor.id})
    assert answer.status_code == 400
    track.refresh_from_db()
    assert track.actor is None


def test_a_reviewer_assigns_nobody(
    signed_in: SignIn, reviewer: User, stranger: User, scene: Scene, passkey, actor
) -> None:
    url = reverse("synthesis:track_actor", args=[Track.objects.first().id])
    assert signed_in(reviewer).post(url, {"actor": actor.id}).status_code == 403
    assert signed_in(stranger).post(url, {"actor": actor.id}).status_code == 404
    assert "<select" not in signed_in(reviewer).get(page_of(scene)).content.decode()
