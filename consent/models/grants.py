"""A grant: what an actor was asked, and what they signed."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from consent.models.people import Actor, Project


class Grant(models.Model):
    """One version of one question to one actor, and the answer to it.

    record is the canonical document; canonical its RFC 8785 bytes; shown_text the
    sentences the actor read. Status is computed, never stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    actor = models.ForeignKey(Actor, on_delete=models.PROTECT, related_name="grants")
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="grants"
    )
    record = models.JSONField()
    canonical = models.BinaryField()
    shown_text = models.TextField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(auto_now_add=True)
    declined_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-proposed_at"]

    def __str__(self) -> str:
        return f"grant {self.id}"
