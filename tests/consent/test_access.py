"""One place says who may do what, and which rows exist for whom."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import AnonymousUser

from consent.access import (
    grants_visible_to,
    is_producer,
    is_self,
    require_producer,
    require_self,
)
from consent.errors import NotAllowed
from consent.models import Actor, Grant, Membership, Project, Role
from tests.consent.conftest import Cast, new_user

MakeGrant = Callable[..., Grant]


def test_producing_is_a_role_in_one_production(cast: Cast) -> None:
    other = Project.objects.create(name="Other", company="Other")
    require_producer(cast.producer, cast.project)
    assert not is_producer(cast.producer, other)
    for user in (cast.reviewer, cast.actor_user, cast.stranger, AnonymousUser()):
        assert not is_producer(user, cast.project)
    with pytest.raises(NotAllowed):
        require_producer(cast.producer, other)


def test_an_operator_is_nobodys_producer_and_nobodys_self(cast: Cast) -> None:
    operator = new_user("olga")
    operator.is_staff = operator.is_superuser = True
    operator.save()
    assert not is_producer(operator, cast.project)
    assert not is_self(operator, cast.actor)
    assert not grants_visible_to(operator).exists()


def test_an_actor_without_a_login_is_nobody(cast: Cast) -> None:
    ghost = Actor.objects.create(stage_name="Ghost", legal_name="Ghost")
    for user in (cast.actor_user, AnonymousUser()):
        assert not is_self(user, ghost)
    with pytest.raises(NotAllowed):
        require_self(cast.producer, cast.actor)
    require_self(cast.actor_user, cast.actor)


def test_grants_are_seen_by_those_they_concern(cast: Cast, propose: MakeGrant) -> None:
    grant = propose()
    # A second role must not show a grant twice.
    Membership.objects.create(
        project=cast.project, user=cast.producer, role=Role.REVIEWER
    )
    for user in (cast.actor_user, cast.producer, cast.reviewer):
        assert list(grants_visible_to(user)) == [grant]
    for outsider in (cast.stranger, AnonymousUser()):
        assert list(grants_visible_to(outsider)) == []


def test_leaving_a_production_ends_the_view_of_its_grants(
    cast: Cast, propose: MakeGrant
) -> None:
    propose()
    Membership.objects.filter(user=cast.producer).delete()
    assert not grants_visible_to(cast.producer).exists()
