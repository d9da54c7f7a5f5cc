"""Language versions and their lines."""

from __future__ import annotations

import io
import uuid
import wave
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.models import Actor, Grant
from lipweb.models import User
from synthesis.models import Dub, Line, Scene

SignIn = Callable[[User], Client]


def sound(seconds: float = 0.3) -> bytes:
    target = io.BytesIO()
    with wave.open(target, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(b"\0\1" * int(16_000 * seconds))
    return target.getvalue()


def add(client: Client, dub: Dub, data: bytes, name: str, **fields: Any) -> str:
    """Adds a line by the plain form; the page that follows, as text."""
    form = {"file": SimpleUploadedFile(name, data), "start": ""} | fields
    url = reverse("synthesis:line_new", args=[dub.id])
    return client.post(url, form, follow=True).content.decode()


@pytest.fixture
def client(signed_in: SignIn, producer: User) -> Client:
    return signed_in(producer)


@pytest.fixture
def empty_dub(scene: Scene, producer: User, passkey: Any) -> Dub:
    return Dub.objects.create(scene=scene, language="es", created_by=producer)


def test_a_language_version_is_opened_once(client: Client, scene: Scene) -> None:
    url = reverse("synthesis:dub_new", args=[scene.id])
    for _ in range(2):
        answer = client.post(url, {"language": "es"})
        assert answer.status_code == 302
    dub = Dub.objects.get()
    assert answer["Location"].endswith(f"#dub-{dub.id}")


def test_a_language_must_be_a_tag(client: Client, scene: Scene) -> None:
    url = reverse("synthesis:dub_new", args=[scene.id])
    answer = client.post(url, {"language": "../es"}, follow=True)
    assert "Write a language tag" in answer.content.decode()
    assert not Dub.objects.exists()


@pytest.mark.parametrize(
    ("start", "frame"), [("", 0), ("25", 25), ("00:00:01:00", 25), (" 40 ", 40)]
)
def test_a_line_starts_at_a_frame_or_a_time_code(
    client: Client, empty_dub: Dub, actor: Actor, start: str, frame: int
) -> None:
    add(client, empty_dub, sound(), "línea 🎙.wav", actor=actor.id, start=start)
    line = Line.objects.get()
    assert (line.actor, line.first_frame) == (actor, frame)
    assert line.original_name == "línea 🎙.wav"


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ("50", "inside the scene"),
        ("-1", "is no time code"),
        ("00:00:00:25", "does not exist"),
        ("noon", "is no time code"),
    ],
)
def test_a_start_outside_the_scene_is_refused_in_words(
    client: Client, empty_dub: Dub, actor: Actor, start: str, words: str
) -> None:
    page = add(client, empty_dub, sound(), "a.wav", actor=actor.id, start=start)
    assert words in page
    assert not Line.objects.exists()


@pytest.mark.parametrize("data", [b"", b"This is a text.", b"RIFF\0\0\0\0WAVEjunk"])
def test_what_is_no_sound_is_refused_in_words(
    client: Client, empty_dub: Dub, actor: Actor, data: bytes
) -> None:
    page = add(client, empty_dub, data, "a.wav", actor=actor.id)
    assert 'class="notice bad"' in page
    assert not Line.objects.exists()


def test_a_line_needs_an_actor_of_the_cast(client: Client, empty_dub: Dub) -> None:
    add(client, empty_dub, sound(), "a.wav", actor=uuid.uuid4())
    add(client, empty_dub, sound(), "a.wav", actor="")
    assert not Line.objects.exists()


def test_a_line_can_be_taken_out(client: Client, dub: Dub, grant: Grant) -> None:
    url = reverse("synthesis:line_remove", args=[Line.objects.get().id])
    assert client.post(url).status_code == 302
    assert not Line.objects.exists()


def test_only_producers_work_on_dubs(
    signed_in: SignIn, reviewer: User, stranger: User, dub: Dub, actor: Actor, passkey
) -> None:
    line = Line.objects.get()
    doors = [
        (reverse("synthesis:dub_new", args=[dub.scene_id]), {"language": "de"}),
        (reverse("synthesis:line_remove", args=[line.id]), {}),
        (reverse("synthesis:dub_content", args=[dub.id]), {"content": ["sex"]}),
        (
            reverse("synthesis:line_new", args=[dub.id]),
            {"actor": actor.id, "file": SimpleUploadedFile("a.wav", sound())},
        ),
    ]
    for url, form in doors:
        assert signed_in(reviewer).post(url, form).status_code == 403
        assert signed_in(stranger).post(url, form).status_code == 404
        assert signed_in(reviewer).get(url).status_code == 405
    assert Line.objects.get() == line
    assert Dub.objects.get() == dub
    assert Dub.objects.get().content is None
