"""Question, narrower answer, question sent back: every version kept and linked."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections

from consent.errors import ConsentDenied, ConsentError, NotAllowed, SignatureRefused
from consent.models import Grant, LedgerEntry, Status
from consent.policy import Use, verify
from consent.services.grants import (
    asked_for,
    grant_decline,
    grant_narrow,
    grant_propose,
    grant_return,
    grant_sign,
    grant_sign_options,
)
from consent.services.software import software_grant_sign
from tests.consent.conftest import Cast, terms

MakeGrant = Callable[..., Grant]
MakeUse = Callable[..., Use]


def narrow(cast: Cast, grant: Grant, **changes: Any) -> Grant:
    narrower = replace(grant.document.terms, **changes)
    return grant_narrow(grant=grant, terms=narrower, acting_user=cast.actor_user)


def test_what_is_signed_is_the_narrower_version(
    cast: Cast, propose: MakeGrant, use: MakeUse
) -> None:
    asked = propose()
    mine = narrow(cast, asked, languages=("es",), media=("cinema",))
    assert "German" not in mine.shown_text
    signed = software_grant_sign(
        grant=mine, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    assert verify(use()) == signed
    for beyond in ({"language": "de-AT"}, {"medium": "streaming"}):
        with pytest.raises(ConsentDenied):
            verify(use(**beyond))


def test_versions_are_linked_by_what_their_bytes_say(
    cast: Cast, propose: MakeGrant
) -> None:
    asked = propose()
    mine = narrow(cast, asked, languages=("es",))
    step = mine.document.step
    assert (step.version, step.by, step.answers) == (2, "actor", asked.canonical_sha256)
    assert mine.versions == asked.versions == [asked, mine]
    assert Grant.objects.get(pk=asked.pk).status == Status.SUPERSEDED
    assert list(Grant.objects.open()) == [mine]
    kinds = [entry.kind for entry in LedgerEntry.objects.about(str(mine.id))]
    assert kinds == ["grant-narrowed"]


def test_a_replaced_version_cannot_be_answered_any_more(
    cast: Cast, propose: MakeGrant
) -> None:
    asked = propose()
    options = grant_sign_options(grant=asked, acting_user=cast.actor_user)
    assertion = cast.authenticator.get(options)
    mine = narrow(cast, asked, languages=("es",))
    with pytest.raises(NotAllowed, match="answered already"):
        grant_sign(grant=asked, assertion=assertion, acting_user=cast.actor_user)
    with pytest.raises(SignatureRefused):
        grant_sign(grant=mine, assertion=assertion, acting_user=cast.actor_user)


def test_nobody_widens_by_narrowing(cast: Cast, propose: MakeGrant) -> None:
    asked = propose()
    for change in ({"territories": ("worldwide",)}, {"training": True}):
        with pytest.raises(NotAllowed, match="beyond what was asked"):
            narrow(cast, asked, **change)
    with pytest.raises(NotAllowed, match="Nothing was changed"):
        narrow(cast, asked)
    with pytest.raises(NotAllowed):
        grant_narrow(
            grant=asked,
            terms=replace(asked.document.terms, languages=("es",)),
            acting_user=cast.producer,
        )
    assert Grant.objects.count() == 1


def test_an_actor_may_go_back_to_what_was_asked_but_no_further(
    cast: Cast, propose: MakeGrant
) -> None:
    asked = propose()
    mine = narrow(cast, asked, languages=("es",))
    wider = narrow(cast, mine, languages=("es", "de-AT"), media=("cinema",))
    assert asked_for(wider) == asked
    assert wider.document.step.version == 3
    with pytest.raises(NotAllowed):
        narrow(cast, wider, languages=("fr",))


def test_sent_back_with_a_reason_it_is_asked_anew(
    cast: Cast, propose: MakeGrant
) -> None:
    asked = propose()
    with pytest.raises(NotAllowed, match="few words"):
        grant_return(grant=asked, acting_user=cast.actor_user, reason=" ")
    back = grant_return(
        grant=asked, acting_user=cast.actor_user, reason="Without German, please."
    )
    assert back.status == Status.RETURNED
    assert not Grant.objects.open().exists()
    with pytest.raises(NotAllowed):
        grant_sign_options(grant=back, acting_user=cast.actor_user)
    anew = grant_propose(
        project=cast.project,
        actor=cast.actor,
        terms=terms(languages=("es",)),
        acting_user=cast.producer,
        previous=back,
    )
    assert anew.document.step.answers == asked.canonical_sha256
    assert [one.status for one in anew.versions] == [
        Status.SUPERSEDED,
        Status.PROPOSED,
    ]


def test_a_reason_is_kept_with_the_no_and_only_its_hash_is_logged(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = grant_decline(
        grant=propose(), acting_user=cast.actor_user, reason="Not my kind of film."
    )
    assert Grant.objects.get(pk=grant.pk).reason == "Not my kind of film."
    entry = LedgerEntry.objects.about(str(grant.id)).last()
    assert entry is not None
    assert "film" not in bytes(entry.content).decode()


def test_a_signed_version_is_not_replaced(cast: Cast, sign: MakeGrant) -> None:
    with pytest.raises(NotAllowed, match="signed"):
        grant_propose(
            project=cast.project,
            actor=cast.actor,
            terms=terms(),
            acting_user=cast.producer,
            previous=sign(),
        )


@pytest.mark.django_db(transaction=True)
def test_signing_in_one_tab_and_narrowing_in_another_leaves_one_answer(
    cast: Cast, propose: MakeGrant
) -> None:
    grant = propose()
    options = grant_sign_options(grant=grant, acting_user=cast.actor_user)
    assertion = cast.authenticator.get(options)

    def in_a_tab(act: Callable[[], Any]) -> bool:
        try:
            act()
        except ConsentError:
            return False
        finally:
            connections.close_all()
        return True

    acts: list[Callable[[], Any]] = [
        lambda: grant_sign(
            grant=grant, assertion=assertion, acting_user=cast.actor_user
        ),
        lambda: narrow(cast, grant, languages=("es",)),
    ]
    with ThreadPoolExecutor(2) as tabs:
        heard = list(tabs.map(in_a_tab, acts))
    assert sorted(heard) == [False, True]
    now = Grant.objects.get(pk=grant.pk)
    assert bool(now.signed_at) != (now.next_version is not None)
