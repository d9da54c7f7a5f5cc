"""Who may see and do what in consent: one place answers "may they?" and "which?".

A row that a person may not see does not exist for them: pages answer 404."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Q, QuerySet

from consent.errors import NotAllowed
from consent.models import Grant, Membership, Project, Role
from consent.models.passkeys import Holder


def is_producer(user: AbstractBaseUser | AnonymousUser, project: Project) -> bool:
    roles = project.memberships.filter(role=Role.PRODUCER)
    return user.pk is not None and roles.filter(user_id=user.pk).exists()


def require_producer(user: AbstractBaseUser, project: Project) -> None:
    """Raise NotAllowed unless the user is a producer of the project."""
    if not is_producer(user, project):
        raise NotAllowed("Only a producer of this production may do that.")


def is_operator(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Say whether the user runs this installation."""
    return bool(user.is_active and getattr(user, "is_staff", False))


def may_make_projects(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Say whether the user is an operator, or a producer of whatever project."""
    if user.pk is None:
        return False
    seats = Membership.objects.filter(user_id=user.pk, role=Role.PRODUCER)
    return is_operator(user) or seats.exists()


def may_change_people(user: AbstractBaseUser | AnonymousUser, project: Project) -> bool:
    """Say whether the user may bring people into the project and remove them."""
    return is_operator(user) or is_producer(user, project)


def require_may_change_people(user: AbstractBaseUser, project: Project) -> None:
    """Raise NotAllowed unless the user may change who belongs to the project."""
    if not may_change_people(user, project):
        raise NotAllowed("Only a producer of this project or an operator may do that.")


def is_self(user: AbstractBaseUser | AnonymousUser, actor: Holder) -> bool:
    return user.pk is not None and actor.user_id == user.pk


def require_self(user: AbstractBaseUser, actor: Holder) -> None:
    """Raise NotAllowed unless the user is the actor, whatever else they may be."""
    if not is_self(user, actor):
        raise NotAllowed("Only the actor themselves may do that.")


def is_cosigner(user: AbstractBaseUser | AnonymousUser, grant: Grant) -> bool:
    return grant.cosigner is not None and is_self(user, grant.cosigner)


def may_have_receipt(user: AbstractBaseUser | AnonymousUser, grant: Grant) -> bool:
    """Say whether the receipt, which holds the actor's legal name and key, is theirs
    to have: the actor's own, the producers' who asked, and the co-signer's."""
    own = is_self(user, grant.actor) or is_cosigner(user, grant)
    return own or is_producer(user, grant.project)


def grants_visible_to(
    user: AbstractBaseUser | AnonymousUser,
) -> QuerySet[Grant]:
    """Return the grants that concern the user: their own, as an actor, and those of
    the projects they are a member of, and those they co-sign."""
    if isinstance(user, AnonymousUser):
        return Grant.objects.none()
    concerns = Q(actor__user_id=user.pk) | Q(project__memberships__user_id=user.pk)
    # A co-signer is asked once the actor has signed, not before.
    concerns |= Q(cosigner__user_id=user.pk, signed_at__isnull=False)
    rows = Grant.objects.filter(concerns).distinct()
    return rows.select_related("actor", "project")
