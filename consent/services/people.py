"""Who works on what: making and naming projects, adding people, letting them go."""

from __future__ import annotations

import logging
import smtplib
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.core.validators import validate_email
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from consent.access import may_make_projects, require_may_change_people
from consent.errors import ConsentError, NotAllowed
from consent.models import Membership, Project, Role
from consent.readers import language_of
from consent.services.ledger import ledger_append

log = logging.getLogger(__name__)

PROJECT_NAME_MAX: Final = 160
PERSON_NAME_MAX: Final = 120
EMAIL_MAX: Final = 254


@transaction.atomic
def project_create(
    *, name: str, company: str, acting_user: AbstractBaseUser
) -> Project:
    """Make a project, whose first producer is whoever makes it. NotAllowed unless they
    are an operator or produce something already; ConsentError "name-missing",
    "name-too-long" or "name-wrong" says what is wrong with either name."""
    if not may_make_projects(acting_user):
        raise NotAllowed("Only an operator or a producer may make a project.")
    project = Project.objects.create(
        name=_name(name, most=PROJECT_NAME_MAX),
        company=_name(company, most=PROJECT_NAME_MAX),
    )
    _log("project-created", project, acting_user)
    membership = project.memberships.create(user_id=acting_user.pk, role=Role.PRODUCER)
    _log_member("member-added", membership, acting_user)
    return project


@transaction.atomic
def project_rename(
    *, project: Project, name: str, company: str, acting_user: AbstractBaseUser
) -> None:
    """Give a project other names, while no actor has read the ones it has: consent is
    given to a production by name, and must not pass to another one. ConsentError
    "name-in-use" if one has; "name-missing", "name-too-long" or "name-wrong" says what
    is wrong with either name."""
    project = Project.objects.select_for_update().get(pk=project.pk)
    require_may_change_people(acting_user, project)
    if not is_renamable(project):
        raise ConsentError(
            "name-in-use",
            "An actor was invited under this name, and consent is given to it. Make a"
            " new project for another production.",
        )
    before = {"name": project.name, "company": project.company}
    project.name = _name(name, most=PROJECT_NAME_MAX)
    project.company = _name(company, most=PROJECT_NAME_MAX)
    project.save(update_fields=["name", "company"])
    _log("project-renamed", project, acting_user, before=before)


def is_renamable(project: Project) -> bool:
    """Say whether no actor has been invited to the project or asked for consent."""
    return not (project.castings.exists() or project.grants.exists())


@transaction.atomic
def member_add(
    *,
    project: Project,
    email: str,
    name: str,
    role: str,
    acting_user: AbstractBaseUser,
) -> Membership:
    """Give the person of an address a role in the project, and tell them by mail.

    Who has no login yet gets one of that name, without a password: the mail holds the
    link that sets it, which is shown to nobody else. A login that is there keeps its
    name. ConsentError "address-wrong", "role-wrong", "already-member", "login-closed"
    or one of the names' says what is wrong."""
    require_may_change_people(acting_user, project)
    if role not in Role.values:
        raise ConsentError("role-wrong", "Choose one of the roles.")
    user = _login_of(email=_address(email), name=name)
    if not user.is_active:
        raise ConsentError(
            "login-closed",
            "This person's login was closed. The operator can open it again.",
        )
    membership, is_new = Membership.objects.get_or_create(
        project=project, user=user, role=role
    )
    if not is_new:
        raise ConsentError(
            "already-member", "This person has that role in the project already."
        )
    _log_member("member-added", membership, acting_user)
    transaction.on_commit(lambda: _letter_send(membership))
    return membership


@transaction.atomic
def member_remove(
    *, project: Project, membership: Membership, acting_user: AbstractBaseUser
) -> None:
    """Take one role in the project from somebody; their login stays. ConsentError
    "last-producer" if nobody would be left to lead the project, "not-a-member" if it
    was taken from them before."""
    # One at a time: two producers who remove each other at once must not both succeed.
    project = Project.objects.select_for_update().get(pk=project.pk)
    require_may_change_people(acting_user, project)
    row = project.memberships.filter(pk=membership.pk).first()
    if row is None:
        raise ConsentError(
            "not-a-member", "This person does not have that role any more."
        )
    producers = project.memberships.filter(role=Role.PRODUCER)
    if row.role == Role.PRODUCER and producers.count() == 1:
        raise ConsentError(
            "last-producer",
            "A project keeps at least one producer. Add another one first.",
        )
    _log_member("member-removed", row, acting_user)
    row.delete()


def password_link(user: Any) -> str:
    """Return the address at which the holder of the link sets the login's password.
    It works once, and for PASSWORD_RESET_TIMEOUT."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    path = reverse("password_reset_confirm", args=[uid, token])
    return f"{settings.SITE_URL}{path}"


def _name(typed: str, *, most: int) -> str:
    name = typed.strip()
    if not name:
        raise ConsentError("name-missing", "Give a name.")
    if len(name) > most:
        raise ConsentError(
            "name-too-long",
            _("This name is too long: at most %(most)d letters.") % {"most": most},
        )
    if not name.isprintable():
        raise ConsentError("name-wrong", "A name is one line of letters.")
    return name


def _address(typed: str) -> str:
    address = typed.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise ConsentError("address-wrong", "That is not an e-mail address.") from error
    if len(address) > EMAIL_MAX:
        raise ConsentError("address-wrong", "That is not an e-mail address.")
    return address


def _login_of(*, email: str, name: str) -> Any:
    """The login of an address: the one there is, or a new one without a password."""
    people = get_user_model().objects
    user = people.filter(email=email).first()
    if user is not None:
        return user
    fields = {"name": _name(name, most=PERSON_NAME_MAX)}
    # Somebody else may add the same address at this moment.
    fields["password"] = make_password(None)
    return people.get_or_create(email=email, defaults=fields)[0]


def _log(kind: str, project: Project, by: AbstractBaseUser, **more: Any) -> None:
    ledger_append(
        kind=kind,
        subject=str(project.id),
        payload={"project": str(project.id), **more},
        acting_user=by,
    )


def _log_member(kind: str, membership: Membership, by: AbstractBaseUser) -> None:
    role = str(membership.role)
    _log(kind, membership.project, by, user=membership.user_id, role=role)


def _letter_send(membership: Membership) -> None:
    user: Any = membership.user
    has_password = user.has_usable_password()
    project = membership.project
    with translation.override(language_of(user)):
        words = render_to_string(
            "consent/member.txt",
            {
                "membership": membership,
                "is_producer": membership.role == Role.PRODUCER,
                "has_password": has_password,
                "link": settings.SITE_URL if has_password else password_link(user),
                "again": settings.SITE_URL + reverse("password_reset"),
                "days": settings.PASSWORD_RESET_TIMEOUT // 86_400,
            },
        )
        subject = _("You work on %(project)s now") % {"project": project.name}
    try:
        send_mail(
            subject=subject,
            message=words,
            from_email=None,
            recipient_list=[user.email],
        )
    except (OSError, smtplib.SMTPException):
        # They belong to the project whether or not a mail server answers, and can have
        # a link sent by the login page.
        log.exception("letter not sent membership=%s", membership.pk)
