"""A consent that names a co-signer holds once both signed the same words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.core import mail

from consent.authenticator import SoftwareAuthenticator
from consent.errors import ConsentDenied, ConsentError, NotAllowed, SignatureRefused
from consent.models import (
    CoSignature,
    Cosigner,
    Grant,
    LedgerEntry,
    Notice,
    Status,
)
from consent.policy import Use, grants_usable, verify
from consent.receipt import Receipt
from consent.services.cosigning import (
    cosign_read,
    cosign_token,
    cosigner_join,
    cosigner_named,
    grant_cosign,
    grant_cosign_options,
)
from consent.services.grants import grant_narrow, grant_propose, grant_sign_options
from consent.services.receipts import grant_receipt, receipt_as_pdf
from consent.services.software import (
    software_grant_revoke,
    software_grant_sign,
    software_passkey_enrol,
)
from consent.verdict import verify_receipt
from tests.consent.conftest import Cast, terms

MakeUse = Callable[..., Use]


@dataclass
class Beside:
    """A grant that the actor signed, and its co-signer with a device of their own."""

    grant: Grant
    cosigner: Cosigner
    user: Any
    device: SoftwareAuthenticator


def asked(cast: Cast, **changes: Any) -> Grant:
    cosigner = cosigner_named(
        actor=cast.actor, role="agent", name="Ada Agent", email="Ada@example.com"
    )
    return grant_propose(
        project=cast.project,
        actor=cast.actor,
        terms=terms(**changes),
        cosigner=cosigner,
        acting_user=cast.producer,
    )


@pytest.fixture
def beside(cast: Cast) -> Beside:
    grant = software_grant_sign(
        grant=asked(cast), authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    user = cosigner_join(grant=grant, password="harbour-lights-52", acting_user=None)
    cosigner = Cosigner.objects.get()
    grant.refresh_from_db()
    device = software_passkey_enrol(actor=cosigner, acting_user=user)
    return Beside(Grant.objects.get(pk=grant.pk), cosigner, user, device)


def cosign(beside: Beside, device: SoftwareAuthenticator | None = None) -> CoSignature:
    options = grant_cosign_options(grant=beside.grant, acting_user=beside.user)
    answer = (device or beside.device).get(options)
    return grant_cosign(grant=beside.grant, assertion=answer, acting_user=beside.user)


def test_it_allows_nothing_before_both_have_signed(
    cast: Cast, beside: Beside, use: MakeUse
) -> None:
    assert beside.grant.status == Status.COSIGNING
    assert not Grant.objects.current().exists()
    with pytest.raises(ConsentDenied, match="Ada Agent has not co-signed"):
        verify(use())
    cosign(beside)
    grant = Grant.objects.get()
    assert grant.status == Status.ACTIVE
    assert Grant.objects.current().get() == verify(use()) == grant
    assert grants_usable(use()) == [grant]
    kinds = [entry.kind for entry in LedgerEntry.objects.about(str(grant.id))]
    assert kinds == ["grant-proposed", "grant-signed", "grant-cosigned"]


def test_both_answer_one_challenge_over_words_that_name_the_cosigner(
    cast: Cast,
) -> None:
    grant = asked(cast)
    asking = grant_sign_options(grant=grant, acting_user=cast.actor_user)
    software_grant_sign(
        grant=grant, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    grant.refresh_from_db()
    user = cosigner_join(grant=grant, password="harbour-lights-52", acting_user=None)
    grant = Grant.objects.get()
    options = grant_cosign_options(grant=grant, acting_user=user)
    assert options["challenge"] == asking["challenge"]
    assert "Ada Agent, your agent, has to sign these same words" in grant.shown_text
    assert options["allowCredentials"] == []


def test_the_actors_key_does_not_cosign_nor_does_a_strangers(
    cast: Cast, beside: Beside
) -> None:
    for device in (cast.authenticator, replace_key(beside.device)):
        with pytest.raises(SignatureRefused):
            cosign(beside, device)
    for user in (cast.actor_user, cast.producer, cast.stranger):
        with pytest.raises(NotAllowed):
            grant_cosign_options(grant=beside.grant, acting_user=user)


def replace_key(device: SoftwareAuthenticator) -> SoftwareAuthenticator:
    return SoftwareAuthenticator(
        rp_id=device.rp_id, origin=device.origin, credential_id=device.credential_id
    )


def test_a_cosigner_signs_once_and_after_the_actor(cast: Cast, beside: Beside) -> None:
    waiting = asked(cast, languages=("fr",))
    with pytest.raises(NotAllowed, match="not signed yet"):
        grant_cosign_options(grant=waiting, acting_user=beside.user)
    cosign(beside)
    with pytest.raises(NotAllowed, match="already"):
        cosign(beside)


def test_the_actor_alone_takes_it_back(
    cast: Cast, beside: Beside, use: MakeUse
) -> None:
    cosign(beside)
    with pytest.raises(NotAllowed):
        software_grant_revoke(
            grant=beside.grant, authenticator=beside.device, acting_user=beside.user
        )
    grant = software_grant_revoke(
        grant=beside.grant,
        authenticator=cast.authenticator,
        acting_user=cast.actor_user,
    ).grant
    with pytest.raises(ConsentDenied, match="withdrawn"):
        verify(use())
    verdict = verify_receipt(grant_receipt(grant=grant, acting_user=beside.user))
    assert verdict.grants[0].cosigned
    assert verdict.grants[0].withdrawn


def test_after_a_withdrawal_nothing_is_cosigned(cast: Cast, beside: Beside) -> None:
    software_grant_revoke(
        grant=beside.grant,
        authenticator=cast.authenticator,
        acting_user=cast.actor_user,
    )
    beside.grant = Grant.objects.get()
    with pytest.raises(NotAllowed, match="withdrawn"):
        cosign(beside)


def test_narrower_terms_keep_the_cosigner(cast: Cast) -> None:
    grant = asked(cast)
    narrowed = grant_narrow(
        grant=grant, terms=terms(languages=("es",)), acting_user=cast.actor_user
    )
    assert narrowed.document.cosigner == grant.document.cosigner
    assert narrowed.cosigner == grant.cosigner


def test_a_row_without_the_cosigner_does_not_make_it_active(
    cast: Cast, beside: Beside, use: MakeUse
) -> None:
    """The operator takes the co-signer out of the row: the signed record names them."""
    Grant.objects.update(cosigner=None)
    with pytest.raises(ConsentDenied, match="co-signed"):
        verify(use())


def test_a_cosignature_of_other_bytes_counts_for_nothing(
    cast: Cast, beside: Beside, use: MakeUse
) -> None:
    cosign(beside)
    CoSignature.objects.update(canonical=b'{"a":1}')
    with pytest.raises(ConsentDenied, match="co-signed"):
        verify(use())
    grant = Grant.objects.get()
    receipt = grant_receipt_or_none(grant, cast)
    if receipt is not None:
        with pytest.raises(ConsentError):
            verify_receipt(receipt)


def grant_receipt_or_none(grant: Grant, cast: Cast) -> Receipt | None:
    try:
        return grant_receipt(grant=grant, acting_user=cast.actor_user)
    except ConsentError:
        return None


def test_the_receipt_holds_both_and_neither_can_be_left_out(
    cast: Cast, beside: Beside
) -> None:
    alone = verify_receipt(grant_receipt(grant=beside.grant, acting_user=beside.user))
    assert alone.grants[0].standing(beside.grant.signed_at) == "not co-signed"  # type: ignore[arg-type]
    cosign(beside)
    receipt = grant_receipt(grant=Grant.objects.get(), acting_user=cast.actor_user)
    verdict = verify_receipt(receipt)
    (proven,) = verdict.grants
    assert proven.cosigned
    assert proven.cosigning_key
    assert proven.cosigning_key.holder == ("cosigner", str(beside.cosigner.id))
    assert receipt_as_pdf(receipt).startswith(b"%PDF-")
    for place in range(2):
        rest = receipt.documents[:place] + receipt.documents[place + 1 :]
        with pytest.raises(ConsentError):
            verify_receipt(replace(receipt, documents=rest))
    # The actor's own signature in the co-signer's place.
    twice = replace(receipt.documents[0], act="grant-cosigned")
    with pytest.raises(ConsentError):
        verify_receipt(replace(receipt, documents=(receipt.documents[0], twice)))


def test_the_cosigner_is_asked_by_mail_and_gets_the_receipts(
    cast: Cast, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        software_grant_sign(
            grant=asked(cast),
            authenticator=cast.authenticator,
            acting_user=cast.actor_user,
        )
    mine = [letter for letter in mail.outbox if letter.to == ["ada@example.com"]]
    assert [bool(letter.attachments) for letter in mine].count(True) == 1
    assert any("/cosigning/" in str(letter.body) for letter in mine)
    others = [letter for letter in mail.outbox if letter not in mine]
    assert not any("/cosigning/" in str(letter.body) for letter in others)


def test_an_invitation_makes_one_login_and_is_nobody_elses(cast: Cast) -> None:
    grant = software_grant_sign(
        grant=asked(cast), authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    assert cosign_read(token=cosign_token(grant)) == grant
    with pytest.raises(ConsentError):
        cosign_read(token="made-up")
    with pytest.raises(ConsentError, match="password"):
        cosigner_join(grant=grant, password="x", acting_user=None)
    user = cosigner_join(grant=grant, password="harbour-lights-52", acting_user=None)
    assert user.get_username() == "ada@example.com"
    with pytest.raises(NotAllowed, match="already"):
        cosigner_join(grant=grant, password="harbour-lights-52", acting_user=None)


def test_nobody_signs_beside_themselves(cast: Cast) -> None:
    with pytest.raises(NotAllowed, match="somebody else"):
        cosigner_named(
            actor=cast.actor, role="agent", name="Me", email="robin@example.com"
        )


def test_whoever_asked_and_whoever_signed_hear_of_the_cosignature(
    cast: Cast, beside: Beside, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    mail.outbox.clear()
    with django_capture_on_commit_callbacks(execute=True):
        cosign(beside)
    told = {notice.user: notice.kind for notice in Notice.objects.order_by("at")}
    assert told[cast.producer] == "co-signed"
    assert told[cast.actor_user] == "own-co-signed"
    letters = {tuple(one.to): len(one.attachments) for one in mail.outbox}
    assert letters == {
        (cast.producer.email,): 0,
        (cast.actor_user.email,): 2,
        (beside.cosigner.email,): 2,
    }
