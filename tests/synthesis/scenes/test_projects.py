"""The project page and the making of scenes from plain forms."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from consent.models import Project
from lipweb.models import User
from synthesis.models import Deliverable, Scene, Upload
from tests.synthesis.production import video_bytes

SignIn = Callable[[User], Client]


def page_of(project: Project) -> str:
    return reverse("synthesis:project", args=[project.id])


def send(client: Client, project: Project, file: SimpleUploadedFile, **fields: str):
    form = {"title": "", "language": "en", "file": file, **fields}
    return client.post(
        reverse("synthesis:scene_new", args=[project.id]), form, follow=True
    )


def test_members_see_the_scenes_and_how_their_dubs_stand(
    signed_in: SignIn, producer: User, project: Project, deliverable: Deliverable
) -> None:
    words = signed_in(producer).get(page_of(project)).content.decode()
    assert "The pier" in words
    assert "Spanish (es)" in words
    assert "Waits for review" in words
    assert reverse("synthesis:deliverable", args=[deliverable.id]) in words


def test_a_reviewer_sees_no_upload_form(
    signed_in: SignIn, reviewer: User, project: Project
) -> None:
    words = signed_in(reviewer).get(page_of(project)).content.decode()
    assert "Upload a scene" not in words


def test_a_stranger_learns_nothing_of_the_project(
    signed_in: SignIn, stranger: User, other_producer: User, project: Project
) -> None:
    assert signed_in(stranger).get(page_of(project)).status_code == 404
    assert signed_in(other_producer).get(page_of(project)).status_code == 404


def test_nobody_sees_it_without_a_login(project: Project) -> None:
    answer = Client().get(page_of(project))
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


def test_a_plain_form_makes_a_scene_of_its_file(
    signed_in: SignIn, producer: User, project: Project
) -> None:
    data = video_bytes()
    file = SimpleUploadedFile("pier.mp4", data)
    answer = send(signed_in(producer), project, file, title="The pier")
    scene = Scene.objects.get()
    assert answer.redirect_chain[-1][0] == reverse("synthesis:scene", args=[scene.id])
    assert (scene.title, scene.size_bytes) == ("The pier", len(data))
    with scene.file.open() as kept:
        assert hashlib.sha256(kept.read()).digest() == hashlib.sha256(data).digest()


@pytest.mark.parametrize(
    "name", ["🎬 scène.mp4", "../../etc/passwd", "<b>bold</b>.mp4", "a" * 300 + ".mp4"]
)
def test_a_name_is_only_ever_shown_and_always_escaped(
    signed_in: SignIn, producer: User, project: Project, name: str
) -> None:
    client = signed_in(producer)
    url = reverse("synthesis:upload_begin", args=[project.id])
    body = {"name": name, "size_bytes": 3}
    begun = client.post(url, body, content_type="application/json").json()
    client.patch(begun["url"], b"abc", headers={"Upload-Offset": "0"})
    form = {"title": "", "language": "en", "upload": begun["id"]}
    client.post(reverse("synthesis:scene_new", args=[project.id]), form)
    scene = Scene.objects.get()
    assert scene.original_name == name[:255]
    assert ".." not in scene.file.name
    assert "<b>bold" not in client.get(page_of(project)).content.decode()
    scene_page = client.get(reverse("synthesis:scene", args=[scene.id]))
    assert "<b>bold" not in scene_page.content.decode()


def test_an_empty_file_is_refused_with_a_sentence(
    signed_in: SignIn, producer: User, project: Project
) -> None:
    answer = send(signed_in(producer), project, SimpleUploadedFile("pier.mp4", b""))
    assert "empty (0 bytes)" in answer.content.decode()
    assert not Scene.objects.exists()


def test_a_missing_file_is_said_to_be_missing(
    signed_in: SignIn, producer: User, project: Project
) -> None:
    url = reverse("synthesis:scene_new", args=[project.id])
    answer = signed_in(producer).post(url, {"language": "en"}, follow=True)
    assert "Choose a file first." in answer.content.decode()


def test_a_language_must_be_a_tag(
    signed_in: SignIn, producer: User, project: Project
) -> None:
    file = SimpleUploadedFile("pier.mp4", b"abc")
    answer = send(signed_in(producer), project, file, language="Klingon, maybe")
    assert "Write a language tag" in answer.content.decode()
    assert not Scene.objects.exists()


def test_a_body_over_the_limit_is_refused_before_it_is_read(
    signed_in: SignIn, producer: User, project: Project, settings
) -> None:
    settings.UPLOAD_MAX_BYTES = 10_000
    file = SimpleUploadedFile("pier.mp4", b"0" * 100_000)
    answer = send(signed_in(producer), project, file)
    assert answer.status_code == 413
    assert "larger than the 10 kB" in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_form_from_elsewhere_is_refused(producer: User, project: Project) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(producer)
    answer = send(client, project, SimpleUploadedFile("pier.mp4", b"abc"))
    assert answer.status_code == 403
    assert not Scene.objects.exists()


def test_only_producers_bring_scenes(
    signed_in: SignIn, reviewer: User, stranger: User, project: Project
) -> None:
    file = SimpleUploadedFile("pier.mp4", b"abc")
    assert send(signed_in(reviewer), project, file).status_code == 403
    assert send(signed_in(stranger), project, file).status_code == 404
    assert not Scene.objects.exists()
