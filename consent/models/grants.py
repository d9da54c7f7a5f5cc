"""A grant: what an actor was asked, what they signed, and how they took it back."""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from functools import cached_property, lru_cache

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.models.passkeys import SignedDocument
from consent.models.people import Actor, Cosigner, Project
from consent.record import GrantRecord, instant


class Status(models.TextChoices):
    """Where a grant stands at a moment. Computed, never stored."""

    PROPOSED = "proposed", _("Waiting for an answer")
    DECLINED = "declined", _("Declined")
    NOT_YET = "not-yet", _("Signed, not begun")
    ACTIVE = "active", _("Active")
    EXPIRED = "expired", _("Expired")
    SUSPENDED = "suspended", _("Suspended")
    REVOKED = "revoked", _("Withdrawn")
    RETURNED = "returned", _("Sent back")
    SUPERSEDED = "superseded", _("Answered with other terms")
    COSIGNING = "cosigning", _("Signed, waits for the co-signature")


class GrantQuerySet(models.QuerySet["Grant"]):
    """Grants, by their answer. Rows only: whether one may be used says the policy."""

    def open(self) -> GrantQuerySet:
        """Questions that still wait for the actor's answer."""
        return self.filter(
            signed_at=None, declined_at=None, returned_at=None, following=None
        )

    def signed(self) -> GrantQuerySet:
        return self.filter(signed_at__isnull=False)

    def declined(self) -> GrantQuerySet:
        return self.filter(declined_at__isnull=False)

    def revoked(self) -> GrantQuerySet:
        return self.filter(revocations__isnull=False).distinct()

    def unrevoked(self) -> GrantQuerySet:
        return self.filter(revocations__isnull=True)

    def cosigned(self) -> GrantQuerySet:
        """Without those that still wait for a co-signature."""
        waits = models.Q(cosigner__isnull=False, cosignature=None)
        return self.exclude(waits)

    def unsuspended(self) -> GrantQuerySet:
        newest = Suspension.objects.filter(grant=models.OuterRef("pk"))
        return self.annotate(
            last_word=models.Subquery(newest.order_by("-number").values("kind")[:1])
        ).filter(models.Q(last_word=None) | models.Q(last_word=Suspension.Kind.LIFTING))

    def current(self, moment: datetime | None = None) -> GrantQuerySet:
        """Signed, not withdrawn or suspended, and begun but not ended at moment
        (now)."""
        at = instant(moment or timezone.now())
        return (
            self.signed()
            .unrevoked()
            .unsuspended()
            .cosigned()
            .filter(record__scope__from__lte=at, record__scope__until__gt=at)
        )


@lru_cache(maxsize=1024)
def _record_of(canonical: bytes) -> GrantRecord:
    """Read a grant's bytes; RecordRefused if they are none. The bytes alone decide, so
    what was read of them once is remembered, and any other byte is read anew."""
    return GrantRecord.from_document(json.loads(canonical))


class Grant(SignedDocument):
    """One version of one question to one actor, and the answer to it.

    previous is the version it answers, and each is answered by one at most, so that
    two tabs cannot both have the last word. reason is what the actor wrote when they
    declined it or sent it back. canonical is the truth that is signed; record the same
    document for queries; shown_text the sentences the actor read."""

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
    returned_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    cosigner = models.ForeignKey(
        Cosigner,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="grants",
    )
    previous = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="following",
    )

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
        return _record_of(bytes(self.canonical))

    @property
    def revocation(self) -> Revocation | None:
        return next(iter(self.revocations.all()), None)

    @property
    def next_version(self) -> Grant | None:
        """The version that answers this one, if there is one."""
        return getattr(self, "following", None)

    @property
    def versions(self) -> list[Grant]:
        """Every version of this question, the first one first."""
        first = self
        while first.previous is not None:
            first = first.previous
        found = [first]
        while (following := found[-1].next_version) is not None:
            found.append(following)
        return found

    @property
    def is_closed(self) -> bool:
        """Whether the question was answered already, in whatever way."""
        answered = self.signed_at or self.declined_at or self.returned_at
        return bool(answered) or self.next_version is not None

    @property
    def is_answerable(self) -> bool:
        """Whether the actor can still say yes or no, and it would mean something."""
        return not self.is_closed and self.document.terms.ends_at > timezone.now()

    @property
    def suspension(self) -> Suspension | None:
        """The suspension that rests on the grant now, by the rows alone."""
        newest = max(self.suspensions.all(), key=lambda word: word.number, default=None)
        lifted = newest is None or newest.kind == Suspension.Kind.LIFTING
        return None if lifted else newest

    @property
    def status(self) -> Status:
        return self.status_at(timezone.now())

    def status_at(self, moment: datetime) -> Status:
        """Return where the grant stands at an aware moment, by its rows alone."""
        if self.declined_at:
            return Status.DECLINED
        if not self.signed_at:
            return self._unsigned_status()
        if self.revocation:
            return Status.REVOKED
        if moment >= self.document.terms.ends_at:
            return Status.EXPIRED
        if self.suspension:
            return Status.SUSPENDED
        if self.cosigner_id and not hasattr(self, "cosignature"):
            return Status.COSIGNING
        if moment < self.document.terms.starts_at:
            return Status.NOT_YET
        return Status.ACTIVE

    def _unsigned_status(self) -> Status:
        if self.next_version is not None:
            return Status.SUPERSEDED
        return Status.RETURNED if self.returned_at else Status.PROPOSED


class CoSignature(SignedDocument):
    """A co-signer's signature under the very bytes that the actor signed."""

    grant = models.OneToOneField(
        Grant, on_delete=models.PROTECT, related_name="cosignature"
    )

    def __str__(self) -> str:
        return f"co-signature of {self.grant}"


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


class Suspension(SignedDocument):
    """The actor's signed word that a grant rests, or that it holds again. number
    counts these words of one grant from 1: the newest one stands."""

    class Kind(models.TextChoices):
        SUSPENSION = "suspension", "Suspension"
        LIFTING = "lifting", "Lifting of a suspension"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="suspensions"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    number = models.PositiveIntegerField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["grant", "number"], name="one_word_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of {self.grant}"


class OutputApproval(SignedDocument):
    """The actor's signed word that one finished file, by its SHA-256, may go out."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="output_approvals"
    )
    output_sha256 = models.CharField(max_length=64)

    class Meta:
        ordering = ["signed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["grant", "output_sha256"], name="one_approval_a_file"
            )
        ]

    def __str__(self) -> str:
        return f"approval of {self.output_sha256[:8]} under {self.grant}"


class OutputReturn(models.Model):
    """The actor's no to one finished file, by its SHA-256, with their reason. It needs
    no signature: without their signed approval the file stays where it is anyway."""

    grant = models.ForeignKey(
        Grant, on_delete=models.PROTECT, related_name="output_returns"
    )
    output_sha256 = models.CharField(max_length=64)
    reason = models.TextField()
    returned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["returned_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["grant", "output_sha256"], name="one_return_a_file"
            )
        ]

    def __str__(self) -> str:
        return f"{self.output_sha256[:8]} sent back under {self.grant}"
