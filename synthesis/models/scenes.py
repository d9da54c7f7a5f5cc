"""What a producer brings in: a scene, what analysis found in it, and its dubs."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from consent.models import Actor, Project


def private_path(instance: models.Model, filename: str) -> str:
    """Storage key of a file: never the user's own name for it. What a render or an
    adaptation made is found again by its id, even where a killed worker left no row."""
    suffix = "".join(c for c in filename.rpartition(".")[2] if c.isalnum())[:8]
    run = _run_id(instance)
    name = f"{run}-{uuid.uuid4().hex}" if run else uuid.uuid4().hex
    return f"{instance._meta.model_name}/{name}.{suffix.lower() or 'bin'}"


def _run_id(instance: models.Model) -> uuid.UUID | None:
    """The render or adaptation that a row comes of; a still's is its model's."""
    for row in (instance, getattr(instance, "model", None)):
        for name in ("render_id", "adaptation_id"):
            found: uuid.UUID | None = getattr(row, name, None)
            if found:
                return found
    return None


class Upload(models.Model):
    """A file on its way in, chunk by chunk; becomes a scene or a line's sound."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    received_bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"upload {self.id}"


class Scene(models.Model):
    """A narrative unit as uploaded. media_facts is synthesis.media's probe as JSON.
    active_picture: left, top, right, bottom without black bars, None where there are
    none. breaks: frames with which it goes on after a break."""

    class State(models.TextChoices):
        ANALYSING = "analysing", "Being analysed"
        READY = "ready", "Ready"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, related_name="scenes"
    )
    title = models.CharField(max_length=160)
    original_name = models.CharField(max_length=255)
    file = models.FileField(upload_to=private_path)
    proxy = models.FileField(upload_to=private_path, blank=True)
    sha256 = models.CharField(max_length=64, db_index=True, blank=True)
    size_bytes = models.BigIntegerField()
    language = models.CharField(max_length=35, default="en")
    media_facts = models.JSONField(default=dict)
    active_picture = models.JSONField(null=True, blank=True, default=None)
    breaks = models.JSONField(default=list, blank=True)
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.ANALYSING
    )
    progress = models.JSONField(default=dict)
    error_code = models.CharField(max_length=60, blank=True)
    error_sentence = models.TextField(blank=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-uploaded_at"]

    def __str__(self) -> str:
        return self.title


class Shot(models.Model):
    """Cut to cut: frames first_frame up to, not including, end_frame."""

    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="shots")
    index = models.PositiveIntegerField()
    first_frame = models.PositiveIntegerField()
    end_frame = models.PositiveIntegerField()

    class Meta:
        ordering = ["index"]
        constraints = [
            models.UniqueConstraint(fields=["scene", "index"], name="one_shot_an_index")
        ]

    def __str__(self) -> str:
        return f"shot {self.index} of {self.scene}"


class Track(models.Model):
    """One face through one shot. landmarks is a .npy file, float32 (n, 468, 3) px,
    row 0 at first_frame, NaN where the face was not found. left_alone: the ranges in
    which no mouth will be drawn, as faces.abstention.LeftAlone writes them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    shot = models.ForeignKey(Shot, on_delete=models.CASCADE, related_name="tracks")
    number = models.PositiveIntegerField(help_text="Counts through the scene from 1.")
    first_frame = models.PositiveIntegerField()
    end_frame = models.PositiveIntegerField()
    landmarks = models.FileField(upload_to=private_path)
    thumbnail = models.FileField(upload_to=private_path, blank=True)
    left_alone = models.JSONField(default=list, blank=True)
    actor = models.ForeignKey(
        Actor,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="tracks",
    )

    class Meta:
        ordering = ["number"]

    def __str__(self) -> str:
        return f"track {self.number}"


class Dub(models.Model):
    """One language version of a scene. dials: what the next render shall do with the
    mouths, as synthesis.dials.Dials writes it. delivery: what it shall be written as
    unless it is asked otherwise, as synthesis.delivery.Delivery writes it. content:
    which of consent.record.CONTENT its lines or scene hold, as content_by said; None
    where nobody has said yet."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="dubs")
    language = models.CharField(max_length=35, help_text="BCP-47, such as es or pt-BR.")
    dials = models.JSONField(default=dict, blank=True)
    delivery = models.JSONField(default=dict, blank=True)
    content = models.JSONField(null=True, blank=True, default=None)
    content_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
    )
    content_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at"]

    def __str__(self) -> str:
        return f"{self.scene} in {self.language}"


class Line(models.Model):
    """A stretch of dubbed dialogue by one actor, starting at a frame of the scene."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dub = models.ForeignKey(Dub, on_delete=models.CASCADE, related_name="lines")
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="lines")
    original_name = models.CharField(max_length=255)
    sound = models.FileField(upload_to=private_path)
    sound_facts = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64)
    first_frame = models.PositiveIntegerField(default=0)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["first_frame"]

    def __str__(self) -> str:
        return f"line at frame {self.first_frame}"
