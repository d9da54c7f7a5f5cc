"""A further key signs only once an older key of the same actor has vouched for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consent.authenticator import SoftwareAuthenticator
from consent.errors import ConsentDenied, NotAllowed, SignatureRefused
from consent.models import (
    Grant,
    LedgerEntry,
    PasskeyConfirmation,
    PasskeyCredential,
)
from consent.policy import Use, verify
from consent.services.grants import grant_sign, grant_sign_options
from consent.services.passkeys import passkey_confirm, passkey_confirm_options
from consent.services.software import software_grant_sign, software_passkey_enrol
from tests.consent.conftest import Cast

MakeGrant = Callable[..., Grant]
MakeUse = Callable[..., Use]


@pytest.fixture
def second(cast: Cast) -> SoftwareAuthenticator:
    return software_passkey_enrol(actor=cast.actor, acting_user=cast.actor_user)


def key_of(device: SoftwareAuthenticator) -> PasskeyCredential:
    return PasskeyCredential.objects.get(credential_id=device.credential_id)


def confirm(
    cast: Cast, device: SoftwareAuthenticator, by: SoftwareAuthenticator
) -> PasskeyConfirmation:
    key = key_of(device)
    options = passkey_confirm_options(credential=key, acting_user=cast.actor_user)
    return passkey_confirm(
        credential=key, assertion=by.get(options), acting_user=cast.actor_user
    )


def test_an_unconfirmed_key_signs_nothing(
    cast: Cast, second: SoftwareAuthenticator, propose: MakeGrant
) -> None:
    grant = propose()
    options = grant_sign_options(grant=grant, acting_user=cast.actor_user)
    assert len(options["allowCredentials"]) == 1
    with pytest.raises(SignatureRefused, match="not confirmed"):
        grant_sign(
            grant=grant, assertion=second.get(options), acting_user=cast.actor_user
        )


def test_a_confirmed_key_signs_and_confirms_the_next(
    cast: Cast,
    second: SoftwareAuthenticator,
    propose: MakeGrant,
    use: MakeUse,
) -> None:
    confirm(cast, second, by=cast.authenticator)
    third = software_passkey_enrol(actor=cast.actor, acting_user=cast.actor_user)
    confirm(cast, third, by=second)
    grant = software_grant_sign(
        grant=propose(), authenticator=third, acting_user=cast.actor_user
    )
    assert verify(use()) == grant
    kinds = [entry.kind for entry in LedgerEntry.objects.about(str(key_of(third).id))]
    assert kinds == ["passkey-enrolled", "passkey-confirmed"]
    with pytest.raises(NotAllowed, match="already"):
        confirm(cast, third, by=second)


def test_a_key_does_not_confirm_itself(
    cast: Cast, second: SoftwareAuthenticator
) -> None:
    with pytest.raises(SignatureRefused):
        confirm(cast, second, by=second)


def test_only_the_actor_confirms(cast: Cast, second: SoftwareAuthenticator) -> None:
    for user in (cast.producer, cast.reviewer, cast.stranger):
        with pytest.raises(NotAllowed):
            passkey_confirm_options(credential=key_of(second), acting_user=user)


def test_the_operator_cannot_confirm_in_the_actors_place(
    cast: Cast,
    second: SoftwareAuthenticator,
    propose: MakeGrant,
    use: MakeUse,
) -> None:
    """Neither by moving a confirmation to a key of theirs, nor by calling it first."""
    confirmation = confirm(cast, second, by=cast.authenticator)
    foreign = software_passkey_enrol(actor=cast.actor, acting_user=cast.actor_user)
    PasskeyConfirmation.objects.filter(pk=confirmation.pk).update(
        passkey=key_of(foreign)
    )
    software_grant_sign(
        grant=propose(), authenticator=foreign, acting_user=cast.actor_user
    )
    with pytest.raises(ConsentDenied, match="another passkey"):
        verify(use())
    PasskeyCredential.objects.filter(pk=key_of(foreign).pk).update(is_first=True)
    with pytest.raises(ConsentDenied, match="does not know the passkey"):
        verify(use())
