"""The policy allows what a signed grant says, and names whatever it does not."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from consent.errors import ConsentDenied
from consent.models import Grant, LedgerEntry, Project, Revocation
from consent.policy import (
    Use,
    grants_usable,
    language_covers,
    uses_allowed,
    verify,
    verify_grant,
)
from consent.record import SceneRef
from consent.services.grants import grant_decline
from consent.services.software import software_grant_revoke
from tests.consent.conftest import OTHER_SCENE, SCENE, Cast

NOW = timezone.now().replace(microsecond=0)
MakeGrant = Callable[..., Grant]
MakeUse = Callable[..., Use]


def codes(use: Use) -> list[str]:
    with pytest.raises(ConsentDenied) as denied:
        verify(use)
    assert denied.value.code == "consent-denied"
    for failure in denied.value.failures:
        assert failure.sentence in denied.value.sentence
    return [failure.code for failure in denied.value.failures]


def test_a_use_stands_on_the_signed_grant(sign: MakeGrant, use: MakeUse) -> None:
    grant = sign()
    assert verify(use()) == grant
    assert grants_usable(use()) == [grant]
    verify_grant(grant, use())


def test_nothing_is_allowed_where_nothing_was_asked(use: MakeUse) -> None:
    assert codes(use()) == ["no-grant"]


def test_a_question_is_not_an_answer(propose: MakeGrant, use: MakeUse) -> None:
    propose()
    assert codes(use()) == ["not-signed"]


def test_a_declined_grant_allows_nothing(
    cast: Cast, propose: MakeGrant, use: MakeUse
) -> None:
    grant = grant_decline(grant=propose(), acting_user=cast.actor_user)
    assert codes(use()) == ["no-grant"]
    with pytest.raises(ConsentDenied):
        verify_grant(grant, use())


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"scene_sha256": OTHER_SCENE}, "scene"),
        ({"language": "fr"}, "language"),
        ({"language": "de"}, "language"),
        ({"language": "est"}, "language"),
        ({"purpose": "training"}, "purpose"),
        ({"territory": "FR"}, "territory"),
        ({"territory": "worldwide"}, "territory"),
        ({"medium": "social"}, "medium"),
        ({"moment": datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)}, "not-yet"),
        ({"moment": timezone.now() + timedelta(days=91)}, "expired"),
    ],
)
def test_each_term_is_kept(
    sign: MakeGrant, use: MakeUse, change: dict[str, Any], code: str
) -> None:
    sign()
    assert codes(use(**change)) == [code]


def test_every_failed_term_is_named(sign: MakeGrant, use: MakeUse) -> None:
    sign()
    wrong = use(language="fr", medium="social", territory="FR", purpose="training")
    assert codes(wrong) == ["purpose", "territory", "medium"]
    assert codes(use(language="fr", medium="social")) == ["language", "medium"]


EXCLUDES = {"excluded_content": ("nudity", "Politics", "any war film")}


@pytest.mark.parametrize(
    ("content", "failed"),
    [
        (None, ["content-not-said"]),
        (frozenset(), []),
        (frozenset({"violence"}), []),
        (frozenset({"nudity"}), ["excluded-content"]),
        (frozenset({"violence", "politics"}), ["excluded-content"]),
    ],
)
def test_what_the_actor_excludes_is_kept(
    sign: MakeGrant, use: MakeUse, content: frozenset[str] | None, failed: list[str]
) -> None:
    sign(**EXCLUDES)
    one = use(content=content)
    if failed:
        assert codes(one) == failed
    else:
        verify(one)
    assert bool(uses_allowed([one])) is bool(grants_usable(one)) is not bool(failed)


def test_excluded_content_is_named_among_the_other_failed_terms(
    sign: MakeGrant, use: MakeUse
) -> None:
    sign(**EXCLUDES)
    with pytest.raises(ConsentDenied) as denied:
        verify(use(medium="social", content=frozenset({"politics", "nudity", "sex"})))
    assert [one.code for one in denied.value.failures] == ["medium", "excluded-content"]
    assert "never for nudity and politics" in denied.value.sentence


def test_nobody_need_say_what_a_use_holds_where_nothing_is_excluded(
    sign: MakeGrant, use: MakeUse
) -> None:
    """Nor where only words are, which no machine can compare."""
    sign(excluded_content=("any war film",))
    verify(use(content=None))


def test_content_is_not_asked_about_for_training(sign: MakeGrant, use: MakeUse) -> None:
    sign(training=True, **EXCLUDES)
    verify(use(purpose="training", content=None))


def test_the_grant_that_comes_closest_is_explained(
    sign: MakeGrant, use: MakeUse
) -> None:
    sign(languages=("fr",), media=("trailer",))
    sign()
    sign(languages=("fr",), territories=("FR",))
    assert codes(use(medium="social")) == ["medium"]


def test_the_first_instant_is_inside_and_the_last_is_not(
    sign: MakeGrant, use: MakeUse
) -> None:
    terms = sign().document.terms
    verify(use(moment=terms.starts_at))
    assert codes(use(moment=terms.ends_at)) == ["expired"]
    assert codes(use(moment=terms.starts_at - timedelta(seconds=1))) == ["not-yet"]


def test_training_is_a_right_of_its_own(sign: MakeGrant, use: MakeUse) -> None:
    sign(inference=False, training=True)
    verify(use(purpose="training"))
    assert codes(use()) == ["purpose"]


def test_worldwide_covers_every_territory(sign: MakeGrant, use: MakeUse) -> None:
    sign(territories=("worldwide",), scenes=None)
    verify(use(territory="worldwide", scene_sha256=OTHER_SCENE))
    verify(use(territory="NZ"))


def test_a_grant_for_one_production_is_none_for_another(
    sign: MakeGrant, use: MakeUse
) -> None:
    grant = sign()
    other = Project.objects.create(name="Other", company="Meridian")
    assert codes(use(project_id=other.id)) == ["no-grant"]
    with pytest.raises(ConsentDenied) as denied:
        verify_grant(grant, use(project_id=other.id))
    assert [failure.code for failure in denied.value.failures] == ["project"]


def test_nobody_else_is_covered(sign: MakeGrant, use: MakeUse) -> None:
    grant = sign()
    assert codes(use(actor_id=uuid4())) == ["no-grant"]
    with pytest.raises(ConsentDenied):
        verify_grant(grant, use(actor_id=uuid4()))


def test_revoking_closes_the_door(cast: Cast, sign: MakeGrant, use: MakeUse) -> None:
    grant = sign()
    verify(use())
    software_grant_revoke(
        grant=grant, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    assert codes(use()) == ["revoked"]


def test_removing_the_revocation_row_does_not_open_it_again(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    software_grant_revoke(
        grant=sign(), authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    Revocation.objects.all().delete()
    assert codes(use()) == ["revoked"]


def test_another_signed_grant_still_stands(
    cast: Cast, sign: MakeGrant, use: MakeUse
) -> None:
    first, second = sign(), sign()
    software_grant_revoke(
        grant=second, authenticator=cast.authenticator, acting_user=cast.actor_user
    )
    assert verify(use()) == first


def test_a_use_must_be_well_formed(use: MakeUse) -> None:
    with pytest.raises(ValueError, match="purpose"):
        use(purpose="fun")
    with pytest.raises(ValueError, match="time zone"):
        use(moment=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="content"):
        use(content=frozenset({"boxing"}))


@pytest.mark.parametrize(
    ("granted", "wanted", "covered"),
    [
        ("es", "es", True),
        ("es", "es-MX", True),
        ("ES", "es-mx", True),
        ("es-MX", "es", False),
        ("es", "est", False),
        ("zh-Hant", "zh-Hant-TW", True),
    ],
)
def test_a_language_covers_its_narrower_ones(
    granted: str, wanted: str, covered: bool
) -> None:
    assert language_covers(granted, wanted) is covered


def test_asking_the_policy_writes_nothing(sign: MakeGrant, use: MakeUse) -> None:
    sign()
    before = LedgerEntry.objects.count()
    verify(use())
    assert LedgerEntry.objects.count() == before


def is_allowed(use: Use) -> bool:
    try:
        verify(use)
    except ConsentDenied:
        return False
    return True


def test_the_ways_of_asking_agree(cast: Cast, sign: MakeGrant, use: MakeUse) -> None:
    """May this use? Which uses may? Which grants allow it? One answer, whatever is
    asked of whatever was signed."""
    chance = random.Random(20261121)  # noqa: S311
    offered: dict[str, list[Any]] = {
        "language": ["es", "es-MX", "fr", "de-AT"],
        "territory": ["DE", "MX", "FR", "worldwide"],
        "medium": ["cinema", "streaming", "social"],
        "purpose": ["inference", "training"],
        "scene_sha256": [SCENE, OTHER_SCENE],
        "moment": [NOW, NOW + timedelta(days=50), NOW + timedelta(days=100)],
        "project_id": [cast.project.id] * 9 + [uuid4()],
        "content": [None, frozenset(), frozenset({"sex"}), frozenset({"drugs"})],
    }
    terms: dict[str, list[Any]] = {
        "languages": [("es",), ("fr", "de")],
        "territories": [("worldwide",), ("MX",)],
        "media": [("cinema", "social"), ("streaming",)],
        "training": [True, False],
        "excluded_content": [(), ("sex",), ("drugs", "boxing")],
        "scenes": [None, (SceneRef(title="Other", sha256=OTHER_SCENE),)],
        "ends_at": [NOW + timedelta(days=30), NOW + timedelta(days=90)],
    }
    signed = [
        sign(**{name: chance.choice(some) for name, some in terms.items()})
        for _ in range(3)
    ]
    uses = [
        use(**{name: chance.choice(some) for name, some in offered.items()})
        for _ in range(40)
    ]
    allowed = uses_allowed(uses)
    assert 0 < len(allowed) < len(uses)
    for one in allowed:
        verify_grant(verify(one), one)
    for grant in [None, *signed]:
        if grant:
            software_grant_revoke(
                grant=grant,
                authenticator=cast.authenticator,
                acting_user=cast.actor_user,
            )
        before, allowed = allowed, uses_allowed(uses)
        assert allowed == [one for one in uses if is_allowed(one)]
        assert allowed == [one for one in uses if grants_usable(one)]
        assert set(allowed) <= set(before)
    assert allowed == []


def test_a_grant_that_asks_for_approval_lets_no_file_out_unasked(
    sign: MakeGrant, use: MakeUse
) -> None:
    """Before there is a file there is nothing to approve."""
    sign(output_approval=True)
    verify(use())
    assert codes(use(output_sha256="f1" * 32)) == ["output-approval"]
    assert uses_allowed([use(output_sha256="f1" * 32)]) == []


def test_many_uses_cost_two_questions_to_the_database(
    sign: MakeGrant, use: MakeUse, django_assert_num_queries: Any
) -> None:
    sign()
    uses = [use(language=tag) for tag in ("es", "es-MX", "fr", "de-AT")]
    with django_assert_num_queries(2):
        assert len(uses_allowed(uses)) == 3
    with django_assert_num_queries(2):
        verify(uses[0])
