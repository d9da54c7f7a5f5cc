"""Who may act in a project. Views hide what one may not see; services refuse."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser

from consent.models import Membership, Project, Role
from synthesis.errors import NotAllowed

WHAT_A_ROLE_DOES = {
    Role.PRODUCER: "Only a producer of this project can do that.",
    Role.REVIEWER: "Only a reviewer of this project can do that.",
}


def require_role(*, project: Project, user: AbstractBaseUser, role: Role) -> None:
    """Raise NotAllowed unless user has the role in the project."""
    if not has_role(project=project, user_id=user.pk, role=role):
        raise NotAllowed("not-allowed", WHAT_A_ROLE_DOES[role])


def has_role(*, project: Project, user: AbstractBaseUser, role: Role) -> bool:
    """Say whether user has the role in the project."""
    return Membership.objects.filter(
        project=project, user_id=user.pk, role=role
    ).exists()
