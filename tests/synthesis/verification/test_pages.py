"""The public verify page: who may ask, how much, and what is said of a file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from synthesis.models import Deliverable
from synthesis.provenance.verdict import Code
from synthesis.services.verification import file_verify
from synthesis.verification import pages
from synthesis.verification.words import CHANGED, SHORT, told
from tests.synthesis.marked import Marked
from tests.synthesis.production import video_bytes
from tests.synthesis.provenance.conftest import decode, encode, film, remuxed
from tests.synthesis.verification.conftest import JSON, answer_at

pytestmark = pytest.mark.django_db
Asked = Callable[..., dict[str, Any]]


@pytest.fixture
def url() -> str:
    return reverse("synthesis:verify")


def clip(content: bytes = b"x", name: str = "clip.mp4") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_anyone_may_open_the_page_in_either_language(url: str) -> None:
    words = Client().get(url).content.decode()
    assert "Verify a file" in words
    assert "nothing is kept" in words
    assert "Up to 512 MB" in words
    german = Client().get(url, headers={"Accept-Language": "de"}).content.decode()
    assert "Datei prüfen" in german
    assert "Bis zu 512 MB" in german


def test_a_file_leads_to_a_page_that_waits_and_then_says_what_it_is(
    url: str, in_test_database: None
) -> None:
    client = Client()
    sent = client.post(url, {"file": clip(video_bytes(), "harbour.mp4")})
    assert sent.status_code == 302
    waiting = client.get(sent.url)
    assert waiting["Cache-Control"].count("no-store") == 1
    assert 'http-equiv="refresh"' in waiting.content.decode()
    assert f'hx-get="{sent.url}"' in waiting.content.decode()
    assert answer_at(client, sent.url)["code"] == Code.NOTHING
    words = client.get(sent.url).content.decode()
    assert "harbour.mp4" in words
    assert "Nothing was found" in words
    assert "proves nothing" in words
    assert "refresh" not in words
    part = client.get(sent.url, headers={"HX-Request": "true"}).content.decode()
    assert "Nothing was found" in part
    assert "hx-get" not in part
    assert "<html" not in part
    german = client.get(sent.url, headers={"Accept-Language": "de"}).content.decode()
    assert "Nichts gefunden" in german


def test_a_program_is_told_where_the_answer_will_be(
    url: str, in_test_database: None
) -> None:
    client = Client()
    sent = client.post(url, {"file": clip(video_bytes())}, headers=JSON)
    assert sent.status_code == 202
    assert sent["Location"] == sent.json()["address"]
    assert sent["Retry-After"] == "1"
    answer = answer_at(client, sent["Location"])
    assert answer["credential"]["state"] == "absent"
    assert answer["mark"]["found"] is False
    assert answer["looked"]["seen"] == "all"
    assert answer["deliverable"] is None
    assert answer["consent"] == []


@pytest.mark.django_db(transaction=True)
def test_the_page_says_of_our_files_what_the_command_says(
    asked: Asked, recorded: Deliverable, marked: Marked, tmp_path: Path
) -> None:
    whole = asked(marked.signed)
    assert (whole["code"], whole["consent"][0]["actor"]) == (Code.UNCHANGED, "Robin")
    stripped = remuxed(marked.signed, tmp_path / "stripped.mp4")
    assert asked(stripped)["code"] == Code.STRIPPED


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("<script>alert(1)</script>.mp4", b"This is a text.", "no moving picture"),
        ("../../🎬\u202e4pm.mp4", b"\0" * 5000, "could not be read"),
        ("cut.mp4", video_bytes()[:3000], "could not be read"),
    ],
)
def test_any_rubbish_gets_a_calm_answer(
    url: str, in_test_database: None, name: str, data: bytes, said: str
) -> None:
    client = Client()
    sent = client.post(url, {"file": clip(data, name)})
    assert answer_at(client, sent.url)["code"] in (Code.NOTHING, Code.FOREIGN_BROKEN)
    words = client.get(sent.url).content.decode()
    assert "<script>alert" not in words
    assert "\u202e" not in words
    assert said in words


def test_a_missing_file_is_said_to_be_missing(url: str) -> None:
    for form in ({}, {"file": clip(b"")}):
        answer = Client().post(url, form)
        assert answer.status_code == 400
        assert "Choose a file" in answer.content.decode()


def test_a_file_over_the_limit_is_refused_before_it_is_read(
    url: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.VERIFY_MAX_BYTES = 1000
    monkeypatch.setattr(pages, "NamelessUpload", None)
    answer = Client().post(url, {"file": clip(b"0" * 100_000)}, headers=JSON)
    assert answer.status_code == 413
    assert "than the 1 kB taken here" in answer.json()["sentence"]


def test_a_file_a_little_over_the_limit_is_refused_while_it_is_read(
    url: str, settings: Any
) -> None:
    settings.VERIFY_MAX_BYTES = 1000
    for form in ({"file": clip(b"0" * 1001)}, {"other": clip(b"0" * 1001)}):
        assert Client().post(url, form).status_code == 413


def test_an_address_that_asks_too_often_waits(url: str) -> None:
    client = Client()
    for _ in range(pages.FILES.most):
        assert client.post(url, {}).status_code == 400
    refused = client.post(url, {})
    assert refused.status_code == 429
    assert "Wait ten minutes" in refused.content.decode()
    assert Client(REMOTE_ADDR="192.0.2.7").post(url, {}).status_code == 400


def test_the_addresses_of_one_ipv6_network_count_as_one(url: str) -> None:
    for number in range(pages.FILES.most):
        Client(REMOTE_ADDR=f"2001:db8::{number:x}").post(url, {})
    assert Client(REMOTE_ADDR="2001:db8::abcd").post(url, {}).status_code == 429
    assert Client(REMOTE_ADDR="2001:db8:1::1").post(url, {}).status_code == 400


def test_a_form_from_elsewhere_is_refused(url: str) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(url, {"file": clip()}).status_code == 403


def test_a_ticket_that_nobody_has_opens_nothing() -> None:
    for ticket in ("A" * 43, "short", "A" * 42 + "é"):
        address = reverse("synthesis:verify_answer", args=[ticket])
        answer = Client().get(address)
        assert answer.status_code == 410
        assert "deleted" in answer.content.decode()
        leave = reverse("synthesis:verify_leave", args=[ticket])
        assert Client().post(leave).status_code == 302
        assert Client().get(leave).status_code == 405


@pytest.mark.parametrize("code", list(Code))
def test_every_verdict_has_a_short_form(code: Code) -> None:
    _, short = SHORT[code]
    assert 5 < len(short) < 60
    assert code not in CHANGED or CHANGED[code][1]


# What a stranger wrote


def claimed(**credential: Any) -> dict[str, Any]:
    """An answer of file_verify about a credential that says so."""
    nothing = dict.fromkeys(("signer", "title", "generator", "when", "oversight"), "")
    lists: dict[str, Any] = {
        one: [] for one in ("problems", "actions", "ingredients", "updates")
    }
    return {
        "credential": {"state": "invalid", **nothing, **lists, **credential},
        "mark": {"found": False, "id": None},
        "looked": {"seen": "all", "seconds": 2.0, "of_seconds": 2.0},
        "deliverable": None,
        "consent": [],
        "code": "foreign-credential-broken",
        "verdict": "Broken.",
    }


def shown(result: dict[str, Any]) -> str:
    context = {"result": result, "name": "clip.mp4", **told(result)}
    return render_to_string("synthesis/verification/_result.html", context)


def test_what_a_stranger_wrote_into_a_manifest_is_escaped_and_kept_apart() -> None:
    words = shown(
        claimed(
            problems=["<img src=x onerror=alert(1)>"],
            signer="<b>Trust me</b>",
            title="<i>Film</i>",
            generator="<svg onload=alert(1)>",
            actions=["<a href=x>"],
            updates=[{"action": "<q>", "when": "<em>", "consent": ""}],
            ingredients=[
                {
                    "title": "<u>Scene</u>",
                    "state": "invalid",
                    "problems": ["<s>no</s>"],
                }
            ],
        )
    )
    tags = set(re.findall(r"<([a-z0-9]+)", words))
    allowed = "section div h2 h3 p dl dt dd ul li br span bdi a"
    assert tags == set(allowed.split())
    assert "own credential broken" in words
    assert "none of this is proven" in words
    # What is written from right to left must not turn the words round it.
    assert "<bdi>&lt;b&gt;Trust me&lt;/b&gt;</bdi>" in words


def test_a_signer_that_nobody_vouches_for_is_said_to_be_unknown() -> None:
    result = claimed(state="valid", signer="lipwеb") | {"code": "foreign-credential"}
    words = shown(result)
    assert "Not known to this server" in words
    assert "anybody can sign under any name" in words


def test_a_broken_ingredient_is_told_of_under_a_sound_claim() -> None:
    broken = {"title": "Music", "state": "invalid", "problems": ["claim.missing"]}
    whole = {"title": "Picture", "state": "trusted", "problems": []}
    result = claimed(state="trusted", ingredients=[broken, whole])
    words = shown(result | {"code": "foreign-credential"})
    assert "something it was made from is broken" in words
    assert words.index("own credential broken") < words.index("own credential, signer")
    assert "makes no claim" in words


# Nothing is kept


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_nothing_is_kept_of_a_file(
    url: str, in_test_database: None, tmp_path: Path
) -> None:
    ours = [path for path in files_in(settings.DATA_DIR) if "queue" not in path.parts]
    client = Client()
    content = video_bytes() + b"\0" * (3 << 20)
    sent = client.post(url, {"file": clip(content, "secret-name.mp4")})
    answer_at(client, sent.url)
    new = files_in(settings.DATA_DIR) - set(ours)
    names = {path.name for path in new if "queue" not in path.parts}
    assert not {name for name in names if not name.startswith("verify-")}
    assert all(path.stat().st_size == 0 for path in new if "verify-" in path.name)
    assert not open_files("deleted")


def open_files(word: str) -> list[str]:
    """What this process holds open whose path has the word in it."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(one)
        except OSError:
            continue
        if word in target and str(settings.DATA_DIR) in target:
            found.append(target)
    return found


def test_a_film_longer_than_is_searched_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(video_bytes())
    found = file_verify(path, seek_s=0)
    assert found["looked"]["seen"] == "part"
    assert "Only the first 0:00 of 0:02" in found["verdict"]
    whole = file_verify(path)
    assert whole["looked"] == {"seen": "all", "seconds": 2.0, "of_seconds": 2.0}
    assert "Only the first" not in whole["verdict"]


def test_a_clip_that_breaks_off_is_recovered_by_its_mark(
    recorded: Deliverable, marked: Marked, tmp_path: Path
) -> None:
    stream = remuxed(marked.signed, tmp_path / "stripped.ts")
    content = stream.read_bytes()
    stream.write_bytes(content[: len(content) * 9 // 10])
    assert file_verify(stream)["code"] == Code.STRIPPED


def test_a_clip_cropped_and_compressed_again_is_recovered_by_its_mark(
    recorded: Deliverable, marked: Marked, tmp_path: Path
) -> None:
    lumas = [y[24:-24, 40:-40] for y, _, _ in decode(marked.signed)]
    ripped = encode(tmp_path / "ripped.mp4", lumas, crf=28)
    found = file_verify(ripped)
    assert found["code"] == Code.STRIPPED
    assert found["consent"][0]["actor"] == "Robin"


def test_a_small_film_of_nobody_is_nothing(tmp_path: Path) -> None:
    small = encode(tmp_path / "s.mp4", film(1, width=160, height=96, frames=3))
    told_of: list[tuple[str, float | None]] = []
    found = file_verify(small, report=lambda *step: told_of.append(step))
    assert found["code"] == Code.NOTHING
    assert [step for step, _ in told_of][:2] == ["credential", "mark"]
    assert told_of[-1] == ("record", None)
