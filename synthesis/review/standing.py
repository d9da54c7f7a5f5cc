"""How a deliverable stands with its reviewers, in one word."""

from __future__ import annotations

from typing import Literal

from synthesis.models import Deliverable
from synthesis.services.review import is_approved

Standing = Literal["waiting", "approved", "changes"]


def standing_of(deliverable: Deliverable) -> Standing:
    """approved as the services have it; else changes once anybody has decided."""
    if is_approved(deliverable):
        return "approved"
    decided = deliverable.decisions.filter(sha256=deliverable.sha256).exists()
    return "changes" if decided else "waiting"
