"""The actor's history, what is kept about them, and deleting what is of their face."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from consent import merkle
from consent.checkpoint import LedgerKey, verify_checkpoint
from consent.encoding import base64_bytes
from consent.models import (
    Casting,
    Grant,
    LedgerEntry,
    Membership,
    Notice,
    Project,
    Role,
)
from consent.seams import FaceStore, Made, seams
from consent.services.grants import grant_decline, grant_propose
from tests.consent.conftest import Cast, terms
from tests.consent.views.test_pages import as_user, words

MakeGrant = Callable[..., Grant]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Something to forget: codes and how many are kept."""
    counts = {"masks": 3, "moulds": 0}

    def store(code: str) -> FaceStore:
        def forget(actor: Any, acting_user: Any) -> int:
            count, counts[code] = counts[code], 0
            return count

        return FaceStore(
            code=code,
            title=lambda: f"Plaster {code}",
            what_for=lambda: "For the theatre.",
            count=lambda actor: counts[code],
            forget=forget,
        )

    monkeypatch.setattr(seams, "face_stores", [store(code) for code in counts])
    yield counts


# History


def test_everything_that_happened_is_there_newest_first(
    cast: Cast, sign: MakeGrant, propose: MakeGrant
) -> None:
    sign()
    grant_decline(grant=propose(), acting_user=cast.actor_user)
    page = words(as_user(cast.actor_user).get("/me/"))
    history = page[page.index('id="history"') :]
    places = [history.index(f">{word}<") for word in ("Declined", "Signed")]
    assert places == sorted(places)
    assert history.count(">Asked<") == 2


def test_one_production_can_be_looked_at_alone(cast: Cast, propose: MakeGrant) -> None:
    other = Project.objects.create(name="The Desert", company="Dune Films")
    Membership.objects.create(project=other, user=cast.producer, role=Role.PRODUCER)
    Casting.objects.create(project=other, actor=cast.actor, invited_by=cast.producer)
    grant_propose(
        project=other,
        actor=cast.actor,
        terms=terms(scenes=None),
        acting_user=cast.producer,
    )
    propose()
    client = as_user(cast.actor_user)
    alone = words(client.get(f"/me/?production={other.id}"))
    alone = alone[alone.index('class="inbox history"') :]
    assert "Dune Films asked for your consent in The Desert" in alone
    assert "Harbour Lights" not in alone
    assert "Harbour Lights" in words(client.get("/me/?production=nonsense"))


def test_a_long_history_has_pages(
    cast: Cast, propose: MakeGrant, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = propose().project_id
    made = [
        Made(title=f"File {n}", state="Made", at=timezone.now(), project=project)
        for n in range(45)
    ]
    monkeypatch.setattr(seams, "made_with", lambda actor: made)
    client = as_user(cast.actor_user)
    assert words(client.get("/me/")).count(">Made<") == 20
    assert "Page 3 of 3" in words(client.get("/me/?page=3"))


# Taking everything away


def test_the_file_is_streamed_to_the_actor_and_to_nobody_else(
    cast: Cast, sign: MakeGrant
) -> None:
    sign()
    for user in (cast.producer, cast.stranger):
        assert as_user(user).post("/me/data/").status_code == 404
    client = as_user(cast.actor_user)
    assert "Download it (zip)" in words(client.get("/me/data/"))
    answer = client.post("/me/data/")
    assert answer.streaming
    assert "no-store" in answer["Cache-Control"]
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as archive:
        assert archive.testzip() is None
        assert "README.txt" in archive.namelist()


# Deleting what is of the face


def test_nothing_is_deleted_without_the_tick(cast: Cast, kept: dict[str, int]) -> None:
    answer = as_user(cast.actor_user).post("/me/face/")
    assert answer.status_code == 422
    assert "Nothing was deleted. Tick this first." in words(answer)
    assert kept["masks"] == 3


def test_everything_is_deleted_logged_told_and_receipted(
    cast: Cast, sign: MakeGrant, kept: dict[str, int]
) -> None:
    grant, client = sign(), as_user(cast.actor_user)
    page = words(client.get("/me/face/"))
    assert "Plaster masks" in page and "3 kept" in page
    answer = client.post("/me/face/", {"sure": "yes"})
    entry = LedgerEntry.objects.get(kind="face-data-deleted")
    assert entry.payload["deleted"] == {"masks": 3, "moulds": 0}
    assert answer.url == reverse("consent:face_deleted", args=[entry.index])
    receipt = words(client.get(answer.url))
    assert "3 deleted" in receipt and "moulds" not in receipt
    assert Notice.objects.get(kind="own-face-deleted").user == cast.actor_user
    assert Notice.objects.get(kind="face-deleted").user == cast.producer
    assert Grant.objects.get(pk=grant.pk).status == "active"
    assert "Nothing is kept that was measured" in words(client.get("/me/face/"))
    assert client.post("/me/face/", {"sure": "yes"}).status_code == 403


def test_the_receipt_of_a_deletion_proves_that_the_log_tells_of_it(
    cast: Cast, kept: dict[str, int]
) -> None:
    client = as_user(cast.actor_user)
    place = client.post("/me/face/", {"sure": "yes"}).url
    proof = json.loads(client.get(f"{place}proof.json").content)
    key = LedgerKey.from_text(proof["ledger_key"])
    checkpoint = verify_checkpoint(proof["checkpoint"], key)
    content = proof["entry"]["content"].encode()
    merkle.verify_inclusion(
        leaf=merkle.leaf_hash(content),
        index=json.loads(content)["index"],
        size=checkpoint.size,
        proof=tuple(base64_bytes(node) for node in proof["entry"]["proof"]),
        root=checkpoint.root,
    )
    assert json.loads(content)["payload"]["deleted"]["masks"] == 3


def test_nobody_deletes_or_reads_it_for_them(cast: Cast, kept: dict[str, int]) -> None:
    place = as_user(cast.actor_user).post("/me/face/", {"sure": "yes"}).url
    for user in (cast.producer, cast.reviewer, cast.stranger):
        client = as_user(user)
        assert client.post("/me/face/", {"sure": "yes"}).status_code == 404
        assert client.get(place).status_code == 404
        assert client.get(f"{place}proof.json").status_code == 404
