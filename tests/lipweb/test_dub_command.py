"""manage.py dub says what a dub holds, before anything is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from consent.models import Actor, Grant, LedgerEntry, Project
from lipweb.management.commands import dub as command
from lipweb.models import User
from synthesis.models import Dub, FaceSighting, Render, Scene, Track
from synthesis.services.scenes import track_assign
from tests.footage import make_sound
from tests.synthesis.production import (  # noqa: F401
    grant_signed,
    passkey,
    rate,
    scene,
)


@pytest.fixture
def grant(
    project: Project,
    actor: Actor,
    producer: User,
    passkey: Any,  # noqa: F811
) -> Grant:
    excluded = ("politics", "violence")
    return grant_signed(project, actor, producer, passkey, excluded_content=excluded)


@pytest.fixture
def film(
    scene: Scene,  # noqa: F811
    actor: Actor,
    producer: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The scene's file, analysed already. The face guard knows nothing of its faces:
    it is what stops a dub that consent allows, before a worker is needed."""

    @contextmanager
    def the_tests_have_their_own() -> Iterator[None]:
        yield

    monkeypatch.setattr(command, "queue_and_worker", the_tests_have_their_own)
    for track in Track.objects.filter(shot__scene=scene):
        track_assign(track=track, actor=actor, acting_user=producer)
    FaceSighting.objects.update(verdict="unknown")
    path = tmp_path / "pier.mp4"
    with scene.file.open() as file:  # the very bytes: it is known by their hash
        path.write_bytes(file.read())
    return path


def refusal(film: Path, grant: Grant, *holds: str) -> str:
    sound = make_sound(film.with_name("linea.wav"))
    words = [film, sound, "--grant", grant.id, "--language", "es", *holds]
    with pytest.raises(CommandError) as refused:
        call_command("dub", *map(str, words))
    assert not Render.objects.exists()
    return str(refused.value)


def declared() -> list[Any]:
    entries = LedgerEntry.objects.filter(kind="dub-content-declared").order_by("index")
    return [entry.payload["content"] for entry in entries]


def test_what_nobody_said_is_asked_for_where_a_grant_excludes_any(
    film: Path, grant: Grant
) -> None:
    assert "nobody has said yet" in refusal(film, grant)
    assert Dub.objects.get().content is None
    assert declared() == []


def test_a_dub_that_holds_what_is_excluded_is_refused_in_words(
    film: Path, grant: Grant
) -> None:
    told = refusal(film, grant, "--holds", "violence", "sex")
    assert "never for violence, and this holds it" in told
    assert declared() == [["sex", "violence"]]


@pytest.mark.parametrize("holds", [[], ["sex"]])
def test_what_is_not_excluded_or_nothing_goes_on_to_the_face(
    film: Path, grant: Grant, holds: list[str]
) -> None:
    assert "[face-not-enrolled]" in refusal(film, grant, "--holds", *holds)
    assert Dub.objects.get().content == holds
    assert declared() == [holds]


def test_a_kind_that_no_grant_knows_is_refused_before_anything_is_touched(
    film: Path, grant: Grant
) -> None:
    assert "invalid choice: 'boxing'" in refusal(film, grant, "--holds", "boxing")
    assert not Dub.objects.exists()
