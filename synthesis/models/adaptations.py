"""What the networks learn of one actor: footage, the run, the weights, the stills."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models import Actor, Grant, Project
from synthesis.models.runs import Run, RunQuerySet
from synthesis.models.scenes import Scene, private_path


class Footage(models.Model):
    """Pictures and sound of one actor, uploaded only to learn from. Deleted with the
    last grant that allows training on it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="footage"
    )
    actor = models.ForeignKey(Actor, on_delete=models.CASCADE, related_name="footage")
    original_name = models.CharField(max_length=255)
    file = models.FileField(upload_to=private_path)
    sha256 = models.CharField(max_length=64, db_index=True)
    size_bytes = models.BigIntegerField()
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["uploaded_at"]

    def __str__(self) -> str:
        return self.original_name


class AdaptationQuerySet(RunQuerySet["Adaptation"]):
    """Adaptations, by where they are."""


class Adaptation(Run):
    """One run that fits the networks to an actor, on a grant that includes training.
    Its row stays when what was learned is deleted."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Learning")
        READY = "ready", _("Learned")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        WITHDRAWN = "withdrawn", _("Consent withdrawn")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="adaptations"
    )
    actor = models.ForeignKey(
        Actor, on_delete=models.CASCADE, related_name="adaptations"
    )
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="adaptations"
    )
    scenes = models.ManyToManyField(Scene, related_name="adaptations")
    footage = models.ManyToManyField(Footage, related_name="adaptations")
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.QUEUED, db_index=True
    )
    progress = models.JSONField(
        default=dict, help_text="stage, step, frame, frames, fps, eta_s"
    )
    model_deleted_at = models.DateTimeField(null=True, blank=True)

    objects = AdaptationQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at"]

    def __str__(self) -> str:
        return f"adaptation to {self.actor}"


class AdaptationPart(models.Model):
    """Work of a running adaptation, kept so that any worker goes on with it: the
    prepared crops, and the newest checkpoint of each network."""

    adaptation = models.ForeignKey(
        Adaptation, on_delete=models.CASCADE, related_name="parts"
    )
    name = models.CharField(max_length=40)
    file = models.FileField(upload_to=private_path)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["adaptation", "name"], name="one_part_a_name"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.adaptation}"


class ActorModel(models.Model):
    """What the networks learned of one actor. Stands on a grant that includes
    training and is deleted when that grant is withdrawn.

    sources: [{"name", "sha256", "seconds"}]. figures: see engines.comparison, on
    seconds kept out of training."""

    actor = models.ForeignKey(
        Actor, on_delete=models.CASCADE, related_name="learned_models"
    )
    grant = models.ForeignKey(Grant, on_delete=models.PROTECT, related_name="+")
    adaptation = models.OneToOneField(
        Adaptation,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="model",
        help_text="Empty for weights that came with the software.",
    )
    file = models.FileField(upload_to=private_path)
    sha256 = models.CharField(max_length=64)
    sources = models.JSONField(default=list)
    figures = models.JSONField(default=dict)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"model of {self.actor}"


class ModelStill(models.Model):
    """One frame kept out of training: as filmed, or drawn by one of the networks.
    Made pixels: labelled and marked, private, deleted with the model."""

    class Kind(models.TextChoices):
        FILMED = "filmed", "As filmed"
        GENERAL = "general", "Before: general network"
        ADAPTED = "adapted", "After: learned from this actor"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    model = models.ForeignKey(
        ActorModel, on_delete=models.CASCADE, related_name="stills"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices)
    frame = models.PositiveIntegerField(help_text="Of the source it is from.")
    at_s = models.FloatField()
    mark_id = models.CharField(max_length=16, blank=True)
    file = models.FileField(upload_to=private_path)

    class Meta:
        ordering = ["frame", "id"]

    def __str__(self) -> str:
        return f"{self.kind} still of {self.model}"
