"""Only the actor answers, only once, and only what was shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from consent.authenticator import SoftwareAuthenticator
from consent.errors import ConsentError, NotAllowed, SignatureRefused
from consent.models import Actor, Grant, LedgerEntry, Project, Revocation, Status
from consent.services.grants import (
    grant_decline,
    grant_propose,
    grant_sign,
    grant_sign_options,
)
from consent.services.ledger_verify import ledger_verify
from consent.services.software import software_grant_revoke, software_passkey_enrol
from consent.services.withdrawals import grant_revoke, grant_revoke_options
from consent.signals import consent_withdrawn
from tests.consent.conftest import Cast, terms

MakeGrant = Callable[..., Grant]


def kinds(grant: Grant) -> list[str]:
    entries = LedgerEntry.objects.about(str(grant.id))
    return [entry.kind for entry in entries]


def answer(cast: Cast, grant: Grant) -> dict[str, Any]:
    options = grant_sign_options(grant=grant, acting_user=cast.actor_user)
    return cast.authenticator.get(options)


def test_a_proposal_waits_for_its_answer(propose: MakeGrant) -> None:
    grant = propose()
    assert grant.status == Status.PROPOSED
    assert list(Grant.objects.open()) == [grant]
    assert not Grant.objects.signed().exists()
    assert kinds(grant) == ["grant-proposed"]


def test_the_actors_signature_makes_it_active(cast: Cast, propose: MakeGrant) -> None:
    grant = propose()
    signed = grant_sign(
        grant=grant,
        assertion=json.dumps(answer(cast, grant)),
        acting_user=cast.actor_user,
    )
    assert signed.status == Status.ACTIVE
    assert list(Grant.objects.current()) == [signed]
    assert kinds(signed) == ["grant-proposed", "grant-signed"]
    assert ledger_verify()


def test_nobody_else_signs_declines_or_revokes(
    cast: Cast, propose: MakeGrant, sign: MakeGrant
) -> None:
    open_one, signed = propose(), sign()
    assertion = answer(cast, open_one)
    back = cast.authenticator.get(
        grant_revoke_options(grant=signed, acting_user=cast.actor_user)
    )
    for user in (cast.producer, cast.reviewer, cast.stranger):
        for attempt in (
            lambda user=user: grant_sign_options(grant=open_one, acting_user=user),
            lambda user=user: grant_sign(
                grant=open_one, assertion=assertion, acting_user=user
            ),
            lambda user=user: grant_decline(grant=open_one, acting_user=user),
            lambda user=user: grant_revoke_options(grant=signed, acting_user=user),
            lambda user=user: grant_revoke(
                grant=signed, assertion=back, acting_user=user
            ),
        ):
            with pytest.raises(NotAllowed):
                attempt()
    assert Grant.objects.get(pk=open_one.pk).status == Status.PROPOSED
    assert Grant.objects.get(pk=signed.pk).status == Status.ACTIVE


def test_only_a_producer_of_the_production_asks(cast: Cast) -> None:
    for user in (cast.reviewer, cast.actor_user, cast.stranger):
        with pytest.raises(NotAllowed):
            grant_propose(
                project=cast.project, actor=cast.actor, terms=terms(), acting_user=user
            )


def test_only_an_actor_of_the_cast_is_asked(cast: Cast) -> None:
    elsewhere = Actor.objects.create(stage_name="E", legal_name="E")
    with pytest.raises(NotAllowed):
        grant_propose(
            project=cast.project,
            actor=elsewhere,
            terms=terms(),
            acting_user=cast.producer,
        )


def test_an_answer_to_one_grant_is_none_to_another(
    cast: Cast, propose: MakeGrant
) -> None:
    first, second = propose(), propose()
    assertion = answer(cast, first)
    with pytest.raises(SignatureRefused):
        grant_sign(grant=second, assertion=assertion, acting_user=cast.actor_user)


def test_an_answer_counts_once(cast: Cast, propose: MakeGrant) -> None:
    grant = propose()
    assertion = answer(cast, grant)
    signed = grant_sign(grant=grant, assertion=assertion, acting_user=cast.actor_user)
    for again in (
        lambda: grant_sign(
            grant=grant, assertion=assertion, acting_user=cast.actor_user
        ),
        lambda: grant_decline(grant=grant, acting_user=cast.actor_user),
    ):
        with pytest.raises(NotAllowed):
            again()
    software_grant_revoke(
        grant=signed, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    with pytest.raises(NotAllowed):
        grant_sign(grant=grant, assertion=assertion, acting_user=cast.actor_user)


@pytest.mark.django_db(transaction=True)
def test_of_two_tabs_answering_at_once_one_is_heard(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose()
    assertions = [answer(cast, grant) for _ in range(2)]

    def sign_in_a_tab(assertion: dict[str, Any]) -> bool:
        try:
            grant_sign(grant=grant, assertion=assertion, acting_user=cast.actor_user)
        except ConsentError:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(2) as tabs:
        heard = list(tabs.map(sign_in_a_tab, assertions))
    assert sorted(heard) == [False, True]
    assert kinds(grant) == ["grant-proposed", "grant-signed"]


def test_a_declined_grant_cannot_be_signed(cast: Cast, propose: MakeGrant) -> None:
    grant = propose()
    assertion = answer(cast, grant)
    declined = grant_decline(grant=grant, acting_user=cast.actor_user)
    assert declined.status == Status.DECLINED
    assert list(Grant.objects.declined()) == [declined]
    with pytest.raises(NotAllowed):
        grant_sign(grant=grant, assertion=assertion, acting_user=cast.actor_user)


def test_a_passkey_of_another_actor_signs_nothing(
    cast: Cast, propose: MakeGrant
) -> None:
    other = Actor.objects.create(
        stage_name="O", legal_name="O", user_id=cast.stranger.pk
    )
    device = software_passkey_enrol(actor=other, acting_user=cast.stranger)
    grant = propose()
    options = grant_sign_options(grant=grant, acting_user=cast.actor_user)
    with pytest.raises(SignatureRefused, match="does not belong"):
        grant_sign(
            grant=grant, assertion=device.get(options), acting_user=cast.actor_user
        )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("origin", "http://evil.example"),
        ("rp_id", "evil.example"),
        ("user_verified", False),
    ],
)
def test_the_device_must_be_here_and_know_its_person(
    cast: Cast, propose: MakeGrant, name: str, value: Any
) -> None:
    grant = propose()
    setattr(cast.authenticator, name, value)
    with pytest.raises(SignatureRefused):
        grant_sign(
            grant=grant, assertion=answer(cast, grant), acting_user=cast.actor_user
        )
    assert Grant.objects.get(pk=grant.pk).status == Status.PROPOSED
    assert kinds(grant) == ["grant-proposed"]


def test_a_cloned_device_is_noticed_by_its_counter(
    cast: Cast, sign: MakeGrant, propose: MakeGrant
) -> None:
    clone = SoftwareAuthenticator.load(cast.authenticator.dump())
    sign()
    grant = propose()
    options = grant_sign_options(grant=grant, acting_user=cast.actor_user)
    with pytest.raises(SignatureRefused):
        grant_sign(
            grant=grant, assertion=clone.get(options), acting_user=cast.actor_user
        )


def test_a_text_other_than_the_records_cannot_be_signed(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose()
    assertion = answer(cast, grant)
    words = grant.shown_text.replace("may change", "may not change")
    Grant.objects.filter(pk=grant.pk).update(shown_text=words)
    with pytest.raises(NotAllowed, match="text shown"):
        grant_sign(grant=grant, assertion=assertion, acting_user=cast.actor_user)


def test_a_question_whose_time_is_over_cannot_be_answered(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose(ends_at=datetime(2026, 2, 1, tzinfo=UTC))
    with pytest.raises(NotAllowed, match="out of date"):
        grant_sign_options(grant=grant, acting_user=cast.actor_user)


def test_status_follows_the_clock(sign: MakeGrant) -> None:
    soon = timezone.now() + timedelta(days=2)
    grant = sign(starts_at=soon)
    assert grant.status == Status.NOT_YET
    assert not Grant.objects.current().exists()
    assert grant.status_at(soon + timedelta(days=1)) == Status.ACTIVE
    assert list(Grant.objects.current(soon + timedelta(days=1))) == [grant]
    assert grant.status_at(grant.document.terms.ends_at) == Status.EXPIRED
    assert not Grant.objects.current(grant.document.terms.ends_at).exists()


def test_revoking_is_signed_logged_and_told(
    cast: Cast,
    sign: MakeGrant,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    grant, told = sign(), []

    def hear(sender: Any, grant_id: Any, **more: Any) -> None:
        told.append((sender, grant_id))

    consent_withdrawn.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            revocation = software_grant_revoke(
                grant=grant,
                authenticator=cast.authenticator,
                acting_user=cast.actor_user,
            )
            assert told == []
    finally:
        consent_withdrawn.disconnect(hear)
    assert told == [(Grant, grant.id)]
    assert Grant.objects.get().status == Status.REVOKED
    assert list(Grant.objects.revoked()) == [grant]
    assert not Grant.objects.unrevoked().exists()
    assert revocation.grant_id == grant.id
    assert kinds(grant)[-1] == "grant-revoked"


def test_a_signature_under_the_grant_does_not_revoke_it(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose()
    assertion = answer(cast, grant)
    grant_sign(grant=grant, assertion=assertion, acting_user=cast.actor_user)
    with pytest.raises(SignatureRefused):
        grant_revoke(grant=grant, assertion=assertion, acting_user=cast.actor_user)
    assert not Revocation.objects.exists()


def test_what_was_never_signed_or_is_withdrawn_cannot_be_revoked(
    cast: Cast, sign: MakeGrant, propose: MakeGrant
) -> None:
    with pytest.raises(NotAllowed):
        grant_revoke_options(grant=propose(), acting_user=cast.actor_user)
    grant = sign()
    software_grant_revoke(
        grant=grant, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    with pytest.raises(NotAllowed):
        grant_revoke_options(grant=grant, acting_user=cast.actor_user)


def test_a_grant_of_a_production_names_only_it(cast: Cast, propose: MakeGrant) -> None:
    record = propose().record
    assert record["grantee"]["project"] == str(cast.project.id)
    assert record["grantor"]["actor"] == str(cast.actor.id)
    assert Project.objects.count() == 1
