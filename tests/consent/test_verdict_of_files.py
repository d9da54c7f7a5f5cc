"""A file's receipt holds only if its consents were in force when it was made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consent.errors import SignatureRefused
from consent.models import Grant, LedgerEntry
from consent.receipt import Receipt
from consent.services.cosigning import (
    cosigner_join,
    grant_cosign,
    grant_cosign_options,
)
from consent.services.ledger import ledger_append
from consent.services.outputs import output_approve, output_approve_options
from consent.services.receipts import receipt_as_pdf, receipt_make
from consent.services.software import software_grant_sign, software_passkey_enrol
from consent.services.withdrawals import (
    grant_suspend,
    suspension_lift,
    suspension_options,
)
from consent.verdict import verify_receipt
from consent.verdict_words import sentences
from tests.consent.conftest import Cast
from tests.consent.services.test_cosigning import asked

MakeGrant = Callable[..., Grant]
FILE = "ab" * 32


def made(grant: Grant, name: str = "one") -> LedgerEntry:
    return ledger_append(
        kind="deliverable-made",
        subject=name,
        payload={"deliverable": name, "sha256": FILE, "grants": [str(grant.id)]},
        acting_user=None,
    )


def receipt_of(grant: Grant, entry: LedgerEntry) -> Receipt:
    return receipt_make(
        subject=("deliverable", entry.subject),
        grants=[grant],
        entries=[entry],
        output_sha256=FILE,
    )


def rest(cast: Cast, grant: Grant, act: Callable[..., Any]) -> None:
    options = suspension_options(grant=grant, acting_user=cast.actor_user)
    answer = cast.authenticator.get(options)
    act(grant=grant, assertion=answer, acting_user=cast.actor_user)


def approve(cast: Cast, grant: Grant, sha256: str) -> None:
    about: dict[str, Any] = {
        "grant": grant,
        "output_sha256": sha256,
        "acting_user": cast.actor_user,
    }
    options = output_approve_options(**about)
    output_approve(assertion=cast.authenticator.get(options), **about)


def test_made_while_it_rested_it_stands_on_nothing(cast: Cast, sign: MakeGrant) -> None:
    grant = sign()
    before = made(grant, "before")
    rest(cast, grant, grant_suspend)
    during = made(grant, "during")
    rest(cast, grant, suspension_lift)
    after = made(grant, "after")
    for entry in (before, after):
        assert verify_receipt(receipt_of(grant, entry)).deliverable
    with pytest.raises(SignatureRefused, match="no consent was in force"):
        verify_receipt(receipt_of(grant, during))


def test_made_before_the_cosignature_it_stands_on_nothing(cast: Cast) -> None:
    grant = software_grant_sign(
        grant=asked(cast), authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    user = cosigner_join(grant=grant, password="harbour-lights-52", acting_user=None)
    early = made(grant, "early")
    grant = Grant.objects.get()
    assert grant.cosigner
    device = software_passkey_enrol(actor=grant.cosigner, acting_user=user)
    options = grant_cosign_options(grant=grant, acting_user=user)
    grant_cosign(grant=grant, assertion=device.get(options), acting_user=user)
    late = made(grant, "late")
    assert verify_receipt(receipt_of(grant, late)).deliverable
    with pytest.raises(SignatureRefused, match="no consent was in force"):
        verify_receipt(receipt_of(grant, early))


def test_it_says_whether_the_actor_approved_this_very_file(
    cast: Cast, sign: MakeGrant
) -> None:
    grant = sign(output_approval=True)
    entry = made(grant)
    approve(cast, grant, "cd" * 32)
    verdict = verify_receipt(receipt_of(grant, entry))
    assert verdict.grants[0].approvals == ()
    assert "Robin Vale has not approved it: it may not be handed out." in sentences(
        verdict, entry.at
    )
    approve(cast, grant, FILE)
    receipt = receipt_of(grant, entry)
    verdict = verify_receipt(receipt)
    assert [sha256 for sha256, _ in verdict.grants[0].approvals] == [FILE]
    words = " ".join(sentences(verdict, entry.at))
    assert "Robin Vale approved this very file on" in words
    assert receipt_as_pdf(receipt).startswith(b"%PDF-")
