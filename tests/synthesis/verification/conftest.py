"""A page that is asked about files, as a program asks."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.conftest import manage_environment
from tests.synthesis.marked import marked, recorded  # noqa: F401
from tests.synthesis.provenance.conftest import Studio, encode, film, studio_in

JSON = {"Accept": "application/json"}


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    """A maker of files whom this house does not know."""
    small = film(1, width=160, height=96, frames=10)
    return studio_in(tmp_path, encode(tmp_path / "scene.mp4", small))


@pytest.fixture
def in_test_database(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks into a file reads the database of the tests."""
    monkeypatch.setenv("DATABASE_URL", manage_environment()["DATABASE_URL"])


@pytest.fixture
def asked(in_test_database: None) -> Callable[..., dict[str, Any]]:
    """asked(path) sends a file as a program does, and waits for the answer."""

    def ask(path: Path, *, name: str = "clip.mp4") -> dict[str, Any]:
        file = SimpleUploadedFile(name, path.read_bytes())
        client = Client()
        url = reverse("synthesis:verify")
        answer = client.post(url, {"file": file}, headers=JSON)
        assert answer.status_code == 202, answer.content
        return answer_at(client, answer.json()["address"])

    return ask


def answer_at(client: Client, address: str, **options: Any) -> dict[str, Any]:
    """The answer that comes under an address, within a minute."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        answer = client.get(address, headers=JSON, **options)
        if answer.status_code != 202:
            return dict(answer.json())
        time.sleep(0.1)
    raise AssertionError("no answer within a minute")
