"""Approval is bound to bytes; the file leaves only while consent stands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from consent.authenticator import SoftwareAuthenticator
from consent.errors import ConsentDenied
from consent.models import Grant, LedgerEntry
from consent.services.outputs import output_approve, output_approve_options
from consent.services.withdrawals import (
    grant_suspend,
    suspension_lift,
    suspension_options,
)
from lipweb.demo_production import Demo, _passkey_path
from lipweb.dubbing import outcome
from lipweb.models import User
from synthesis.errors import NotAllowed, SynthesisError
from synthesis.models import ActorModel, Decision, Deliverable, Render
from synthesis.services import review
from synthesis.services.adaptation import training_suspend
from synthesis.services.consents import model_in_use, outputs_of, release_missing
from synthesis.services.renders import consent_suspend
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


def test_a_file_waits_for_the_actor_whose_grant_asks_for_it(
    demo: Demo,
    deliverable: Deliverable,
    reviewer_of_demo: User,
    asks_for_approval: SoftwareAuthenticator,
) -> None:
    decide(deliverable, reviewer_of_demo)
    with pytest.raises(ConsentDenied, match="has not approved this very file"):
        deliverable_open(
            deliverable=deliverable, acting_user=demo.producer, purpose="download"
        )
    (output,) = outputs_of(demo.grant.actor)
    assert (output.sha256, output.is_approved) == (deliverable.sha256, False)
    assert "has not approved" in release_missing(deliverable)
    user = demo.grant.actor.user
    options = output_approve_options(
        grant=output.grant, output_sha256=output.sha256, acting_user=user
    )
    output_approve(
        grant=output.grant,
        output_sha256=output.sha256,
        assertion=asks_for_approval.get(options),
        acting_user=user,
    )
    assert release_missing(deliverable) == ""
    file = deliverable_open(
        deliverable=deliverable, acting_user=demo.producer, purpose="download"
    )
    assert file.read() == b"film"
    Deliverable.objects.update(sha256="cd" * 32)
    deliverable.refresh_from_db()
    decide(deliverable, reviewer_of_demo)
    with pytest.raises(ConsentDenied, match="has not approved this very file"):
        deliverable_open(
            deliverable=deliverable, acting_user=demo.producer, purpose="download"
        )


def test_the_actor_who_is_asked_may_watch_but_not_take_it(
    demo: Demo,
    deliverable: Deliverable,
    asks_for_approval: SoftwareAuthenticator,
) -> None:
    user = demo.grant.actor.user
    file = deliverable_open(deliverable=deliverable, acting_user=user, purpose="review")
    assert file.read() == b"film"
    with pytest.raises(NotAllowed):
        deliverable_open(deliverable=deliverable, acting_user=user, purpose="download")


def test_a_suspension_closes_files_until_it_is_lifted(
    demo: Demo,
    deliverable: Deliverable,
    reviewer_of_demo: User,
    asks_for_approval: SoftwareAuthenticator,
) -> None:
    grant, user = deliverable.render.grants.get(), demo.grant.actor.user
    for act, opens in ((grant_suspend, False), (suspension_lift, True)):
        fresh = Grant.objects.get(pk=grant.pk)
        options = suspension_options(grant=fresh, acting_user=user)
        act(grant=fresh, assertion=asks_for_approval.get(options), acting_user=user)
        if opens:
            deliverable_open(
                deliverable=deliverable, acting_user=demo.producer, purpose="review"
            )
            continue
        with pytest.raises(ConsentDenied, match="suspended"):
            deliverable_open(
                deliverable=deliverable, acting_user=demo.producer, purpose="review"
            )


def test_a_suspension_ends_live_renders(demo: Demo, deliverable: Deliverable) -> None:
    Render.objects.update(state=Render.State.RUNNING)
    consent_suspend(grant_id=str(demo.grant.id))
    render = Render.objects.get()
    assert render.state == Render.State.WITHDRAWN
    assert render.error_code == "consent-suspended"


def test_what_was_learned_is_kept_and_closed_while_suspended(
    demo: Demo, deliverable: Deliverable
) -> None:
    actor, project = demo.grant.actor, demo.project
    passkey = SoftwareAuthenticator.load(_passkey_path().read_text())
    model = model_in_use(actor=actor, project=project)
    assert model is not None
    for act, usable in ((grant_suspend, None), (suspension_lift, model)):
        fresh = Grant.objects.get(pk=model.grant_id)
        options = suspension_options(grant=fresh, acting_user=actor.user)
        act(grant=fresh, assertion=passkey.get(options), acting_user=actor.user)
        training_suspend(grant_id=str(model.grant_id))
        assert ActorModel.objects.filter(pk=model.pk).exists()
        assert model_in_use(actor=actor, project=project) == usable


def test_a_copy_waits_for_the_actor_as_a_download_does(
    demo: Demo,
    deliverable: Deliverable,
    asks_for_approval: SoftwareAuthenticator,
    tmp_path: Path,
) -> None:
    with pytest.raises(ConsentDenied, match="has not approved this very file"):
        outcome(
            deliverable, acting_user=demo.producer, say=lambda _: None, out=tmp_path
        )
    assert list(tmp_path.iterdir()) == []
    user, grant = demo.grant.actor.user, deliverable.render.grants.get()
    options = output_approve_options(
        grant=grant, output_sha256=deliverable.sha256, acting_user=user
    )
    output_approve(
        grant=grant,
        output_sha256=deliverable.sha256,
        assertion=asks_for_approval.get(options),
        acting_user=user,
    )
    file = deliverable_open(
        deliverable=deliverable, acting_user=demo.producer, purpose="copy"
    )
    assert file.read() == b"film"
    entry = LedgerEntry.objects.filter(kind="deliverable-opened").last()
    assert entry is not None
    assert entry.payload["purpose"] == "copy"


def test_a_copy_without_a_word_in_the_ledger_is_none(
    demo: Demo, deliverable: Deliverable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the second time, when it might be thought to be written down."""
    monkeypatch.setattr(review, "ledger_append", lambda **_: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            deliverable_open(
                deliverable=deliverable, acting_user=demo.producer, purpose="copy"
            )


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_in_the_midst_of_a_download_stands_after_it_in_the_ledger(
    demo: Demo,
    deliverable: Deliverable,
    reviewer_of_demo: User,
    revoke: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The grants are locked from the last question to the policy to the commit."""
    decide(deliverable, reviewer_of_demo)
    append, began = review.ledger_append, threading.Event()

    def withdraw() -> None:
        began.set()
        try:
            revoke()
        finally:
            connection.close()

    other = threading.Thread(target=withdraw)

    def append_slowly(**entry: Any) -> Any:
        other.start()
        began.wait(timeout=20)
        time.sleep(0.2)  # enough to overtake us, were there no lock
        return append(**entry)

    monkeypatch.setattr(review, "ledger_append", append_slowly)
    take = {"deliverable": deliverable, "acting_user": demo.producer}
    deliverable_open(**take, purpose="download")
    other.join(timeout=60)
    kinds = list(LedgerEntry.objects.values_list("kind", flat=True))
    assert kinds.index("deliverable-opened") < kinds.index("grant-revoked")
    with pytest.raises(ConsentDenied, match="withdrawn"):
        deliverable_open(**take, purpose="download")


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
