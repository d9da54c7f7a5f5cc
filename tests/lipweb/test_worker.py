"""The worker: a real process on a real queue, sharing the test database."""

import os

import django_rq
import pytest
from django.db import transaction
from django.test import Client
from rq.job import Job, JobStatus

from lipweb.models import User
from tests.lipweb import jobs

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_job_runs_in_a_forked_child_and_changes_the_row(producer, work_off):
    queue = django_rq.get_queue()
    job = queue.enqueue(jobs.rename, producer.pk, "Petra")
    log = work_off()
    assert User.objects.get(pk=producer.pk).name == "Petra"
    assert job.return_value() != os.getpid()
    assert "Job OK" in log


def test_a_job_finds_its_libraries_loaded(producer, work_off):
    job = django_rq.get_queue().enqueue(jobs.libraries)
    work_off()
    assert job.return_value() == ["torch", "synthesis.jobs"]


def test_a_job_that_raises_is_kept_as_failed_with_its_reason(work_off):
    job = django_rq.get_queue().enqueue(jobs.fail)
    work_off()
    assert job.get_status(refresh=True) == JobStatus.FAILED
    assert "the job said no" in job.latest_result().exc_string


def test_a_job_enqueued_in_a_transaction_waits_for_its_end(producer):
    queue = django_rq.get_queue()
    with transaction.atomic():
        queue.enqueue(jobs.rename, producer.pk, "Petra", job_id="waits")
        assert queue.count == 0
    assert queue.job_ids == ["waits"]


def test_a_job_enqueued_in_a_transaction_that_fails_never_runs(producer):
    queue = django_rq.get_queue()
    with pytest.raises(ValueError, match="changed my mind"), transaction.atomic():
        queue.enqueue(jobs.rename, producer.pk, "Petra")
        raise ValueError("changed my mind")
    assert queue.count == 0


def test_jobs_travel_as_json_and_never_as_pickle(producer):
    job = django_rq.get_queue().enqueue(jobs.rename, producer.pk, "Petra")
    kept = Job.fetch(job.id, connection=job.connection, serializer=job.serializer)
    assert job.serializer.__name__ == "JSONSerializer"
    assert kept.args == [producer.pk, "Petra"]


def test_health_sees_a_living_worker(worker, wait_for):
    state = wait_for(lambda: Client().get("/health/").json()["worker"], "ok")
    assert state["count"] == 1
