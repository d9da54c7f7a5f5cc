"""What is made: renders, the signed files they end in, and what reviewers say."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models import Grant
from synthesis.models.runs import Run, RunQuerySet
from synthesis.models.scenes import Dub, Track, private_path


class RenderQuerySet(RunQuerySet["Render"]):
    """Renders, by where they are."""


class Render(Run):
    """One run of the networks over a dub."""

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        READY = "ready", _("Ready for review")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")
        WITHDRAWN = "withdrawn", _("Consent withdrawn")

    class Tier(models.TextChoices):
        DRAFT = "draft", "Draft"
        FINAL = "final", "Final"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    dub = models.ForeignKey(Dub, on_delete=models.CASCADE, related_name="renders")
    version = models.PositiveIntegerField()
    grants = models.ManyToManyField(Grant, related_name="renders")
    controls = models.JSONField(
        default=dict, help_text="The dub's dials as they stood when it was asked for."
    )
    delivery = models.JSONField(
        default=dict, blank=True, help_text="synthesis.delivery.Delivery as asked for."
    )
    tier = models.CharField(max_length=8, choices=Tier.choices, default=Tier.FINAL)
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.QUEUED, db_index=True
    )
    progress = models.JSONField(
        default=dict, help_text="stage, shot, frame, frames, fps, eta_s"
    )

    objects = RenderQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["dub", "version"], name="one_render_a_version"
            )
        ]

    def __str__(self) -> str:
        return f"{self.dub}, version {self.version}"


class TrackRender(models.Model):
    """The mouths made for one face of one shot, kept so that a killed worker resumes
    and a later version need not make them again. patches is synthesis.patches' format;
    versions share the file while nothing that decides its pixels has changed: key is
    the hash of all that does. left_alone: the ranges that stayed as filmed, as
    faces.abstention.LeftAlone writes them."""

    render = models.ForeignKey(
        Render, on_delete=models.CASCADE, related_name="track_renders"
    )
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="+")
    patches = models.FileField(upload_to=private_path)
    weights_sha256 = models.CharField(max_length=64)
    codes = models.BinaryField(
        blank=True, default=b"", help_text="synthesis.performance.kept's format"
    )
    key = models.CharField(max_length=64, blank=True, db_index=True)
    left_alone = models.JSONField(default=list, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["track__number"]
        constraints = [
            models.UniqueConstraint(
                fields=["render", "track"], name="one_result_a_track"
            )
        ]

    def __str__(self) -> str:
        return f"mouths of {self.track}"


class ProposedCurve(models.Model):
    """What the networks propose for one face of a dub before any dial is turned, drawn
    behind what a supervisor draws. values: for each axis of synthesis.dials.AXES one
    number a frame of the track. key: the hash of what they were computed from."""

    dub = models.ForeignKey(
        Dub, on_delete=models.CASCADE, related_name="proposed_curves"
    )
    track = models.ForeignKey(Track, on_delete=models.CASCADE, related_name="+")
    values = models.JSONField()
    key = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dub", "track"], name="one_proposal_a_track"
            )
        ]

    def __str__(self) -> str:
        return f"curve of {self.track}"


class Deliverable(models.Model):
    """The signed file. It exists only once label, mark and manifest were read back;
    whether it may leave is asked of the policy each time, never stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    render = models.OneToOneField(
        Render, on_delete=models.PROTECT, related_name="deliverable"
    )
    file = models.FileField(upload_to=private_path)
    sha256 = models.CharField(max_length=64, unique=True)
    size_bytes = models.BigIntegerField()
    frame_count = models.PositiveIntegerField()
    manifest_id = models.CharField(max_length=120, unique=True)
    mark_id = models.CharField(max_length=16, unique=True)
    mark_key_id = models.CharField(max_length=40)
    fingerprint = models.BinaryField()
    label = models.JSONField(
        default=dict, help_text="The visible label, as synthesis.labelling records it."
    )
    media = models.JSONField(
        default=dict,
        help_text="What the file holds, as synthesis.viewing.file_told says it.",
    )
    render_seconds = models.FloatField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"deliverable {self.id}"

    @property
    def suffix(self) -> str:
        """'mp4' or 'mov', of the stored file and of what it is called for people."""
        return str(self.file.name).rpartition(".")[2]

    @property
    def playable(self) -> Deliverable | ViewingCopy:
        """What a browser plays of it: its viewing copy, or itself."""
        return getattr(self, "viewing_copy", self)


class ViewingCopy(models.Model):
    """What browsers play of a deliverable that they cannot play itself: made from its
    finished pictures, so that label and mark are on it, with a credential of its own.
    It is only ever shown, under the same permissions; decisions are about the
    deliverable."""

    deliverable = models.OneToOneField(
        Deliverable, on_delete=models.CASCADE, related_name="viewing_copy"
    )
    file = models.FileField(upload_to=private_path)
    sha256 = models.CharField(max_length=64, unique=True)
    size_bytes = models.BigIntegerField()
    manifest_id = models.CharField(max_length=120, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"viewing copy of {self.deliverable}"

    @property
    def render_id(self) -> uuid.UUID:
        """By which a killed worker's file is found again: see private_path."""
        return self.deliverable.render_id


class ManifestUpdate(models.Model):
    """What was added to a file's Content Credential after it was signed. Never changed;
    the newest stands. The file itself stays as it was approved: appended goes behind
    its bytes on the way out (provenance.container.UpdatedFile)."""

    class What(models.TextChoices):
        PUBLISHED = "published", "Released"
        WITHDRAWN = "withdrawn", "Consent withdrawn"

    deliverable = models.ForeignKey(
        Deliverable, on_delete=models.CASCADE, related_name="manifest_updates"
    )
    what = models.CharField(max_length=12, choices=What.choices)
    manifest_id = models.CharField(max_length=120, unique=True)
    appended = models.BinaryField(help_text="The update box at the file's end.")
    store = models.BinaryField(help_text="The whole manifest store, application/c2pa.")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["deliverable", "what"], name="one_update_of_a_kind"
            )
        ]

    def __str__(self) -> str:
        return f"{self.what} of {self.deliverable}"


class Comment(models.Model):
    """A reviewer's words on one exact frame."""

    deliverable = models.ForeignKey(
        Deliverable, on_delete=models.CASCADE, related_name="comments"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    frame = models.PositiveIntegerField()
    text = models.TextField(max_length=4000)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["frame", "made_at"]

    def __str__(self) -> str:
        return f"comment on frame {self.frame}"


class Decision(models.Model):
    """A reviewer's verdict on exactly the bytes named by sha256. Never changed; a
    later decision by the same person stands in its place."""

    class Verdict(models.TextChoices):
        APPROVED = "approved", "Approved"
        CHANGES = "changes", "Changes wanted"

    deliverable = models.ForeignKey(
        Deliverable, on_delete=models.CASCADE, related_name="decisions"
    )
    sha256 = models.CharField(max_length=64)
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    reason = models.TextField(blank=True, max_length=4000)
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return f"{self.verdict} by {self.reviewer}"
