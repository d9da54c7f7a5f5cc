"""The public verify page."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from synthesis.provenance.verdict import Code
from synthesis.verification import pages
from tests.synthesis.production import video_bytes

pytestmark = pytest.mark.django_db
JSON = {"Accept": "application/json"}


@pytest.fixture
def url() -> str:
    return reverse("synthesis:verify")


def test_anyone_may_open_the_page(url: str) -> None:
    words = Client().get(url).content.decode()
    assert "Verify a file" in words
    assert "nothing is kept" in words


def test_a_file_without_marks_is_said_to_have_none(url: str) -> None:
    file = SimpleUploadedFile("clip.mp4", video_bytes())
    words = Client().post(url, {"file": file}).content.decode()
    assert "Nothing was found" in words
    assert "proves" in words


def test_the_answer_comes_as_json_on_request(url: str) -> None:
    file = SimpleUploadedFile("clip.mp4", video_bytes())
    answer = Client().post(url, {"file": file}, headers=JSON).json()
    assert answer["credential"]["state"] == "absent"
    assert answer["mark"]["found"] is False
    assert answer["deliverable"] is None
    assert answer["consent"] == []
    assert answer["code"] == Code.NOTHING


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("notes.mp4", b"This is a text."),
        ("../../🎬.mp4", b"\0" * 5000),
        ("cut.mp4", video_bytes()[:3000]),
        ("<script>alert(1)</script>.mp4", b"x"),
    ],
)
def test_any_rubbish_gets_a_calm_answer(url: str, name: str, data: bytes) -> None:
    file = SimpleUploadedFile(name, data)
    answer = Client().post(url, {"file": file})
    assert answer.status_code == 200
    words = answer.content.decode()
    assert "<script>alert" not in words
    assert "Nothing was found" in words or "broken" in words


def test_nothing_is_kept_of_the_file(url: str, tmp_path: Path, settings) -> None:
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    data = video_bytes() + b"\0" * (2 << 20)  # large enough to be spooled to disk
    before = media_digests(settings.MEDIA_DIR)
    Client().post(url, {"file": SimpleUploadedFile("clip.mp4", data)})
    assert list(tmp_path.iterdir()) == []
    assert media_digests(settings.MEDIA_DIR) == before


def media_digests(folder: Path) -> set[str]:
    files = (path for path in Path(folder).rglob("*") if path.is_file())
    return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_missing_file_is_said_to_be_missing(url: str) -> None:
    answer = Client().post(url, {})
    assert answer.status_code == 400
    assert "Choose a file" in answer.content.decode()


def test_a_file_over_the_limit_is_refused_before_it_is_read(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MAX_BYTES", 1000)
    file = SimpleUploadedFile("clip.mp4", b"0" * 100_000)
    assert Client().post(url, {"file": file}).status_code == 413


def test_an_address_that_asks_too_often_waits(url: str) -> None:
    client = Client()
    for _ in range(pages.FILES.most):
        assert client.post(url, {}).status_code == 400
    refused = client.post(url, {})
    assert refused.status_code == 429
    assert "Wait ten minutes" in refused.content.decode()
    assert Client(REMOTE_ADDR="192.0.2.7").post(url, {}).status_code == 400


@pytest.mark.parametrize("code", list(Code))
def test_every_verdict_has_a_short_form(code: Code) -> None:
    _, short = pages.SHORT[code]
    assert 5 < len(short) < 60


def test_what_a_stranger_wrote_into_a_manifest_is_escaped() -> None:
    result = {
        "credential": {
            "state": "invalid",
            "problems": ["<img src=x onerror=alert(1)>"],
            "signer": "<b>Trust me</b>",
            "title": "<i>Film</i>",
            "generator": "<svg onload=alert(1)>",
            "ingredients": [
                {
                    "title": "<u>Scene</u>",
                    "state": "invalid",
                    "problems_said": ["<s>no</s>"],
                }
            ],
            "manifest_id": "urn:c2pa:x",
        },
        "mark": {"found": False, "id": None},
        "deliverable": None,
        "consent": [],
        "code": "foreign-credential-broken",
        "verdict": "Broken.",
    }
    words = render_to_string(
        "synthesis/verification/_result.html",
        {"result": result, "short": "Broken", "steps": ["<a href=x>"]},
    )
    assert "<img" not in words
    for tag in ("<b>Trust", "<i>Film", "<svg", "<a href", "<u>Scene", "<s>no"):
        assert tag not in words
    assert "own credential broken" in words
    assert "none of this is proven" in words
    assert "&lt;b&gt;Trust me" in words
