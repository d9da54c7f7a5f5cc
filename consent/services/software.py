"""Enrolling and signing without a browser, for actors that no person plays.

The software authenticator takes the browser's place and nothing else: its answers go
through the same services and the same checks, and its key is marked as software."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser

from consent.authenticator import SoftwareAuthenticator
from consent.models import Grant, Revocation
from consent.models.passkeys import Holder
from consent.services.grants import grant_sign, grant_sign_options
from consent.services.passkeys import (
    passkey_enrol,
    passkey_enrol_options,
    relying_party,
)
from consent.services.withdrawals import grant_revoke, grant_revoke_options


def software_passkey_enrol(
    *, actor: Holder, acting_user: AbstractBaseUser
) -> SoftwareAuthenticator:
    """Enrol a new software authenticator as the actor's own user, and return it."""
    site = relying_party()
    authenticator = SoftwareAuthenticator(rp_id=site.rp_id, origin=site.origin)
    options = passkey_enrol_options(holder=actor, acting_user=acting_user)
    passkey_enrol(
        holder=actor,
        response=authenticator.create(options),
        challenge=options["challenge"],
        acting_user=acting_user,
    )
    return authenticator


def software_grant_sign(
    *,
    grant: Grant,
    authenticator: SoftwareAuthenticator,
    acting_user: AbstractBaseUser,
) -> Grant:
    """Sign the grant with a software authenticator enrolled for its actor."""
    options = grant_sign_options(grant=grant, acting_user=acting_user)
    return grant_sign(
        grant=grant, assertion=authenticator.get(options), acting_user=acting_user
    )


def software_grant_revoke(
    *,
    grant: Grant,
    authenticator: SoftwareAuthenticator,
    acting_user: AbstractBaseUser,
) -> Revocation:
    """Revoke the grant with a software authenticator enrolled for its actor."""
    options = grant_revoke_options(grant=grant, acting_user=acting_user)
    return grant_revoke(
        grant=grant, assertion=authenticator.get(options), acting_user=acting_user
    )
