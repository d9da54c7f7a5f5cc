"""What a person may do here, asked of their memberships each time."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from consent.access import may_make_projects
from consent.models import Actor, Cosigner, Membership, Notice, Role

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


class Standing:
    """A person's roles over all projects; asks the database on first use only."""

    def __init__(self, user: AbstractBaseUser | AnonymousUser) -> None:
        self.user = user

    @cached_property
    def roles(self) -> frozenset[str]:
        if self.user.pk is None:
            return frozenset()
        rows = Membership.objects.filter(user_id=self.user.pk)
        return frozenset(rows.values_list("role", flat=True))

    @property
    def is_member(self) -> bool:
        return bool(self.roles)

    @property
    def is_producer(self) -> bool:
        return Role.PRODUCER in self.roles

    @cached_property
    def may_make_projects(self) -> bool:
        return may_make_projects(self.user)

    @property
    def is_reviewer(self) -> bool:
        return Role.REVIEWER in self.roles

    @cached_property
    def is_actor(self) -> bool:
        if self.user.pk is None:
            return False
        return Actor.objects.filter(user_id=self.user.pk).exists()

    @cached_property
    def is_cosigner(self) -> bool:
        if self.user.pk is None:
            return False
        return Cosigner.objects.filter(user_id=self.user.pk).exists()

    @cached_property
    def unread(self) -> int:
        """How many notices in the person's inbox are new."""
        if self.user.pk is None:
            return 0
        return Notice.objects.filter(user=self.user.pk).unread().count()
