"""Bringing actors into a production, and their first visit."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from consent.access import require_producer, require_self
from consent.errors import ConsentError, NotAllowed
from consent.models import Actor, Casting, Project
from consent.readers import language_of
from consent.services.ledger import ledger_append

INVITATION_SALT: Final = "consent.invitation"
INVITATION_DAYS: Final = 14


@transaction.atomic
def actor_create(
    *,
    project: Project,
    stage_name: str,
    legal_name: str,
    acting_user: AbstractBaseUser,
    user: AbstractBaseUser | None = None,
) -> Actor:
    """Put a new actor into the project's cast without an invitation: user, where
    given, is the actor's own login already."""
    require_producer(acting_user, project)
    actor = Actor.objects.create(
        stage_name=stage_name.strip(),
        legal_name=legal_name.strip(),
        user_id=user.pk if user else None,
    )
    _cast(project, actor, email="", acting_user=acting_user)
    return actor


@transaction.atomic
def actor_invite(
    *,
    project: Project,
    stage_name: str,
    legal_name: str,
    email: str,
    acting_user: AbstractBaseUser,
    language: str = "en",
) -> Casting:
    """Invite an actor into the project's cast by e-mail, written in a language.

    The link goes to the actor's mailbox and is shown to nobody else: whoever holds
    it sets up the actor's login. An actor known by that address keeps their names."""
    require_producer(acting_user, project)
    email = email.strip().lower()
    if Casting.objects.filter(project=project, email=email).exists():
        raise NotAllowed("That address was invited to this production already.")
    actor = Actor.objects.filter(user__email=email).first()
    if actor is None:
        actor = Actor.objects.create(
            stage_name=stage_name.strip(), legal_name=legal_name.strip()
        )
    elif actor.castings.filter(project=project).exists():
        raise NotAllowed("That actor belongs to this production already.")
    casting = _cast(project, actor, email=email, acting_user=acting_user)
    transaction.on_commit(lambda: invitation_send(casting=casting, language=language))
    return casting


def invitation_send(*, casting: Casting, language: str = "en") -> None:
    """Mail the invitation to the address it was made for, in the actor's language if
    they have chosen one."""
    user = casting.actor.user
    link = settings.SITE_URL + reverse(
        "consent:invitation", args=[invitation_token(casting)]
    )
    project = casting.project
    with translation.override(language_of(user) if user else language):
        words = render_to_string(
            "consent/invitation.txt",
            {"casting": casting, "link": link, "days": INVITATION_DAYS},
        )
        subject = _("%(company)s asks for you in %(production)s") % {
            "company": project.company,
            "production": project.name,
        }
    send_mail(
        subject=subject,
        message=words,
        from_email=None,
        recipient_list=[casting.email],
    )


def invitation_token(casting: Casting) -> str:
    """Return the signed token that the invitation's link carries."""
    return signing.dumps(str(casting.id), salt=INVITATION_SALT)


def invitation_read(*, token: str) -> Casting:
    """Return the casting a token was made for; ConsentError if it is not ours or too
    old."""
    try:
        casting_id = signing.loads(
            token, salt=INVITATION_SALT, max_age=INVITATION_DAYS * 86_400
        )
    except signing.BadSignature as error:
        raise ConsentError(
            "invitation-invalid",
            "This invitation is not valid any more. Ask for a new one.",
        ) from error
    return Casting.objects.select_related("actor", "project").get(pk=casting_id)


def invitation_needs_login(
    *, casting: Casting, acting_user: AbstractBaseUser | None
) -> bool:
    """Say whether whoever holds the invitation must first log in with the login that
    its actor, or its address, already has."""
    owner = casting.actor.user_id
    if owner is None:
        people = get_user_model().objects.filter(email=casting.email)
        owner = people.values_list("pk", flat=True).first()
    return owner is not None and (acting_user is None or acting_user.pk != owner)


@transaction.atomic
def invitation_accept(
    *,
    casting: Casting,
    password: str,
    acting_user: AbstractBaseUser | None,
    language: str = "",
) -> AbstractBaseUser:
    """Give the actor their login and return it: the one they are logged in with, if
    it has the invited address, or else a new one with this password, and this
    language for writing to them.

    An invitation works once: an actor who has a login is never given another."""
    actor = Actor.objects.select_for_update().get(pk=casting.actor_id)
    if actor.user_id is not None:
        raise NotAllowed("This invitation was used already. Log in instead.")
    user: AbstractBaseUser | None = (
        get_user_model().objects.filter(email=casting.email).first()
    )
    if user is None:
        user = login_new(
            email=casting.email,
            name=casting.actor.stage_name,
            password=password,
            language=language,
        )
    elif acting_user is None or acting_user.pk != user.pk:
        raise NotAllowed("This address has a login already. Log in with it first.")
    actor.user_id = user.pk
    actor.save(update_fields=["user"])
    ledger_append(
        kind="actor-joined",
        subject=str(actor.id),
        payload={"actor": str(actor.id), "user": user.pk},
        acting_user=user,
    )
    return user


@transaction.atomic
def agent_name(*, actor: Actor, email: str, acting_user: AbstractBaseUser) -> None:
    """Keep the address of the actor's agent, or none (""); only the actor says it.
    The ledger keeps that it changed, never the address."""
    require_self(acting_user, actor)
    email = email.strip()
    if email:
        try:
            validate_email(email)
        except ValidationError as error:
            raise ConsentError(
                "address-wrong", "That is not an e-mail address. Nothing was changed."
            ) from error
    actor.agent_email = email
    actor.save(update_fields=["agent_email"])
    ledger_append(
        kind="agent-named" if email else "agent-removed",
        subject=str(actor.id),
        payload={"actor": str(actor.id)},
        acting_user=acting_user,
    )


def login_new(
    *, email: str, name: str, password: str, language: str = ""
) -> AbstractBaseUser:
    """Make a login for somebody who came by a link in that mailbox; ConsentError
    "password-weak" says what is wrong with the password."""
    user = get_user_model()(email=email, name=name, language=language)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ConsentError("password-weak", " ".join(error.messages)) from error
    user.set_password(password)
    user.save()
    return user


def _cast(
    project: Project, actor: Actor, *, email: str, acting_user: AbstractBaseUser
) -> Casting:
    casting = Casting.objects.create(
        project=project, actor=actor, email=email, invited_by_id=acting_user.pk
    )
    ledger_append(
        kind="actor-cast",
        subject=str(actor.id),
        payload={"actor": str(actor.id), "project": str(project.id)},
        acting_user=acting_user,
    )
    return casting
