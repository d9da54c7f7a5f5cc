"""What a production wants of the visible label on everything it makes."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from consent.models import Project


class LabelPolicy(models.Model):
    """A project without one has the defaults: the house's words, in whatever corner is
    free, for the whole length. wordings: own words by language tag, in lower case.
    opening_s: None for the whole length. every_minutes: it comes back so often besides.
    """

    class Corner(models.TextChoices):
        FREE = "", "Wherever no face is"
        TOP_LEFT = "top-left", "Top left"
        TOP_RIGHT = "top-right", "Top right"
        BOTTOM_LEFT = "bottom-left", "Bottom left"
        BOTTOM_RIGHT = "bottom-right", "Bottom right"

    project = models.OneToOneField(
        Project, on_delete=models.CASCADE, related_name="label_policy"
    )
    wordings = models.JSONField(default=dict, blank=True)
    corner = models.CharField(
        max_length=12, choices=Corner.choices, default=Corner.FREE, blank=True
    )
    opening_s = models.PositiveSmallIntegerField(null=True, blank=True)
    every_minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"label of {self.project}"
