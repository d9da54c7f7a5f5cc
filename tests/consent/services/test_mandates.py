"""Nobody signs for a minor, a dead or a represented actor without standing evidence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from consent.canonical import sha256_hex
from consent.errors import ConsentDenied, ConsentError, NotAllowed, RecordRefused
from consent.models import Actor, Casting, Grant, LedgerEntry, Mandate
from consent.policy import Use, verify
from consent.record import Grantor, MandateRef
from consent.services.grants import grant_sign, grant_sign_options
from consent.services.mandates import mandate_record
from tests.consent.conftest import Cast

MakeGrant = Callable[..., Grant]
MakeUse = Callable[..., Use]
PAPER = b"Family court of Hamburg: Ida Guard has custody."


@pytest.fixture
def minor(cast: Cast) -> Actor:
    cast.actor.age = Actor.Age.MINOR
    cast.actor.save()
    return cast.actor


def record(cast: Cast, **changes: Any) -> Mandate:
    now = timezone.now().replace(microsecond=0)
    usual: dict[str, Any] = {
        "project": cast.project,
        "actor": cast.actor,
        "signs": "guardian",
        "holder": "Ida Guard",
        "evidence": ContentFile(PAPER),
        "starts_at": now - timedelta(days=10),
        "ends_at": now + timedelta(days=10),
        "acting_user": cast.producer,
    }
    return mandate_record(**(usual | changes))


def test_a_minor_without_a_guardian_is_not_even_asked(
    minor: Actor, propose: MakeGrant
) -> None:
    with pytest.raises(ConsentError) as refused:
        propose()
    assert refused.value.code == "no-mandate"


def test_a_guardian_signs_and_the_record_says_on_what(
    cast: Cast, minor: Actor, sign: MakeGrant, use: MakeUse
) -> None:
    mandate = record(cast)
    grant = sign()
    assert verify(use()) == grant
    grantor = grant.document.grantor
    assert (grantor.age, grantor.signs) == ("minor", "guardian")
    assert grantor.mandate is not None
    assert grantor.mandate.evidence_sha256 == sha256_hex(PAPER)
    assert "You are Ida Guard and sign for Robin Valentine" in grant.shown_text
    assert mandate.evidence.read() == PAPER
    entry = LedgerEntry.objects.about(str(minor.id)).last()
    assert entry is not None
    assert entry.kind == "mandate-recorded"
    assert "Ida" not in bytes(entry.content).decode()


def test_a_mandate_that_ended_carries_no_further_use(
    cast: Cast, minor: Actor, sign: MakeGrant, use: MakeUse
) -> None:
    mandate = record(cast)
    sign()
    verify(use(moment=mandate.ends_at - timedelta(seconds=1)))
    with pytest.raises(ConsentDenied, match="Ida Guard's mandate") as denied:
        verify(use(moment=mandate.ends_at))
    assert [failure.code for failure in denied.value.failures] == ["mandate"]


def test_a_mandate_that_ended_signs_nothing(
    cast: Cast, minor: Actor, propose: MakeGrant
) -> None:
    mandate = record(cast)
    grant = propose()
    options = grant_sign_options(grant=grant, acting_user=cast.actor_user)
    Mandate.objects.filter(pk=mandate.pk).update(ends_at=timezone.now())
    with pytest.raises(ConsentError, match="Nobody may sign"):
        grant_sign(
            grant=grant,
            assertion=cast.authenticator.get(options),
            acting_user=cast.actor_user,
        )


def test_a_question_put_to_one_signer_is_not_signed_by_another(
    cast: Cast, minor: Actor, propose: MakeGrant
) -> None:
    record(cast)
    grant = propose()
    options = grant_sign_options(grant=grant, acting_user=cast.actor_user)
    record(cast, holder="Otto Other", evidence=ContentFile(b"another paper"))
    with pytest.raises(NotAllowed, match="has changed"):
        grant_sign(
            grant=grant,
            assertion=cast.authenticator.get(options),
            acting_user=cast.actor_user,
        )


@pytest.mark.parametrize("signs", ["estate", "representative"])
def test_a_mandate_must_fit_who_the_actor_is(
    cast: Cast, minor: Actor, signs: str
) -> None:
    with pytest.raises(NotAllowed, match="does not fit"):
        record(cast, signs=signs)


def test_the_first_mandate_says_what_the_actor_is(cast: Cast, minor: Actor) -> None:
    """A cast member without a key yet may be a minor; an adult who has signed for
    themselves is not made one by a producer's word."""
    fresh = Actor.objects.create(stage_name="Kim", legal_name="Kim Young")
    Casting.objects.create(
        project=cast.project, actor=fresh, invited_by=cast.producer, email="k@e.org"
    )
    record(cast, actor=fresh)
    fresh.refresh_from_db()
    assert fresh.age == Actor.Age.MINOR
    Actor.objects.filter(pk=cast.actor.pk).update(age=Actor.Age.ADULT)
    with pytest.raises(NotAllowed, match="does not fit"):
        record(cast)


def test_a_mandate_is_recorded_on_the_page_of_the_cast(
    cast: Cast, minor: Actor
) -> None:
    address = f"/projects/{cast.project.id}/actors/{minor.id}/mandate/"
    fields = {
        "signs": "guardian",
        "holder": "Ida Guard",
        "first_day": "2026-01-01",
        "last_day": "2026-12-31",
        "evidence": SimpleUploadedFile("order.pdf", PAPER),
    }
    client = Client()
    client.force_login(cast.reviewer)
    assert client.post(address, fields).status_code == 403
    client.force_login(cast.producer)
    assert client.post(address, {"signs": ""}).status_code == 422
    fields["evidence"] = SimpleUploadedFile("order.pdf", PAPER)
    assert client.post(address, fields).status_code == 302
    mandate = Mandate.objects.get()
    assert mandate.ends_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert "order" not in mandate.evidence.name
    page = client.get(address).content.decode()
    assert "Ida Guard" in page
    assert mandate.evidence.name not in page


def test_only_a_producer_records_a_mandate(cast: Cast, minor: Actor) -> None:
    for user in (cast.reviewer, cast.actor_user, cast.stranger):
        with pytest.raises(NotAllowed):
            record(cast, acting_user=user)


@pytest.mark.parametrize(
    "who",
    [
        {"age": "minor"},
        {"age": "minor", "signs": "representative"},
        {"life": "deceased"},
        {"life": "deceased", "signs": "guardian"},
        {"signs": "guardian"},
        {"signs": "estate"},
    ],
)
def test_no_record_can_say_that_the_wrong_person_signs(who: dict[str, str]) -> None:
    mandate = MandateRef(
        holder="Ida Guard",
        evidence_sha256="ab" * 32,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2027, 1, 1, tzinfo=UTC),
    )
    for given in (None, mandate):
        with pytest.raises(RecordRefused):
            Grantor(
                actor_id="a",
                legal_name="Robin",
                stage_name="Robin",
                mandate=given,
                **who,
            )
