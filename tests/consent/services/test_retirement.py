"""A lost key is retired by another of the same person, and proves nothing after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.core import mail

from consent.authenticator import SoftwareAuthenticator
from consent.errors import ConsentDenied, ConsentError, NotAllowed, SignatureRefused
from consent.models import Grant, LedgerEntry, PasskeyRetirement
from consent.policy import Use, verify
from consent.services.actors import agent_name
from consent.services.grants import grant_sign, grant_sign_options
from consent.services.ledger import ledger_append
from consent.services.passkeys import signature_payload
from consent.services.receipts import grant_receipt, receipt_as_pdf
from consent.services.retirement import (
    passkey_retire,
    passkey_retire_options,
    retirement_of,
)
from consent.services.software import software_grant_revoke, software_grant_sign
from consent.verdict import verify_receipt
from consent.verdict_words import sentences
from tests.consent.conftest import Cast
from tests.consent.services.test_further_passkeys import confirm, key_of, second

__all__ = ["second"]

SIGNED = (
    "canonical",
    "shown_text",
    "credential",
    "authenticator_data",
    "client_data_json",
    "signature",
    "signed_at",
)
MakeGrant = Callable[..., Grant]


@pytest.fixture
def both(cast: Cast, second: SoftwareAuthenticator) -> SoftwareAuthenticator:
    """The actor's second device, confirmed with the first."""
    confirm(cast, second, by=cast.authenticator)
    return second


def retire(
    cast: Cast, device: SoftwareAuthenticator, by: SoftwareAuthenticator
) -> PasskeyRetirement:
    key = key_of(device)
    options = passkey_retire_options(credential=key, acting_user=cast.actor_user)
    return passkey_retire(
        credential=key, assertion=by.get(options), acting_user=cast.actor_user
    )


def test_a_retired_key_signs_nothing_more(
    cast: Cast,
    both: SoftwareAuthenticator,
    propose: MakeGrant,
    use: Callable[..., Use],
) -> None:
    retire(cast, cast.authenticator, by=both)
    grant = propose()
    options = grant_sign_options(grant=grant, acting_user=cast.actor_user)
    assert len(options["allowCredentials"]) == 1
    with pytest.raises(SignatureRefused, match="retired"):
        grant_sign(
            grant=grant,
            assertion=cast.authenticator.get(options),
            acting_user=cast.actor_user,
        )
    software_grant_sign(grant=grant, authenticator=both, acting_user=cast.actor_user)
    assert verify(use()) == grant


def test_what_it_signed_before_stays_good_and_the_other_key_takes_it_back(
    cast: Cast, both: SoftwareAuthenticator, sign: MakeGrant, use: Callable[..., Use]
) -> None:
    grant = sign()
    retire(cast, cast.authenticator, by=both)
    assert verify(use()) == grant
    verdict = verify_receipt(grant_receipt(grant=grant, acting_user=cast.actor_user))
    words = " ".join(sentences(verdict, grant.document.terms.starts_at))
    assert "was retired on" in words
    assert receipt_as_pdf(grant_receipt(grant=grant, acting_user=cast.actor_user))
    software_grant_revoke(grant=grant, authenticator=both, acting_user=cast.actor_user)
    with pytest.raises(ConsentDenied, match="withdrawn"):
        verify(use())
    verdict = verify_receipt(grant_receipt(grant=grant, acting_user=cast.actor_user))
    assert verdict.grants[0].withdrawing_key != verdict.grants[0].key


def test_a_signature_dated_after_the_retirement_is_refused_by_anybody(
    cast: Cast,
    both: SoftwareAuthenticator,
    propose: MakeGrant,
    use: Callable[..., Use],
) -> None:
    """The operator lifts the lock in the database, has the stolen device sign, and
    logs it: the ledger's order gives it away, here and offline."""
    retirement = retire(cast, cast.authenticator, by=both)
    held = {column: getattr(retirement, column) for column in SIGNED}
    retirement.delete()
    grant = software_grant_sign(
        grant=propose(), authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    with pytest.raises(ConsentDenied, match="retired"):
        verify(use())
    receipt = grant_receipt(grant=grant, acting_user=cast.actor_user)
    # Left out of the receipt, nobody offline can know of it: that is said in words.
    assert verify_receipt(receipt)
    PasskeyRetirement.objects.create(passkey=key_of(cast.authenticator), **held)
    grant.refresh_from_db()
    receipt = grant_receipt(grant=grant, acting_user=cast.actor_user)
    with pytest.raises(SignatureRefused, match="retired before"):
        verify_receipt(receipt)


def test_a_retirement_cannot_be_left_in_the_entries_alone(
    cast: Cast, both: SoftwareAuthenticator, sign: MakeGrant
) -> None:
    grant = sign()
    retire(cast, cast.authenticator, by=both)
    receipt = grant_receipt(grant=grant, acting_user=cast.actor_user)
    assert [part.act for part in receipt.documents][-2:] == [
        "passkey-retired",
        "passkey-confirmed",
    ]
    for place in range(1, len(receipt.documents)):
        rest = receipt.documents[:place] + receipt.documents[place + 1 :]
        with pytest.raises(ConsentError):
            verify_receipt(replace(receipt, documents=rest))


def test_a_key_does_not_retire_itself_nor_does_an_unconfirmed_one_retire(
    cast: Cast, second: SoftwareAuthenticator
) -> None:
    first = key_of(cast.authenticator)
    with pytest.raises(SignatureRefused, match="not confirmed"):
        retire(cast, cast.authenticator, by=second)
    options = passkey_retire_options(credential=first, acting_user=cast.actor_user)
    assert options["allowCredentials"] == []
    with pytest.raises(SignatureRefused, match="itself"):
        retire(cast, cast.authenticator, by=cast.authenticator)
    # An unconfirmed one that is not theirs, the actor can send away at once.
    retire(cast, second, by=cast.authenticator)
    with pytest.raises(NotAllowed):
        confirm(cast, second, by=cast.authenticator)


def test_only_the_holder_retires_and_only_once(
    cast: Cast, both: SoftwareAuthenticator
) -> None:
    key = key_of(cast.authenticator)
    for user in (cast.producer, cast.stranger):
        with pytest.raises(NotAllowed):
            passkey_retire_options(credential=key, acting_user=user)
    retire(cast, cast.authenticator, by=both)
    with pytest.raises(NotAllowed, match="already"):
        retire(cast, cast.authenticator, by=both)


def test_a_retired_key_confirms_no_further_one(
    cast: Cast, both: SoftwareAuthenticator
) -> None:
    from consent.services.software import software_passkey_enrol

    retire(cast, cast.authenticator, by=both)
    third = software_passkey_enrol(actor=cast.actor, acting_user=cast.actor_user)
    with pytest.raises(SignatureRefused, match="retired"):
        confirm(cast, third, by=cast.authenticator)
    confirm(cast, third, by=both)


def test_the_house_cannot_log_a_retirement_that_nobody_signed(
    cast: Cast, both: SoftwareAuthenticator, sign: MakeGrant
) -> None:
    """It would only harm what that key signs later; a receipt that shows it without
    the signed word is no receipt."""
    grant = sign()
    key = key_of(cast.authenticator)
    word = retirement_of(key)
    word.credential = key_of(both)
    ledger_append(
        kind="passkey-retired",
        subject=str(key.id),
        payload=signature_payload(word) | {"retired": str(key.id)},
        acting_user=cast.actor_user,
    )
    receipt = grant_receipt(grant=grant, acting_user=cast.actor_user)
    assert not verify_receipt(receipt).keys[0].retired


def test_everybody_concerned_is_told(
    cast: Cast,
    both: SoftwareAuthenticator,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    agent_name(actor=cast.actor, email="agent@example.com", acting_user=cast.actor_user)
    with django_capture_on_commit_callbacks(execute=True):
        retire(cast, cast.authenticator, by=both)
    told = [letter for letter in mail.outbox if "retired" in letter.subject]
    assert [letter.to[0] for letter in told] == [
        "robin@example.com",
        "agent@example.com",
        "paula@example.com",
    ]
    assert key_of(cast.authenticator).fingerprint in told[0].body
    entry = LedgerEntry.objects.get(kind="passkey-retired")
    assert entry.payload["retired"] == str(key_of(cast.authenticator).id)
