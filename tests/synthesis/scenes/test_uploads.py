"""Chunked uploads, as upload.js makes them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consent.models import Project
from lipweb.models import User
from synthesis.models import Scene, Upload

SignIn = Callable[[User], Client]


def begin(client: Client, project: Project, **body: Any) -> Any:
    url = reverse("synthesis:upload_begin", args=[project.id])
    return client.post(
        url,
        {"name": "pier.mp4", "size_bytes": 10} | body,
        content_type="application/json",
        headers={"Accept": "application/json"},
    )


def patch(client: Client, url: str, chunk: bytes, offset: object) -> Any:
    headers = {"Upload-Offset": str(offset), "Accept": "application/json"}
    return client.patch(url, chunk, headers=headers)


@pytest.fixture
def client(signed_in: SignIn, producer: User) -> Client:
    return signed_in(producer)


def test_chunks_add_up_to_the_file(client: Client, project: Project) -> None:
    begun = begin(client, project)
    assert begun.status_code == 201
    url = begun.json()["url"]
    assert patch(client, url, b"01234", 0).json()["offset_bytes"] == 5
    assert patch(client, url, b"56789", 5).json()["offset_bytes"] == 10
    form = {"title": "", "language": "en", "upload": begun.json()["id"]}
    client.post(reverse("synthesis:scene_new", args=[project.id]), form)
    with Scene.objects.get().file.open() as kept:
        assert kept.read() == b"0123456789"


def test_the_server_says_how_far_an_upload_got(
    client: Client, project: Project
) -> None:
    url = begin(client, project).json()["url"]
    patch(client, url, b"0123", 0)
    assert client.get(url).json() == {"offset_bytes": 4, "size_bytes": 10}
    assert client.head(url)["Upload-Offset"] == "4"


def test_a_chunk_at_the_wrong_place_is_answered_with_the_right_one(
    client: Client, project: Project
) -> None:
    url = begin(client, project).json()["url"]
    patch(client, url, b"0123", 0)
    twice = patch(client, url, b"0123", 0)
    assert twice.status_code == 409
    assert twice.json()["offset_bytes"] == 4


def test_more_bytes_than_announced_are_refused(
    client: Client, project: Project
) -> None:
    url = begin(client, project).json()["url"]
    refused = patch(client, url, b"0" * 11, 0)
    assert refused.status_code == 400
    assert refused.json()["code"] == "too-many-bytes"


@pytest.mark.parametrize("offset", ["", "five", "1.5"])
def test_a_chunk_must_say_where_it_belongs(
    client: Client, project: Project, offset: str
) -> None:
    url = begin(client, project).json()["url"]
    assert patch(client, url, b"0123", offset).status_code == 400


def test_a_chunk_is_neither_empty_nor_huge(client: Client, project: Project) -> None:
    url = begin(client, project, size_bytes=20 << 20).json()["url"]
    assert patch(client, url, b"", 0).status_code == 413
    assert patch(client, url, b"0" * ((8 << 20) + 1), 0).status_code == 413


def test_a_cancelled_upload_is_gone(client: Client, project: Project) -> None:
    url = begin(client, project).json()["url"]
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    assert not Upload.objects.exists()


def test_an_unfinished_upload_makes_no_scene(client: Client, project: Project) -> None:
    begun = begin(client, project).json()
    patch(client, begun["url"], b"0123", 0)
    form = {"title": "", "language": "en", "upload": begun["id"]}
    url = reverse("synthesis:scene_new", args=[project.id])
    answer = client.post(url, form, follow=True)
    assert "4 of 10 bytes" in answer.content.decode()
    assert not Scene.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"size_bytes": 0},
        {"size_bytes": -4},
        {"size_bytes": "many"},
        {"size_bytes": None},
        {"size_bytes": 10**15},
    ],
)
def test_an_impossible_size_is_refused_with_a_sentence(
    client: Client, project: Project, body: dict[str, Any]
) -> None:
    refused = begin(client, project, **body)
    assert refused.status_code == 400
    assert refused.json()["sentence"].endswith(".")
    assert not Upload.objects.exists()


def test_what_is_no_json_is_refused(client: Client, project: Project) -> None:
    url = reverse("synthesis:upload_begin", args=[project.id])
    answer = client.post(url, b"hello", content_type="application/json")
    assert answer.status_code == 400


def test_an_upload_belongs_to_who_began_it(
    client: Client,
    signed_in: SignIn,
    reviewer: User,
    other_producer: User,
    project: Project,
) -> None:
    url = begin(client, project).json()["url"]
    for other in (reviewer, other_producer):
        assert signed_in(other).get(url).status_code == 404
        assert patch(signed_in(other), url, b"01", 0).status_code == 404
        assert signed_in(other).delete(url).status_code == 404


def test_only_producers_of_the_project_begin_one(
    signed_in: SignIn,
    reviewer: User,
    other_producer: User,
    stranger: User,
    project: Project,
) -> None:
    assert begin(signed_in(reviewer), project).status_code == 403
    assert begin(signed_in(other_producer), project).status_code == 404
    assert begin(signed_in(stranger), project).status_code == 404


def test_an_upload_of_another_project_makes_no_scene_here(
    client: Client, producer: User, project: Project
) -> None:
    from consent.models import Membership, Role

    second = Project.objects.create(name="Second", company="Harbour Pictures")
    Membership.objects.create(project=second, user=producer, role=Role.PRODUCER)
    begun = begin(client, project).json()
    patch(client, begun["url"], b"0123456789", 0)
    form = {"title": "", "language": "en", "upload": begun["id"]}
    client.post(reverse("synthesis:scene_new", args=[second.id]), form)
    assert not Scene.objects.exists()


def test_an_unknown_upload_is_not_found(client: Client) -> None:
    url = reverse("synthesis:upload", args=[uuid.uuid4()])
    assert client.get(url).status_code == 404
