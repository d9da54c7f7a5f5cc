"""Telling in good time that a consent ends: 30, 7 and 1 days before."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from consent.models import Grant
from consent.record import instant
from consent.services.notices import actor_tell, producers_tell

DAYS_BEFORE: Final = (30, 7, 1)


def expiry_tell(*, now: datetime | None = None) -> int:
    """Tell actor and producers of every signed consent that comes to its end; return
    of how many. Safe to ask at any time and as often as one likes: each step is told
    once, and of steps that were missed only the last."""
    now = now or timezone.now()
    widest = timedelta(days=max(DAYS_BEFORE) + 1)
    rows = (
        Grant.objects.signed()
        .unrevoked()
        .filter(
            record__scope__until__gt=instant(now),
            record__scope__until__lte=instant(now + widest),
        )
    )
    told = 0
    for grant in rows.select_related("actor__user", "project"):
        step = step_due(grant, now)
        if step:
            _tell(grant, step)
            told += 1
    return told


def step_due(grant: Grant, now: datetime) -> int:
    """Return which of DAYS_BEFORE was reached last, 0 for none. A step that was past
    already when the consent was signed is none: who has just signed knows the days."""
    # Counted back on the house's own clock: a day is a day where summer time ends.
    end = timezone.localtime(grant.document.terms.ends_at)
    signed_at = grant.signed_at or now
    due = [
        days
        for days in DAYS_BEFORE
        if signed_at < end - timedelta(days=days) <= now < end
    ]
    return min(due, default=0)


@transaction.atomic
def _tell(grant: Grant, step: int) -> None:
    ends_at = grant.document.terms.ends_at
    facts = {
        "project": grant.project.name,
        "actor": grant.actor.stage_name,
        "ends_at": timezone.localtime(ends_at).isoformat(),
        "zone": timezone.get_current_timezone_name(),
    }
    path = reverse("consent:grant", args=[grant.id])
    key = f"ending:{grant.id}:{step}"
    project = grant.project
    actor_tell(
        actor=grant.actor,
        kind="own-ending",
        facts=facts,
        path=path,
        project=project,
        key=key,
    )
    producers_tell(project=project, kind="ending", facts=facts, path=path, key=key)
