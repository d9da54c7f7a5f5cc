"""Whose face is in a file has a receipt of it, and the file's consent proves itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from consent.errors import SignatureRefused
from consent.receipt import Receipt
from consent.verdict import verify_receipt
from lipweb.demo_production import Demo
from lipweb.models import User
from synthesis.errors import NotAllowed
from synthesis.models import Deliverable
from synthesis.services.receipts import deliverable_log, deliverable_receipt


def log(demo: Demo, deliverable: Deliverable) -> None:
    deliverable_log(deliverable=deliverable, acting_user=demo.producer)


def test_a_file_proves_the_consent_it_stands_on(
    demo: Demo, deliverable: Deliverable
) -> None:
    log(demo, deliverable)
    for user in (demo.producer, demo.grant.actor.user):
        receipt = deliverable_receipt(deliverable=deliverable, acting_user=user)
        verdict = verify_receipt(Receipt.from_bytes(receipt.to_bytes()))
        assert verdict.deliverable
        assert verdict.deliverable.payload["sha256"] == deliverable.sha256
        (grant,) = verdict.grants
        assert grant.record.grant_id == str(demo.grant.id)


def test_nobody_else_has_it(
    demo: Demo, deliverable: Deliverable, reviewer_of_demo: User
) -> None:
    log(demo, deliverable)
    with pytest.raises(NotAllowed):
        deliverable_receipt(deliverable=deliverable, acting_user=reviewer_of_demo)


def test_a_file_the_ledger_does_not_know_has_none(
    demo: Demo, deliverable: Deliverable
) -> None:
    with pytest.raises(NotAllowed, match="does not say"):
        deliverable_receipt(deliverable=deliverable, acting_user=demo.producer)


def test_a_file_made_after_the_withdrawal_proves_nothing(
    demo: Demo, deliverable: Deliverable, revoke: Callable[[], None]
) -> None:
    revoke()
    log(demo, deliverable)
    receipt = deliverable_receipt(deliverable=deliverable, acting_user=demo.producer)
    with pytest.raises(SignatureRefused, match="no consent was in force"):
        verify_receipt(receipt)


def test_a_finished_file_is_told_to_the_actor(
    demo: Demo,
    deliverable: Deliverable,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        log(demo, deliverable)
    (letter,) = mail.outbox
    assert letter.to == [demo.grant.actor.user.email]
    assert letter.subject.startswith("Made with your face")
    assert len(letter.attachments) == 2


@pytest.mark.parametrize("form", ["json", "pdf"])
def test_the_receipt_is_on_the_pages(
    demo: Demo,
    deliverable: Deliverable,
    stranger: User,
    signed_in: Callable[[User], Any],
    form: str,
) -> None:
    log(demo, deliverable)
    address = reverse("synthesis:deliverable_receipt", args=[deliverable.id, form])
    for user in (demo.producer, demo.grant.actor.user):
        assert signed_in(user).get(address).status_code == 200
    assert signed_in(stranger).get(address).status_code == 404
    home = signed_in(demo.grant.actor.user).get(reverse("consent:home"))
    if form == "pdf":
        assert address in home.content.decode()
