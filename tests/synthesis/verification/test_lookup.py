"""The Soft Binding Resolution API: from a mark to a manifest, for anyone."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import schemathesis
from django.conf import settings as django_settings
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.http import HttpResponse
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.openapi import from_wsgi
from schemathesis.specs.openapi.checks import positive_data_acceptance

from lipweb.models import User
from synthesis import house_keys
from synthesis.models import Deliverable
from synthesis.provenance.mark import ALGORITHM
from synthesis.provenance.read import read_credential
from synthesis.provenance.store import active_manifest
from synthesis.services.manifests import manifest_renew
from synthesis.services.review import decision_make
from synthesis.verification import looking, lookup
from tests.synthesis.production import video_bytes

pytestmark = pytest.mark.django_db
BASE = "/c2pa/v1"
for video in ("video/mp4", "video/*"):
    schemathesis.serializer.alias(video, "application/octet-stream")


@pytest.fixture
def released(signed_deliverable: Deliverable, reviewer_of_demo: User) -> Deliverable:
    """A signed file that a reviewer approved, its release in its credential."""
    decision_make(
        deliverable=signed_deliverable,
        sha256=signed_deliverable.sha256,
        verdict="approved",
        reason="",
        acting_user=reviewer_of_demo,
    )
    assert manifest_renew(deliverable=signed_deliverable) is not None
    return signed_deliverable


def by_binding(value: str, alg: str = ALGORITHM, **more: str) -> HttpResponse:
    query = {"alg": alg, "value": value, **more}
    return Client().get(f"{BASE}/matches/byBinding", query)


def ids(answer: HttpResponse) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [one["manifestId"] for one in answer.json()["matches"]]


def test_a_mark_leads_to_the_manifest_of_its_file(released: Deliverable) -> None:
    """In the address or the body, as in the assertion or in base64."""
    spelt = base64.b64encode(released.mark_id.encode()).decode()
    for value in (released.mark_id, spelt):
        assert ids(by_binding(value)) == [released.manifest_id]
    answer = Client(enforce_csrf_checks=True).post(
        f"{BASE}/matches/byBinding",
        json.dumps({"alg": ALGORITHM, "value": released.mark_id}),
        content_type="application/json",
    )
    assert ids(answer) == [released.manifest_id]
    assert ids(by_binding("f" * 16)) == []


def test_a_file_that_was_not_released_is_not_spoken_of(
    signed_deliverable: Deliverable,
) -> None:
    assert ids(by_binding(signed_deliverable.mark_id)) == []
    url = f"{BASE}/manifests/{signed_deliverable.manifest_id}"
    assert Client().get(url).status_code == 404


@pytest.mark.parametrize(
    ("value", "alg", "most", "code"),
    [
        ("00" * 8, "com.example.other", "1", "unknown-algorithm"),
        ("no mark", ALGORITHM, "1", "bad-binding"),
        ("A" * 2000, ALGORITHM, "1", "bad-binding"),
        ("00" * 8, ALGORITHM, "0", "bad-query"),
        ("00" * 8, ALGORITHM, "many", "bad-query"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_why(
    value: str, alg: str, most: str, code: str
) -> None:
    answer = by_binding(value, alg, maxResults=most)
    assert answer.status_code == 400
    assert answer.json()["code"] == code


def test_the_newest_store_is_given_and_no_picture_after_a_withdrawal(
    released: Deliverable, revoke: Callable[[], None]
) -> None:
    url = f"{BASE}/manifests/{released.manifest_id}"
    newest = released.manifest_updates.get()
    store = bytes(newest.store)
    for name in (released.manifest_id, newest.manifest_id):
        answer = Client().get(f"{BASE}/manifests/{name}")
        assert answer["Content-Type"] == "application/c2pa"
        assert answer.content == store
    found = read_credential(
        Path(released.file.path), anchors=house_keys.anchors(), store=store
    )
    assert (found.state, found.first_id) == ("trusted", released.manifest_id)

    alone = Client().get(f"{url}?returnActiveManifest=true").content
    assert alone == active_manifest(store) == active_manifest(alone)
    assert b"c2pa.published" in alone
    assert ALGORITHM.encode() in store
    assert ALGORITHM.encode() not in alone  # the first manifest, with its thumbnail

    revoke()
    assert Client().get(url).content == alone
    row = manifest_renew(deliverable=Deliverable.objects.get())
    assert row is not None
    content = Client().get(url).content
    assert content == active_manifest(bytes(row.store))
    assert b"withdrawn" in content


def test_a_store_that_is_none_is_refused_by_the_reader_of_boxes() -> None:
    for content in (b"", b"jumb", b"\0\0\0\x08jumb", b"\0\0\0\x10free" + b"\0" * 8):
        with pytest.raises((ValueError, IndexError)):
            active_manifest(content)


def test_a_video_leads_to_the_manifest_of_the_file_it_was_made_from(
    released: Deliverable,
) -> None:
    def look_up(content: bytes) -> list[str]:
        url = f"{BASE}/matches/byContent"
        return ids(Client().post(url, content, content_type="video/mp4"))

    assert look_up(Path(released.file.path).read_bytes()) == [released.manifest_id]
    assert look_up(video_bytes()) == []


def test_only_videos_are_looked_at() -> None:
    answer = Client().post(f"{BASE}/matches/byContent", b"x", content_type="image/png")
    assert answer.status_code == 415


def test_a_body_over_the_limit_is_refused_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(django_settings, "VERIFY_MAX_BYTES", 10)
    answer = Client().post(
        f"{BASE}/matches/byContent", b"x" * 11, content_type="video/mp4"
    )
    assert answer.status_code == 413


def test_nothing_is_kept_of_a_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = set(django_settings.DATA_DIR.iterdir())
    Client().post(f"{BASE}/matches/byContent", video_bytes(), content_type="video/mp4")
    new = set(django_settings.DATA_DIR.iterdir()) - before
    assert [*tmp_path.iterdir(), *(one for one in new if one.stat().st_size)] == []


def test_an_address_that_asks_too_often_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(lookup.QUERIES.most):
        lookup.QUERIES.count("127.0.0.1")
    answer = Client().get(f"{BASE}/services/supportedAlgorithms")
    assert answer.status_code == 429
    assert answer.json()["code"] == "too-often"


def test_the_description_names_this_server_and_the_algorithm_is_listed() -> None:
    told = Client().get(f"{BASE}/openapi.json").json()
    assert told["servers"] == [{"url": f"http://testserver{BASE}"}]
    listed = Client().get(f"{BASE}/services/supportedAlgorithms").json()
    assert listed == {"watermarks": [{"alg": ALGORITHM}], "fingerprints": []}


@pytest.fixture
def connection_kept() -> Iterator[None]:
    """As Django's own test client does: a request's end does not end the test's
    transaction."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


def test_whatever_is_asked_the_answer_is_as_described(
    connection_kept: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions are made up from the description, sensible and not; each answer must
    have a status, a type and a form that it promises, and never be an error of ours."""
    for limit in (lookup.QUERIES, lookup.FILES):
        monkeypatch.setitem(limit.__dict__, "most", 10**9)
    described = from_wsgi(f"{BASE}/openapi.json", get_wsgi_application())
    asked = set()
    for operation in described.get_all_operations():
        ask(operation.ok())
        asked.add(operation.ok().label)
    assert len(asked) == 5


def ask(operation) -> None:
    # A video costs a sandboxed process each. A value of 22 letters and two signs may
    # still be no mark, which is told with 400 as described.
    most = 4 if "byContent" in operation.label else 12

    @settings(
        max_examples=most,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        database=None,
    )
    def checked(case) -> None:
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    given(case=operation.as_strategy())(checked)()


def test_a_video_waits_for_nobody_where_too_many_are_looked_into() -> None:
    with ExitStack() as stack:
        for _ in range(looking.AT_ONCE):
            assert stack.enter_context(looking.a_turn())
        answer = Client().post(
            f"{BASE}/matches/byContent", video_bytes(), content_type="video/mp4"
        )
    assert answer.status_code == 503
    assert answer.json()["code"] == "busy"
