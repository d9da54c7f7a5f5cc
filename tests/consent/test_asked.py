"""What is asked in SQL of our own is what Django would have read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from django.db.models import Model

from consent.asked import grant_as_it_stands, grants_signed, logged_about
from consent.models import Grant, LedgerEntry
from consent.services.software import software_grant_revoke
from consent.services.withdrawals import grant_suspend, suspension_options
from tests.consent.conftest import Cast

MakeGrant = Callable[..., Grant]


def fields(row: Model) -> dict[str, Any]:
    """Every column as Django has it, bytes as such."""
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
    }
    return {
        name: bytes(value) if isinstance(value, memoryview) else value
        for name, value in values.items()
    }


def test_each_column_has_the_value_and_the_kind_that_django_gives_it(
    cast: Cast, sign: MakeGrant, propose: MakeGrant
) -> None:
    sign()
    propose()
    (asked,) = grants_signed(actor_id=cast.actor.id, project_id=cast.project.id)
    kept = Grant.objects.select_related("credential").signed().get()
    assert asked == kept
    assert fields(asked) == fields(kept)
    assert asked.credential is not None
    assert kept.credential is not None
    assert fields(asked.credential) == fields(kept.credential)
    for mine, djangos in ((asked, kept), (asked.credential, kept.credential)):
        kinds = [type(value) for value in fields(djangos).values()]
        assert [type(value) for value in fields(mine).values()] == kinds


def test_it_is_read_without_a_further_question(
    cast: Cast, sign: MakeGrant, django_assert_num_queries: Any
) -> None:
    sign()
    with django_assert_num_queries(1):
        (grant,) = grants_signed(actor_id=cast.actor.id, project_id=cast.project.id)
        assert grant.credential is not None
        assert grant.credential.fingerprint


def test_the_newest_signature_comes_first_and_no_other_partys(
    cast: Cast, sign: MakeGrant
) -> None:
    first, second = sign(), sign()
    parties = {"actor_id": cast.actor.id, "project_id": cast.project.id}
    assert grants_signed(**parties) == [second, first]
    for name in parties:
        assert grants_signed(**(parties | {name: uuid4()})) == []


def test_a_withdrawal_and_a_suspension_are_seen_by_their_rows(
    cast: Cast, sign: MakeGrant
) -> None:
    def seen() -> tuple[bool, bool]:
        found: Any = grant_as_it_stands(grant.id)
        return found.was_taken_back, found.was_suspended

    grant = sign()
    assert seen() == (False, False)
    options = suspension_options(grant=grant, acting_user=cast.actor_user)
    grant_suspend(
        grant=grant,
        assertion=cast.authenticator.get(options),
        acting_user=cast.actor_user,
    )
    assert seen() == (False, True)
    software_grant_revoke(
        grant=grant, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    assert seen() == (True, True)


def test_what_is_not_signed_or_not_there_is_read_as_that(propose: MakeGrant) -> None:
    found = grant_as_it_stands(propose().id)
    assert found is not None
    assert found.credential is None
    assert found.signed_at is None
    assert grant_as_it_stands(uuid4()) is None


def test_the_ledger_is_asked_for_both_in_its_own_order(sign: MakeGrant) -> None:
    grant = sign()
    about = LedgerEntry.objects.about(str(grant.id), str(grant.credential_id))
    assert logged_about(grant.id, grant.credential_id) == [
        (entry.kind, entry.payload) for entry in about
    ]
    assert [kind for kind, _ in logged_about(grant.id, None)] == [
        "grant-proposed",
        "grant-signed",
    ]
