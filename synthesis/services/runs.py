"""How runs end other than by their worker: cancelled, stopped by consent, or lost."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.utils import timezone

from synthesis.models.runs import Run, RunQuerySet
from synthesis.queue import LOST_AFTER, is_over


def runs_move(
    runs: RunQuerySet[Any], *, state: str, code: str, sentence: str, **more: Any
) -> list[UUID]:
    """Move those of the runs that are still live to an end state, each only if no
    worker was faster; more: further fields to set. Returns the ids that were moved."""
    ids = list(runs.live().values_list("id", flat=True))
    fields = {"state": state, "error_code": code, "error_sentence": sentence, **more}
    rows = runs.model._default_manager
    return [
        run_id
        for run_id in ids
        if rows.filter(id=run_id, state__in=runs.model.LIVE).update(
            ended_at=timezone.now(), **fields
        )
    ]


def is_lost(run: Run, job_ids: tuple[str, ...]) -> bool:
    """Say whether a live run's jobs are gone for good: the worker was killed again and
    again, or the queue server lost its memory."""
    begun = run.started_at or run.requested_at
    if run.state not in run.LIVE or timezone.now() - begun < LOST_AFTER:
        return False
    return is_over(job_ids)
