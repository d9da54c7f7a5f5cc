"""Whose face it is: what was said, what was compared, and what the actor signed."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from consent.models import Actor, Grant, Project
from consent.models.passkeys import SignedDocument
from synthesis.models.adaptations import Footage
from synthesis.models.scenes import Track, private_path


class FaceSighting(models.Model):
    """One face that somebody says is an actor's: a track of a scene that was assigned,
    footage to learn from, or else a clip that the actor brought. The guard's answer
    about it is in verdict. proposed: the producer would have it remembered.

    portraits is faces.portraits.Portraits, sheet the same as JPEG for the actor to
    see; both are cut by a worker. source_sha256 is the scene's or the footage's."""

    class Verdict(models.TextChoices):
        WAITING = "waiting", "Not compared yet"
        SAME = "same", "Recognised"
        OTHER = "other", "Another face"
        UNSURE = "unsure", "Could not tell"
        UNKNOWN = "unknown", "Nothing to compare with"
        DENIED = "denied", "The actor says it is not them"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(Actor, on_delete=models.CASCADE, related_name="sightings")
    project = models.ForeignKey(
        Project, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    track = models.OneToOneField(
        Track,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sighting",
    )
    footage = models.OneToOneField(
        Footage,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="sighting",
    )
    proposed = models.BooleanField(default=False)
    title = models.CharField(max_length=255)
    file = models.FileField(upload_to=private_path, blank=True)
    source_sha256 = models.CharField(max_length=64, blank=True)
    portraits = models.FileField(upload_to=private_path, blank=True)
    sheet = models.FileField(upload_to=private_path, blank=True)
    sheet_sha256 = models.CharField(max_length=64, blank=True)
    verdict = models.CharField(
        max_length=8, choices=Verdict.choices, default=Verdict.WAITING
    )
    score = models.FloatField(null=True, blank=True)
    compared_with = models.ForeignKey(
        "FaceEnrolment", on_delete=models.SET_NULL, null=True, blank=True
    )
    reason = models.TextField(blank=True, help_text="why nothing can be told")
    said_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    said_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["said_at"]

    def __str__(self) -> str:
        return f"sighting {self.id}"

    @property
    def verdict_now(self) -> FaceSighting.Verdict:
        """The guard's answer as it stands: what a face was recognised by may have been
        deleted since, and then there is nothing to compare it with."""
        verdict = self.Verdict(self.verdict)
        forgotten = verdict == self.Verdict.SAME and not self.compared_with_id
        return self.Verdict.UNKNOWN if forgotten else verdict

    @property
    def is_own_clip(self) -> bool:
        return self.track_id is None and self.footage_id is None


class FaceConfirmation(SignedDocument):
    """The actor's signed word that a face is theirs. remembers: and that it may be kept
    as numbers to compare others with. face_sha256 names exactly what was shown."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(
        Actor, on_delete=models.PROTECT, related_name="face_confirmations"
    )
    face_sha256 = models.CharField(max_length=64, db_index=True)
    remembers = models.BooleanField()

    class Meta:
        ordering = ["signed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["actor", "face_sha256"], name="one_word_a_face"
            )
        ]

    def __str__(self) -> str:
        return f"confirmation of a face by {self.actor}"


class FaceEnrolment(models.Model):
    """An actor's face as numbers, measured from a sighting they confirmed. Biometric:
    deleted on withdrawal or wish, never in the ledger or a manifest.

    vectors: float32 (k, d), as bytes, by the features named. grant is the one under
    which the sighting came about; empty for footage the actor brought themselves."""

    actor = models.ForeignKey(
        Actor, on_delete=models.CASCADE, related_name="enrolments"
    )
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmation = models.ForeignKey(
        FaceConfirmation, on_delete=models.PROTECT, related_name="enrolments"
    )
    features = models.CharField(max_length=40)
    features_sha256 = models.CharField(max_length=64)
    vectors = models.BinaryField()
    count = models.PositiveSmallIntegerField(help_text="k, the portraits measured")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["made_at"]

    def __str__(self) -> str:
        return f"enrolment of {self.actor}"
