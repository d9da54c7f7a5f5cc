"""Putting work on the queue: ids only, after the transaction that asks for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import django_rq
from django.db import transaction
from rq import Retry
from rq.job import Dependency, Job, JobStatus

# A work-horse may be killed (memory, a restart): its job is taken up again.
RETRIES = 2
LOST_AFTER = timedelta(seconds=30)
"""Younger work may not have reached the queue yet."""
OVER = (JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED)


def enqueue_on_commit(
    function: str, *ids: str, job_id: str, after: tuple[str, ...] = ()
) -> None:
    """Queue synthesis.jobs.<function>(*ids) once the transaction has committed; after
    names jobs that must have ended before, well or badly."""
    transaction.on_commit(lambda: _enqueue(function, ids, job_id, after))


def _enqueue(
    function: str, ids: tuple[str, ...], job_id: str, after: tuple[str, ...]
) -> Job:
    extra: dict[str, Any] = {}
    if after:
        extra["depends_on"] = Dependency(jobs=list(after), allow_failure=True)
    return django_rq.get_queue("default").enqueue(
        f"synthesis.jobs.{function}",
        *ids,
        job_id=job_id,
        retry=Retry(max=RETRIES),
        result_ttl=3600,
        failure_ttl=7 * 86_400,
        **extra,
    )


def drop(job_id: str) -> None:
    """Take a job off the queue, or stop it where it runs. Unknown ids are ignored:
    the row's state stops it all the same at its next look."""
    queue = django_rq.get_queue("default")
    job = queue.fetch_job(job_id)
    if job is not None and not job.is_finished:
        job.cancel(enqueue_dependents=False)


def is_over(job_ids: tuple[str, ...]) -> bool:
    """Say whether none of the jobs will do anything any more: ended, or not known to
    the queue server at all."""
    queue = django_rq.get_queue("default")
    jobs = [queue.fetch_job(job_id) for job_id in job_ids]
    return all(job is None or job.get_status() in OVER for job in jobs)
