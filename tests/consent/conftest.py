"""One production with its people, and the ways a test lets them act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from consent.authenticator import SoftwareAuthenticator
from consent.models import Actor, Grant, Membership, Project, Role
from consent.policy import Use
from consent.record import GrantTerms, SceneRef
from consent.services.actors import actor_create
from consent.services.grants import grant_propose
from consent.services.software import software_grant_sign, software_passkey_enrol

SCENE = "5c" * 32
OTHER_SCENE = "0d" * 32


@dataclass
class Cast:
    """A production, its members, its actor, and somebody from outside."""

    project: Project
    producer: Any
    reviewer: Any
    actor_user: Any
    stranger: Any
    actor: Actor
    authenticator: SoftwareAuthenticator


def new_user(name: str) -> Any:
    return get_user_model().objects.create_user(
        f"{name}@example.com", name=name.title()
    )


@pytest.fixture
def cast(db: None) -> Cast:
    producer, reviewer = new_user("paula"), new_user("rita")
    actor_user, stranger = new_user("robin"), new_user("stan")
    project = Project.objects.create(name="Harbour Lights", company="Meridian")
    for user, role in ((producer, Role.PRODUCER), (reviewer, Role.REVIEWER)):
        Membership.objects.create(project=project, user=user, role=role)
    actor = actor_create(
        project=project,
        stage_name="Robin Vale",
        legal_name="Robin Valentine",
        acting_user=producer,
        user=actor_user,
    )
    authenticator = software_passkey_enrol(actor=actor, acting_user=actor_user)
    return Cast(project, producer, reviewer, actor_user, stranger, actor, authenticator)


def terms(**changes: Any) -> GrantTerms:
    """Terms that cover use() below, but for the changes."""
    usual: dict[str, Any] = {
        "languages": ("es", "de-AT"),
        "territories": ("DE", "MX"),
        "media": ("cinema", "streaming"),
        "starts_at": datetime(2026, 1, 1, tzinfo=UTC),
        "ends_at": timezone.now().replace(microsecond=0) + timedelta(days=90),
        "inference": True,
        "scenes": (SceneRef(title="The pier", sha256=SCENE),),
    }
    return GrantTerms(**(usual | changes))


@pytest.fixture
def propose(cast: Cast) -> Callable[..., Grant]:
    """Return a function that proposes a grant with changed terms."""

    def make(**changes: Any) -> Grant:
        return grant_propose(
            project=cast.project,
            actor=cast.actor,
            terms=terms(**changes),
            acting_user=cast.producer,
        )

    return make


@pytest.fixture
def sign(cast: Cast, propose: Callable[..., Grant]) -> Callable[..., Grant]:
    """Return a function that proposes a grant and has the actor sign it."""

    def make(**changes: Any) -> Grant:
        return software_grant_sign(
            grant=propose(**changes),
            authenticator=cast.authenticator,
            acting_user=cast.actor_user,
        )

    return make


@pytest.fixture
def use(cast: Cast) -> Callable[..., Use]:
    """Return a function that makes a use which the usual terms allow, but for the
    changes."""

    def make(**changes: Any) -> Use:
        usual: dict[str, Any] = {
            "actor_id": cast.actor.id,
            "project_id": cast.project.id,
            "scene_sha256": SCENE,
            "language": "es-MX",
            "purpose": "inference",
            "territory": "MX",
            "medium": "cinema",
            "moment": timezone.now(),
        }
        return Use(**(usual | changes))

    return make
