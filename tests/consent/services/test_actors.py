"""An invitation reaches the actor alone, and works once."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail, signing
from django.utils import timezone

from consent.errors import ConsentError, NotAllowed
from consent.models import Actor, Casting, LedgerEntry, PasskeyCredential, Project
from consent.services.actors import (
    actor_create,
    actor_invite,
    invitation_accept,
    invitation_needs_login,
    invitation_read,
    invitation_token,
)
from consent.services.passkeys import passkey_enrol, passkey_enrol_options
from tests.consent.conftest import Cast, new_user

PASSWORD = "harbour-lights-52"


@pytest.fixture
def invite(cast: Cast) -> Callable[..., Casting]:
    def make(**changes: Any) -> Casting:
        usual: dict[str, Any] = {
            "project": cast.project,
            "stage_name": "Mara Lind",
            "legal_name": "Mara Lindqvist",
            "email": "Mara@Example.com",
            "acting_user": cast.producer,
        }
        return actor_invite(**(usual | changes))

    return make


def test_the_link_goes_to_the_actors_mailbox(
    invite: Callable[..., Casting],
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        casting = invite()
    (message,) = mail.outbox
    assert message.to == ["mara@example.com"]
    found = re.search(r"/invitation/([^/\s]+)/", str(message.body))
    assert found
    assert invitation_read(token=found.group(1)) == casting


def test_only_a_producer_invites(cast: Cast, invite: Callable[..., Casting]) -> None:
    for user in (cast.reviewer, cast.actor_user, cast.stranger):
        with pytest.raises(NotAllowed):
            invite(acting_user=user)
        with pytest.raises(NotAllowed):
            actor_create(
                project=cast.project, stage_name="X", legal_name="X", acting_user=user
            )


def test_nobody_is_invited_twice(cast: Cast, invite: Callable[..., Casting]) -> None:
    invite()
    with pytest.raises(NotAllowed):
        invite()
    with pytest.raises(NotAllowed):
        invite(email=cast.actor_user.email)


def test_an_actor_known_elsewhere_keeps_their_names(
    cast: Cast, invite: Callable[..., Casting]
) -> None:
    other = Project.objects.create(name="Other", company="Other")
    other.memberships.create(user=cast.producer, role="producer")
    casting = invite(project=other, email=cast.actor_user.email)
    assert casting.actor == cast.actor
    assert casting.actor.stage_name == "Robin Vale"
    assert list(Actor.objects.cast_in(other)) == [cast.actor]


def test_accepting_makes_a_login_once(invite: Callable[..., Casting]) -> None:
    casting = invitation_read(token=invitation_token(invite()))
    assert not invitation_needs_login(casting=casting, acting_user=None)
    user = invitation_accept(casting=casting, password=PASSWORD, acting_user=None)
    assert user.check_password(PASSWORD)
    assert Actor.objects.get(pk=casting.actor_id).user_id == user.pk
    again = invitation_read(token=invitation_token(casting))
    assert invitation_needs_login(casting=again, acting_user=None)
    with pytest.raises(NotAllowed):
        invitation_accept(casting=again, password=PASSWORD, acting_user=None)
    logged = LedgerEntry.objects.about(str(casting.actor_id))
    assert [entry.kind for entry in logged] == ["actor-cast", "actor-joined"]


def test_a_weak_password_is_refused(invite: Callable[..., Casting]) -> None:
    with pytest.raises(ConsentError) as refused:
        invitation_accept(casting=invite(), password="password", acting_user=None)
    assert refused.value.code == "password-weak"
    assert not get_user_model().objects.filter(email="mara@example.com").exists()


def test_a_login_of_that_address_is_never_taken_over(
    cast: Cast, invite: Callable[..., Casting]
) -> None:
    mara = new_user("mara")
    casting = invite()
    for user in (None, cast.producer):
        assert invitation_needs_login(casting=casting, acting_user=user)
        with pytest.raises(NotAllowed):
            invitation_accept(casting=casting, password=PASSWORD, acting_user=user)
    accepted = invitation_accept(casting=casting, password="", acting_user=mara)
    assert accepted.pk == mara.pk


def test_a_changed_foreign_or_old_token_opens_nothing(
    invite: Callable[..., Casting], monkeypatch: pytest.MonkeyPatch
) -> None:
    casting = invite()
    token = invitation_token(casting)
    foreign = signing.dumps(str(casting.id), salt="other")
    later = (timezone.now() + timedelta(days=15)).timestamp()
    for bad in ("", "x", token[:-1], foreign):
        with pytest.raises(ConsentError) as refused:
            invitation_read(token=bad)
        assert refused.value.code == "invitation-invalid"
    monkeypatch.setattr("time.time", lambda: later)
    with pytest.raises(ConsentError):
        invitation_read(token=token)


def test_only_the_actor_enrols_a_passkey(cast: Cast) -> None:
    options = passkey_enrol_options(holder=cast.actor, acting_user=cast.actor_user)
    for user in (cast.producer, cast.reviewer, cast.stranger):
        with pytest.raises(NotAllowed):
            passkey_enrol_options(holder=cast.actor, acting_user=user)
        with pytest.raises(NotAllowed):
            passkey_enrol(
                holder=cast.actor,
                response={},
                challenge=options["challenge"],
                acting_user=user,
            )
    assert PasskeyCredential.objects.count() == 1


def test_a_passkey_is_enrolled_once_and_logged(cast: Cast) -> None:
    key = cast.actor.passkeys.get()
    (entry,) = LedgerEntry.objects.about(str(key.id))
    assert entry.kind == "passkey-enrolled"
    assert entry.payload["public_key_sha256"] == key.public_key_sha256
    assert key.fingerprint.replace(" ", "") == key.public_key_sha256[:24]
    assert key.is_software
    options = passkey_enrol_options(holder=cast.actor, acting_user=cast.actor_user)
    known = [one["id"] for one in options["excludeCredentials"]]
    assert len(known) == 1
    with pytest.raises(NotAllowed, match="already"):
        passkey_enrol(
            holder=cast.actor,
            response=cast.authenticator.create(options),
            challenge=options["challenge"],
            acting_user=cast.actor_user,
        )
