"""An actor reads what became of their face, and is told of it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from consent.errors import ConsentDenied, Failure
from consent.models import Notice
from consent.seams import seams
from consent.services.export import export_make
from lipweb.demo_production import Demo
from lipweb.models import User
from synthesis import jobs
from synthesis.models import Decision, Deliverable, Render
from synthesis.services.receipts import deliverable_log
from synthesis.services.review import decision_make, deliverable_open

OnCommit = Callable[..., Any]


def happened(demo: Demo) -> list[str]:
    made = seams.made_with(demo.grant.actor)
    return [thing.state for thing in made if "Learning" not in thing.title]


def approve(deliverable: Deliverable, reviewer: User) -> None:
    decision_make(
        deliverable=deliverable,
        sha256=deliverable.sha256,
        verdict=Decision.Verdict.APPROVED,
        reason="",
        acting_user=reviewer,
    )


def watch(deliverable: Deliverable, user: Any, purpose: str = "review") -> None:
    deliverable_open(deliverable=deliverable, acting_user=user, purpose=purpose)


@pytest.fixture
def used(
    demo: Demo,
    deliverable: Deliverable,
    reviewer_of_demo: User,
    django_capture_on_commit_callbacks: OnCommit,
) -> Deliverable:
    """A file that was made, watched, approved and downloaded."""
    Notice.objects.all().delete()
    with django_capture_on_commit_callbacks(execute=True):
        deliverable_log(deliverable=deliverable, acting_user=demo.producer)
        watch(deliverable, reviewer_of_demo)
        approve(deliverable, reviewer_of_demo)
        watch(deliverable, demo.producer, "download")
    return deliverable


def test_made_shown_approved_and_downloaded_are_in_the_history_with_who_it_was(
    demo: Demo, used: Deliverable
) -> None:
    assert happened(demo) == [
        "Downloaded by Paula Producer",
        "Approved by Rita Reviewer",
        "Watched by Rita Reviewer",
        "Made",
    ]
    (title,) = {
        thing.title
        for thing in seams.made_with(demo.grant.actor)
        if "Learning" not in thing.title
    }
    assert title == f"Hello in Spanish (es), version 1, for {demo.project}"


def test_the_actor_is_told_of_each_and_nobody_else_is(
    demo: Demo, used: Deliverable
) -> None:
    told = Notice.objects.order_by("at").values_list("kind", "user", "mail")
    actor = demo.grant.actor.user_id
    assert list(told) == [
        (kind, actor, "daily")
        for kind in ("use-made", "use-shown", "use-approved", "use-downloaded")
    ]
    shown = Notice.objects.get(kind="use-shown")
    assert shown.title == (
        "Hello in Spanish (es), version 1 was watched by Rita Reviewer"
    )


def test_the_actors_own_look_and_a_draft_are_no_news(
    demo: Demo,
    deliverable: Deliverable,
    reviewer_of_demo: User,
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    Notice.objects.all().delete()
    Render.objects.update(tier=Render.Tier.DRAFT)
    with django_capture_on_commit_callbacks(execute=True):
        deliverable_log(deliverable=deliverable, acting_user=demo.producer)
    assert not Notice.objects.exists()
    demo.project.memberships.create(user=demo.grant.actor.user, role="reviewer")
    with django_capture_on_commit_callbacks(execute=True):
        watch(deliverable, demo.grant.actor.user)
    assert not Notice.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        watch(deliverable, reviewer_of_demo)
    assert [n.kind for n in Notice.objects.all()] == ["use-shown"]


def test_what_was_done_and_the_list_of_files_are_in_what_the_actor_takes_away(
    demo: Demo, used: Deliverable
) -> None:
    actor = demo.grant.actor
    blocks = export_make(actor=actor, acting_user=actor.user)
    with zipfile.ZipFile(io.BytesIO(b"".join(blocks))) as archive:
        (file,) = json.loads(archive.read("files.json"))
        assert file["sha256"] == used.sha256
        (render,) = json.loads(archive.read("renders.json"))
        assert render["asked_for_by"] == "Paula Producer"
        log = json.loads(archive.read("log.json"))
        purposes = [
            entry["payload"]["purpose"]
            for entry in log
            if entry["kind"] == "deliverable-opened"
        ]
        assert purposes == ["review", "download"]
        assert archive.read(f"receipts/file-{used.id}.pdf").startswith(b"%PDF")
        stored = json.loads(archive.read("face-data.json"))
        assert {one["code"]: one["count"] for one in stored}["learned"] == 1


# What a badge says of a render that consent stopped


BADGES = {
    "revoked": "Consent withdrawn",
    "suspended": "Consent suspended",
    "expired": "Consent expired",
    "language": "Not covered by consent",
}


def test_a_render_that_the_policy_stops_is_called_by_what_stopped_it(
    demo: Demo, deliverable: Deliverable
) -> None:
    for term, badge in BADGES.items():
        Render.objects.update(state=Render.State.QUEUED, error_code="")
        with jobs._claimed(Render.objects.all()):
            raise ConsentDenied((Failure("scene", "Not this."), Failure(term, "So.")))
        render = Render.objects.get()
        assert render.state == Render.State.WITHDRAWN
        assert render.state_words == badge


def test_every_other_state_is_called_as_before() -> None:
    for state in set(Render.State) - {Render.State.WITHDRAWN}:
        assert Render(state=state).state_words == state.label
