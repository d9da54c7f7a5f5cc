"""Who there is: productions, their members, the actors whose faces are asked for."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


class ProjectQuerySet(models.QuerySet["Project"]):
    """Projects, by who may see them."""

    def of_member(self, user: AbstractBaseUser) -> ProjectQuerySet:
        return self.filter(memberships__user=user.pk).distinct()


class Project(models.Model):
    """One production. Grants are given to it; nothing is shared between projects."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=160)
    company = models.CharField(max_length=160)
    territory = models.CharField(max_length=40, default="worldwide")
    medium = models.CharField(max_length=40, default="cinema")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member does in a project."""

    PRODUCER = "producer", "Producer"
    REVIEWER = "reviewer", "Reviewer"


class Membership(models.Model):
    """A person's role in one project; several roles are several rows."""

    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="memberships"
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "user", "role"], name="one_row_a_role"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class ActorQuerySet(models.QuerySet["Actor"]):
    """Actors, by the production they are cast in."""

    def cast_in(self, project: Project) -> ActorQuerySet:
        return self.filter(castings__project=project).distinct()


class Actor(models.Model):
    """A person whose face may be asked for. user is the login of whoever signs: the
    actor, or for a minor, somebody deceased or represented the holder of a mandate."""

    class Life(models.TextChoices):
        LIVING = "living", "Living"
        DECEASED = "deceased", "Deceased"

    class Age(models.TextChoices):
        ADULT = "adult", "An adult"
        MINOR = "minor", "A minor"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    stage_name = models.CharField(max_length=120)
    legal_name = models.CharField(max_length=120)
    life = models.CharField(max_length=8, choices=Life.choices, default=Life.LIVING)
    age = models.CharField(max_length=8, choices=Age.choices, default=Age.ADULT)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="actor",
    )
    agent_email = models.EmailField(
        blank=True, help_text="of the actor's agent, who gets every receipt too"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ActorQuerySet.as_manager()

    class Meta:
        ordering = ["stage_name"]

    def __str__(self) -> str:
        return self.stage_name


def evidence_path(mandate: Mandate, name: str) -> str:
    """Where evidence is kept: under a name that tells nothing of whom it is about."""
    return f"mandates/{uuid.uuid4().hex}"


class Mandate(models.Model):
    """By what right somebody signs for an actor, from starts_at to (not at) ends_at.
    evidence is private; its SHA-256 goes into every record it is signed on."""

    class Signs(models.TextChoices):
        GUARDIAN = "guardian", "Guardian of a minor"
        ESTATE = "estate", "Estate of somebody deceased"
        REPRESENTATIVE = "representative", "Representative of an adult"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="mandates")
    signs = models.CharField(max_length=16, choices=Signs.choices)
    holder = models.CharField(max_length=120)
    evidence = models.FileField(upload_to=evidence_path)
    evidence_sha256 = models.CharField(max_length=64)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-recorded_at"]

    def __str__(self) -> str:
        return f"{self.holder}, {self.get_signs_display()} of {self.actor}"


class Cosigner(models.Model):
    """Somebody from outside who signs grants beside an actor: their agent, a union. One
    row an address; user is the login that they set up from their own mailbox."""

    class Role(models.TextChoices):
        AGENT = "agent", _("The actor's agent")
        UNION = "union", _("A union")
        OTHER = "other", _("Somebody else")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=8, choices=Role.choices)
    email = models.EmailField(unique=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="cosigner",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Casting(models.Model):
    """An actor belongs to a production's cast. Being cast allows nothing yet.

    email is where the invitation went; whoever reads that mailbox sets up the login."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="castings"
    )
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="castings")
    email = models.EmailField(blank=True)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    invited_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["invited_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "actor"], name="one_casting_an_actor"
            )
        ]

    def __str__(self) -> str:
        return f"{self.actor} in {self.project}"
