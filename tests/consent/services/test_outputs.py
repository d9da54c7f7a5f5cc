"""Where the grant asks for it, a file goes out only with the actor's word on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consent.errors import ConsentDenied, NotAllowed, SignatureRefused
from consent.models import (
    Grant,
    LedgerEntry,
    Notice,
    OutputApproval,
    OutputReturn,
)
from consent.policy import Use, verify
from consent.services.outputs import (
    output_approve,
    output_approve_options,
    output_return,
)
from tests.consent.conftest import Cast

MakeGrant = Callable[..., Grant]
MakeUse = Callable[..., Use]
FILE, OTHER = "aa" * 32, "bb" * 32


def answer(cast: Cast, grant: Grant, sha256: str = FILE) -> dict[str, Any]:
    options = output_approve_options(
        grant=grant, output_sha256=sha256, acting_user=cast.actor_user
    )
    return cast.authenticator.get(options)


def approve(cast: Cast, grant: Grant, sha256: str = FILE) -> OutputApproval:
    return output_approve(
        grant=grant,
        output_sha256=sha256,
        assertion=answer(cast, grant, sha256),
        acting_user=cast.actor_user,
    )


def refused(use: Use) -> list[str]:
    with pytest.raises(ConsentDenied) as denied:
        verify(use)
    return [failure.code for failure in denied.value.failures]


def test_making_needs_no_approval_and_handing_out_does(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign(output_approval=True)
    assert verify(use()) == grant
    assert refused(use(output_sha256=FILE)) == ["output-approval"]
    approve(cast, grant)
    assert verify(use(output_sha256=FILE)) == grant
    assert refused(use(output_sha256=OTHER)) == ["output-approval"]


def test_a_grant_that_does_not_ask_hands_out_without(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign()
    assert verify(use(output_sha256=FILE)) == grant
    with pytest.raises(NotAllowed, match="does not ask"):
        answer(cast, grant)


def test_an_approval_of_one_file_is_none_of_another(
    cast: Cast, sign: MakeGrant
) -> None:
    grant = sign(output_approval=True)
    with pytest.raises(SignatureRefused):
        output_approve(
            grant=grant,
            output_sha256=OTHER,
            assertion=answer(cast, grant),
            acting_user=cast.actor_user,
        )


def test_an_approval_under_one_grant_is_none_under_another(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    first, second = sign(output_approval=True), sign(output_approval=True)
    approval = approve(cast, first)
    OutputApproval.objects.filter(pk=approval.pk).update(grant=second)
    assert refused(use(output_sha256=FILE)) == ["output-approval"]


def test_only_the_actor_approves(cast: Cast, sign: MakeGrant) -> None:
    grant = sign(output_approval=True)
    given = answer(cast, grant)
    for user in (cast.producer, cast.reviewer, cast.stranger):
        with pytest.raises(NotAllowed):
            output_approve(
                grant=grant, output_sha256=FILE, assertion=given, acting_user=user
            )


def test_the_operator_cannot_point_an_approval_at_another_file(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    approval = approve(cast, sign(output_approval=True))
    OutputApproval.objects.filter(pk=approval.pk).update(output_sha256=OTHER)
    assert refused(use(output_sha256=OTHER)) == ["output-approval"]


def test_a_file_is_approved_once(cast: Cast, sign: MakeGrant) -> None:
    grant = sign(output_approval=True)
    approve(cast, grant)
    with pytest.raises(NotAllowed, match="already"):
        approve(cast, grant)


# Sending a file back


def give_back(cast: Cast, grant: Grant, reason: str = "The mouth hangs.") -> None:
    output_return(
        grant=grant, output_sha256=FILE, reason=reason, acting_user=cast.actor_user
    )


def test_a_file_sent_back_stays_locked_and_the_producer_reads_why(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign(output_approval=True)
    give_back(cast, grant)
    assert refused(use(output_sha256=FILE)) == ["output-approval"]
    (notice,) = Notice.objects.filter(kind="output-returned")
    assert notice.user == cast.producer
    assert "“The mouth hangs.”" in notice.sentence
    entry = LedgerEntry.objects.get(kind="output-returned")
    assert entry.payload["output_sha256"] == FILE
    assert "mouth" not in bytes(entry.content).decode()


def test_a_file_is_sent_back_once_and_never_without_a_reason(
    cast: Cast, sign: MakeGrant
) -> None:
    grant = sign(output_approval=True)
    with pytest.raises(NotAllowed, match="few words"):
        give_back(cast, grant, "  ")
    give_back(cast, grant)
    with pytest.raises(NotAllowed, match="already"):
        give_back(cast, grant)
    assert OutputReturn.objects.count() == 1


def test_an_approval_is_the_last_word(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign(output_approval=True)
    give_back(cast, grant)
    approve(cast, grant)
    assert verify(use(output_sha256=FILE)) == grant
    with pytest.raises(NotAllowed, match="approved this file already"):
        give_back(cast, grant)


def test_only_the_actor_sends_back(cast: Cast, sign: MakeGrant) -> None:
    grant = sign(output_approval=True)
    for user in (cast.producer, cast.reviewer, cast.stranger):
        with pytest.raises(NotAllowed):
            output_return(
                grant=grant, output_sha256=FILE, reason="No.", acting_user=user
            )
