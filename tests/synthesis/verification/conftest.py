"""Films of this house and of others, and a page that is asked about them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from synthesis import house_keys
from synthesis.media.probe import sha256_file
from synthesis.models import Deliverable
from synthesis.provenance.fingerprint import Fingerprint
from synthesis.provenance.manifest import sign
from synthesis.provenance.mark import Embedder
from tests.conftest import manage_environment
from tests.synthesis.provenance.conftest import (
    MARK_ID,
    Studio,
    encode,
    film,
    studio_in,
)

JSON = {"Accept": "application/json"}


@dataclass(frozen=True)
class Marked:
    """A two-second film with this house's mark, unsigned and signed by the house; and a
    studio elsewhere, which this house does not know."""

    plain: Path
    signed: Path
    manifest_id: str
    fingerprint: bytes
    stranger: Studio


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Marked:
    folder = tmp_path_factory.mktemp("marked")
    lumas = film(5)
    _, key = house_keys.all_mark_keys()[0]
    embedder, fingerprint = Embedder(key, MARK_ID, 640, 360), Fingerprint(Fraction(25))
    for luma in lumas:
        embedder.apply(luma)
        fingerprint.push(luma)
    plain = encode(folder / "plain.mp4", lumas)
    stranger = studio_in(folder, plain)
    signed = sign(
        plain,
        folder / "signed.mp4",
        facts=stranger.facts,
        signer=house_keys.signer(),
        anchors=house_keys.anchors(),
    )
    return Marked(
        plain,
        folder / "signed.mp4",
        signed.manifest_id,
        fingerprint.bytes(),
        stranger,
    )


@pytest.fixture
def recorded(deliverable: Deliverable, marked: Marked) -> Deliverable:
    """The house's record of the marked film."""
    deliverable.sha256 = sha256_file(marked.signed)
    deliverable.manifest_id = marked.manifest_id
    deliverable.mark_id = MARK_ID.hex()
    deliverable.fingerprint = marked.fingerprint
    deliverable.save()
    return deliverable


@pytest.fixture
def in_test_database(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks into a file reads the database of the tests."""
    monkeypatch.setenv("DATABASE_URL", manage_environment().get("DATABASE_URL", ""))
    monkeypatch.setattr(os, "environ", os.environ)


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
