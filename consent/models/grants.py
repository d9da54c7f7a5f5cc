"""A grant: what an actor was asked, what they signed, and how they took it back."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.db import models
from django.utils import timezone

from consent.models.passkeys import SignedDocument
from consent.models.people import Actor, Project
from consent.record import GrantRecord, instant


class Status(models.TextChoices):
    """Where a grant stands at a moment. Computed, never stored."""

    PROPOSED = "proposed", "Waiting for an answer"
    DECLINED = "declined", "Declined"
    NOT_YET = "not-yet", "Signed, not begun"
    ACTIVE = "active", "Active"
    EXPIRED = "expired", "Expired"
    REVOKED = "revoked", "Withdrawn"


class GrantQuerySet(models.QuerySet["Grant"]):
    """Grants, by their answer. Rows only: whether one may be used says the policy."""

    def open(self) -> GrantQuerySet:
        return self.filter(signed_at=None, declined_at=None)

    def signed(self) -> GrantQuerySet:
        return self.filter(signed_at__isnull=False)

    def declined(self) -> GrantQuerySet:
        return self.filter(declined_at__isnull=False)

    def revoked(self) -> GrantQuerySet:
        return self.filter(revocations__isnull=False).distinct()

    def unrevoked(self) -> GrantQuerySet:
        return self.filter(revocations__isnull=True)

    def provable(self) -> GrantQuerySet:
        """With all the policy needs to ask of each row, in one query."""
        taken_back = Revocation.objects.filter(grant=models.OuterRef("pk"))
        rows = self.select_related("credential")
        return rows.annotate(was_taken_back=models.Exists(taken_back))

    def current(self, moment: datetime | None = None) -> GrantQuerySet:
        """Signed, not withdrawn, and begun but not ended at moment (now)."""
        at = instant(moment or timezone.now())
        return (
            self.signed()
            .unrevoked()
            .filter(record__scope__from__lte=at, record__scope__until__gt=at)
        )


class Grant(SignedDocument):
    """One version of one question to one actor, and the answer to it.

    canonical is the truth that is signed; record the same document for queries;
    shown_text the sentences the actor read."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="grants")
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="grants"
    )
    record = models.JSONField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(auto_now_add=True)
    declined_at = models.DateTimeField(null=True, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering = ["-proposed_at"]
        indexes = [
            models.Index(
                fields=["actor", "project", "-signed_at"], name="asked_by_the_policy"
            )
        ]

    def __str__(self) -> str:
        return f"grant {self.id}"

    @cached_property
    def document(self) -> GrantRecord:
        """The document as its canonical bytes say it; RecordRefused if they do not."""
        return GrantRecord.from_document(json.loads(bytes(self.canonical)))

    @property
    def revocation(self) -> Revocation | None:
        return next(iter(self.revocations.all()), None)

    @property
    def is_answerable(self) -> bool:
        """Whether the actor can still say yes or no, and it would mean something."""
        over = self.document.terms.ends_at <= timezone.now()
        return not (self.signed_at or self.declined_at or over)

    @property
    def status(self) -> Status:
        return self.status_at(timezone.now())

    def status_at(self, moment: datetime) -> Status:
        """Return where the grant stands at an aware moment, by its rows alone."""
        if self.declined_at:
            return Status.DECLINED
        if not self.signed_at:
            return Status.PROPOSED
        if self.revocation:
            return Status.REVOKED
        if moment < self.document.terms.starts_at:
            return Status.NOT_YET
        if moment >= self.document.terms.ends_at:
            return Status.EXPIRED
        return Status.ACTIVE


class Revocation(SignedDocument):
    """The actor's signed word that a grant is withdrawn."""

    class Kind(models.TextChoices):
        REVOCATION = "revocation", "Revocation"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="revocations"
    )
    kind = models.CharField(
        max_length=12, choices=Kind.choices, default=Kind.REVOCATION
    )

    class Meta:
        ordering = ["signed_at"]
        constraints = [
            models.UniqueConstraint(fields=["grant", "kind"], name="one_word_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.grant}"
