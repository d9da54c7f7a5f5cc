"""Signing beside an actor: the agent or the union whom the record names.

A co-signer signs the very bytes that the actor signed, with a passkey of their own.
They can change nothing, allow nothing alone, and take nothing back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core import signing
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from consent.access import require_self
from consent.errors import ConsentError, NotAllowed
from consent.models import Actor, CoSignature, Cosigner, Grant
from consent.proof import grant_verify_signature
from consent.readers import language_of, reading_locale
from consent.record import Cosigner as CosignerRecord
from consent.services.actors import login_new
from consent.services.ledger import ledger_append
from consent.services.notices import grant_tell
from consent.services.passkeys import (
    document_sign,
    signature_payload,
    signing_options,
)

COSIGN_SALT: Final = "consent.cosigning"
COSIGN_DAYS: Final = 30


def cosigner_named(*, actor: Actor, role: str, name: str, email: str) -> Cosigner:
    """Return the co-signer of that address, made on first mention. Raises NotAllowed
    for the actor's own address: nobody signs beside themselves."""
    email = email.strip().lower()
    people = get_user_model().objects.filter(email=email)
    if Actor.objects.filter(user__in=people).exists():
        raise NotAllowed("That address is an actor's. A co-signer is somebody else.")
    cosigner, _ = Cosigner.objects.get_or_create(
        email=email, defaults={"name": name.strip(), "role": role}
    )
    return cosigner


def cosigner_record(cosigner: Cosigner) -> CosignerRecord:
    """Return the co-signer as records carry them."""
    return CosignerRecord(
        cosigner_id=str(cosigner.id),
        role=cosigner.role,
        name=cosigner.name,
        email=cosigner.email,
    )


def cosign_ask_on_commit(*, grant: Grant) -> None:
    """Mail the co-signer, once the actor has signed, the link to the grant."""
    cosigner = grant.cosigner
    if cosigner is None:
        return
    token = cosign_token(grant)
    link = settings.SITE_URL + reverse("consent:cosign_invitation", args=[token])
    # Who has no login yet is asked in the actor's language.
    language = language_of(cosigner.user) if cosigner.user else reading_locale()
    with translation.override(language):
        subject = gettext("%(actor)s asks you to co-sign: %(project)s") % {
            "actor": " ".join(grant.actor.stage_name.split()),
            "project": " ".join(grant.project.name.split()),
        }
        letter = render_to_string(
            "consent/cosign.txt", {"grant": grant, "link": link, "days": COSIGN_DAYS}
        )
    transaction.on_commit(
        lambda: send_mail(
            subject=subject,
            message=letter,
            from_email=None,
            recipient_list=[cosigner.email],
        ),
        robust=True,
    )


def cosign_token(grant: Grant) -> str:
    """Return the signed token that the link in the co-signer's mailbox carries."""
    return signing.dumps(str(grant.id), salt=COSIGN_SALT)


def cosign_read(*, token: str) -> Grant:
    """Return the grant a token was made for; ConsentError if it is not ours or old."""
    try:
        found = signing.loads(token, salt=COSIGN_SALT, max_age=COSIGN_DAYS * 86_400)
    except signing.BadSignature as error:
        raise ConsentError(
            "invitation-invalid",
            "This invitation is not valid any more. Ask for a new one.",
        ) from error
    rows = Grant.objects.select_related("actor", "project", "cosigner")
    return rows.get(pk=UUID(found), cosigner__isnull=False)


def cosigner_needs_login(*, grant: Grant, acting_user: AbstractBaseUser | None) -> bool:
    """Say whether whoever holds the invitation must first log in with the login that
    its co-signer, or their address, already has."""
    if grant.cosigner is None:
        return True
    owner = grant.cosigner.user_id
    if owner is None:
        people = get_user_model().objects.filter(email=grant.cosigner.email)
        owner = people.values_list("pk", flat=True).first()
    if owner is None:
        return acting_user is not None
    return acting_user is None or acting_user.pk != owner


@transaction.atomic
def cosigner_join(
    *,
    grant: Grant,
    password: str,
    acting_user: AbstractBaseUser | None,
    language: str = "",
) -> AbstractBaseUser:
    """Give the grant's co-signer their login and return it: the one they are logged in
    with, if it has their address, or else a new one with this password and the
    language they were invited in."""
    if grant.cosigner is None:
        raise NotAllowed("This consent needs nobody's co-signature.")
    cosigner = Cosigner.objects.select_for_update().get(pk=grant.cosigner.pk)
    if cosigner.user_id is not None:
        raise NotAllowed("This invitation was used already. Log in instead.")
    people = get_user_model().objects
    user: AbstractBaseUser | None = people.filter(email=cosigner.email).first()
    if user is None:
        user = login_new(
            email=cosigner.email,
            name=cosigner.name,
            password=password,
            language=language,
        )
    elif acting_user is None or acting_user.pk != user.pk:
        raise NotAllowed("This address has a login already. Log in with it first.")
    cosigner.user_id = user.pk
    cosigner.save(update_fields=["user"])
    ledger_append(
        kind="cosigner-joined",
        subject=str(cosigner.id),
        payload={"cosigner": str(cosigner.id), "user": user.pk},
        acting_user=user,
    )
    return user


def grant_cosign_options(
    *, grant: Grant, acting_user: AbstractBaseUser
) -> dict[str, Any]:
    """Return the request options (JSON values) whose answer is the co-signature. Its
    challenge is the one that the actor answered."""
    cosigner = _require_waiting(grant, acting_user)
    return signing_options(document=cosignature_of(grant), holder=cosigner)


@transaction.atomic
def grant_cosign(
    *,
    grant: Grant,
    assertion: str | Mapping[str, Any],
    acting_user: AbstractBaseUser,
) -> CoSignature:
    """Keep the co-signature; with it the grant becomes active. Raises NotAllowed for
    anybody but the co-signer whom the signed record names, for a grant that the actor
    has not signed, or has taken back; SignatureRefused for another answer."""
    grant = Grant.objects.select_for_update(of=("self",)).get(pk=grant.pk)
    cosigner = _require_waiting(grant, acting_user)
    grant_verify_signature(grant)
    cosignature = cosignature_of(grant)
    document_sign(document=cosignature, holder=cosigner, response=assertion)
    cosignature.save()
    ledger_append(
        kind="grant-cosigned",
        subject=str(grant.id),
        payload=signature_payload(cosignature),
        acting_user=acting_user,
    )
    grant_tell(grant=grant, event="co-signed")
    return cosignature


def cosignature_of(grant: Grant) -> CoSignature:
    """Return the unsaved, unsigned co-signature: the grant's own bytes and words."""
    # By its id: given the grant itself, Django would hang the unsigned row on it.
    return CoSignature(
        grant_id=grant.pk,
        canonical=bytes(grant.canonical),
        shown_text=grant.shown_text,
    )


def _require_waiting(grant: Grant, acting_user: AbstractBaseUser) -> Cosigner:
    cosigner, named = grant.cosigner, grant.document.cosigner
    if cosigner is None or named is None or named != cosigner_record(cosigner):
        raise NotAllowed("This consent names somebody else to co-sign it, or nobody.")
    require_self(acting_user, cosigner)
    if not grant.signed_at:
        raise NotAllowed("The actor has not signed yet. You are asked once they have.")
    if grant.revocation:
        raise NotAllowed("The actor has withdrawn this: there is nothing to co-sign.")
    if hasattr(grant, "cosignature"):
        raise NotAllowed("You have co-signed this already.")
    return cosigner
