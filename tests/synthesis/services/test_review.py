"""Approval is bound to bytes; the file leaves only while consent stands."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consent.errors import ConsentDenied
from consent.models import LedgerEntry
from lipweb.demo_production import Demo
from lipweb.models import User
from synthesis.errors import NotAllowed, SynthesisError
from synthesis.models import Decision, Deliverable
from synthesis.services.review import (
    comment_add,
    decision_make,
    deliverable_open,
    is_approved,
)


def decide(deliverable: Deliverable, user: User, verdict: str = "approved") -> Decision:
    return decision_make(
        deliverable=deliverable,
        sha256=deliverable.sha256,
        verdict=verdict,
        reason="",
        acting_user=user,
    )


def test_an_approved_file_can_be_downloaded_by_the_producer(
    demo: Demo, deliverable: Deliverable, reviewer_of_demo: User
) -> None:
    decide(deliverable, reviewer_of_demo)
    file = deliverable_open(
        deliverable=deliverable, acting_user=demo.producer, purpose="download"
    )
    assert file.read() == b"film"
    entry = LedgerEntry.objects.filter(kind="deliverable-opened").last()
    assert entry is not None
    assert entry.document["payload"]["purpose"] == "download"


def test_without_an_approval_nothing_is_downloaded(
    demo: Demo, deliverable: Deliverable
) -> None:
    with pytest.raises(NotAllowed, match="not been approved"):
        deliverable_open(
            deliverable=deliverable, acting_user=demo.producer, purpose="download"
        )


def test_changes_wanted_take_an_approval_back(
    deliverable: Deliverable, reviewer_of_demo: User
) -> None:
    decide(deliverable, reviewer_of_demo)
    assert is_approved(deliverable)
    decide(deliverable, reviewer_of_demo, "changes")
    assert not is_approved(deliverable)


def test_an_approval_of_other_bytes_does_not_count(
    deliverable: Deliverable, reviewer_of_demo: User
) -> None:
    decide(deliverable, reviewer_of_demo)
    Deliverable.objects.update(sha256="cd" * 32)
    deliverable.refresh_from_db()
    assert not is_approved(deliverable)


def test_a_decision_on_another_file_than_shown_is_refused(
    deliverable: Deliverable, reviewer_of_demo: User
) -> None:
    with pytest.raises(SynthesisError, match="Load the page again"):
        decision_make(
            deliverable=deliverable,
            sha256="cd" * 32,
            verdict="approved",
            reason="",
            acting_user=reviewer_of_demo,
        )


def test_a_producer_cannot_approve(demo: Demo, deliverable: Deliverable) -> None:
    with pytest.raises(NotAllowed, match="Only a reviewer"):
        decide(deliverable, demo.producer)


def test_a_revocation_closes_review_and_download(
    demo: Demo,
    deliverable: Deliverable,
    reviewer_of_demo: User,
    revoke: Callable[[], None],
) -> None:
    decide(deliverable, reviewer_of_demo)
    revoke()
    for purpose in ("review", "download"):
        with pytest.raises(ConsentDenied, match="withdrawn"):
            deliverable_open(
                deliverable=deliverable, acting_user=demo.producer, purpose=purpose
            )
    with pytest.raises(ConsentDenied):
        decide(deliverable, reviewer_of_demo)


def test_a_stranger_gets_nothing(deliverable: Deliverable, stranger: User) -> None:
    with pytest.raises(NotAllowed, match="no such file"):
        deliverable_open(
            deliverable=deliverable, acting_user=stranger, purpose="review"
        )


def test_a_player_that_asks_many_times_is_one_ledger_row(
    demo: Demo, deliverable: Deliverable
) -> None:
    for _ in range(3):
        deliverable_open(
            deliverable=deliverable, acting_user=demo.producer, purpose="review"
        )
    assert LedgerEntry.objects.filter(kind="deliverable-opened").count() == 1


@pytest.mark.parametrize("frame", [-1, 153])
def test_a_comment_belongs_to_a_frame_that_exists(
    demo: Demo, deliverable: Deliverable, frame: int
) -> None:
    with pytest.raises(SynthesisError, match="from 0 to 152"):
        comment_add(
            deliverable=deliverable, frame=frame, text="?", acting_user=demo.producer
        )


def test_an_empty_comment_is_refused(demo: Demo, deliverable: Deliverable) -> None:
    with pytest.raises(SynthesisError, match="Write a word"):
        comment_add(
            deliverable=deliverable, frame=0, text="  ", acting_user=demo.producer
        )
