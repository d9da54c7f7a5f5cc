"""A suspension closes like a revocation, and opens again only by the actor's word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consent.errors import ConsentDenied, NotAllowed, SignatureRefused
from consent.models import Grant, LedgerEntry, Revocation, Status, Suspension
from consent.policy import Use, verify
from consent.services.ledger import ledger_append
from consent.services.software import software_grant_revoke
from consent.services.withdrawals import (
    grant_suspend,
    suspension_lift,
    suspension_options,
)
from consent.signals import consent_suspended
from tests.consent.conftest import Cast

MakeGrant = Callable[..., Grant]
MakeUse = Callable[..., Use]


def word(cast: Cast, grant: Grant) -> dict[str, Any]:
    grant = Grant.objects.get(pk=grant.pk)
    options = suspension_options(grant=grant, acting_user=cast.actor_user)
    return cast.authenticator.get(options)


def suspend(cast: Cast, grant: Grant) -> Suspension:
    return grant_suspend(
        grant=grant, assertion=word(cast, grant), acting_user=cast.actor_user
    )


def lift(cast: Cast, grant: Grant) -> Suspension:
    return suspension_lift(
        grant=grant, assertion=word(cast, grant), acting_user=cast.actor_user
    )


def codes(use: Use) -> list[str]:
    with pytest.raises(ConsentDenied) as denied:
        verify(use)
    return [failure.code for failure in denied.value.failures]


def test_a_suspension_closes_and_its_lifting_opens_again(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign()
    for _ in range(2):
        suspend(cast, grant)
        assert Grant.objects.get().status == Status.SUSPENDED
        assert not Grant.objects.current().exists()
        assert codes(use()) == ["suspended"]
        lift(cast, grant)
        assert Grant.objects.get().status == Status.ACTIVE
        assert list(Grant.objects.current()) == [grant]
        assert verify(use()) == grant
    assert [one.number for one in grant.suspensions.all()] == [1, 2, 3, 4]


def test_it_is_told_once_it_is_committed(
    cast: Cast,
    sign: MakeGrant,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    grant, told = sign(), []

    def hear(grant_id: Any, **more: Any) -> None:
        told.append(grant_id)

    consent_suspended.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            suspend(cast, grant)
            assert told == []
    finally:
        consent_suspended.disconnect(hear)
    assert told == [grant.id]


def test_only_the_actor_suspends_and_lifts(cast: Cast, sign: MakeGrant) -> None:
    grant = sign()
    answer = word(cast, grant)
    for user in (cast.producer, cast.reviewer, cast.stranger):
        with pytest.raises(NotAllowed):
            grant_suspend(grant=grant, assertion=answer, acting_user=user)
    suspend(cast, grant)
    for user in (cast.producer, cast.reviewer, cast.stranger):
        with pytest.raises(NotAllowed):
            suspension_lift(grant=grant, assertion=answer, acting_user=user)


def test_a_word_counts_once(cast: Cast, sign: MakeGrant) -> None:
    grant = sign()
    first = word(cast, grant)
    grant_suspend(grant=grant, assertion=first, acting_user=cast.actor_user)
    with pytest.raises(NotAllowed, match="suspended already"):
        grant_suspend(grant=grant, assertion=first, acting_user=cast.actor_user)
    with pytest.raises(SignatureRefused):
        suspension_lift(grant=grant, assertion=first, acting_user=cast.actor_user)
    second = word(cast, grant)
    suspension_lift(grant=grant, assertion=second, acting_user=cast.actor_user)
    with pytest.raises(SignatureRefused):
        grant_suspend(grant=grant, assertion=first, acting_user=cast.actor_user)


def test_what_is_unsigned_or_withdrawn_is_not_suspended(
    cast: Cast, sign: MakeGrant, propose: MakeGrant
) -> None:
    for grant in (propose(), sign()):
        if grant.signed_at:
            software_grant_revoke(
                grant=grant,
                authenticator=cast.authenticator,
                acting_user=cast.actor_user,
            )
        with pytest.raises(NotAllowed):
            suspension_options(grant=grant, acting_user=cast.actor_user)


def test_a_suspended_grant_can_be_withdrawn_for_good(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign()
    suspend(cast, grant)
    software_grant_revoke(
        grant=grant, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    assert codes(use()) == ["revoked"]
    assert Revocation.objects.count() == 1


def test_removing_the_row_does_not_lift_it(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    suspend(cast, sign())
    Suspension.objects.all().delete()
    assert codes(use()) == ["suspended"]


@pytest.mark.parametrize("with_entry", [False, True])
def test_the_operator_cannot_lift_it(
    cast: Cast, sign: MakeGrant, use: MakeUse, with_entry: bool
) -> None:
    """Neither by a row of their own, nor by turning the actor's word around."""
    grant = sign()
    row = suspend(cast, grant)
    payload = LedgerEntry.objects.about(str(grant.id)).last()
    assert payload is not None
    Suspension.objects.filter(pk=row.pk).update(kind=Suspension.Kind.LIFTING)
    if with_entry:
        ledger_append(
            kind="suspension-lifted",
            subject=str(grant.id),
            payload=payload.payload,
            acting_user=cast.producer,
        )
    assert codes(use()) == ["suspended"]
