"""What a render and an adaptation have in common: who asked, and how it ended."""

from __future__ import annotations

from typing import Final, Self, TypeVar

from django.conf import settings
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STOPPED_BY: Final = {
    "revoked": "consent-withdrawn",
    "suspended": "consent-suspended",
    "expired": "consent-expired",
}
"""Codes of the policy's failures, and the error_code of what they stop."""

_STOPPED: Final[dict[str, Promise]] = {
    "consent-withdrawn": _("Consent withdrawn"),
    "consent-suspended": _("Consent suspended"),
    "consent-expired": _("Consent expired"),
}


_R = TypeVar("_R", bound="Run", covariant=True)


class RunQuerySet(models.QuerySet[_R]):
    """Runs, by where they are."""

    def live(self) -> Self:
        return self.filter(state__in=self.model.LIVE)


class Run(models.Model):
    """One piece of work of a worker. Its row is the truth about its job: it is claimed
    by an update filtered on id and old state, and has a state and a progress, whose
    words are its own."""

    LIVE = ("queued", "running")

    error_code = models.CharField(max_length=60, blank=True)
    error_sentence = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    state: models.CharField[str, str]

    class Meta:
        abstract = True

    @property
    def state_words(self) -> str:
        """The state for a badge. If consent stopped the run, what became of the
        consent: any of its terms may have ceased to cover it, and only one of them is
        a withdrawal."""
        if self.state == "withdrawn":
            return str(_STOPPED.get(self.error_code, _("Not covered by consent")))
        return str(self.get_state_display())  # type: ignore[attr-defined]
