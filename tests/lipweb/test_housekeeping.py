"""Workers tell people in time, without anybody asking them to."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django_rq
import pytest
from django.utils import timezone
from django_rq.workers import get_worker
from rq import Worker

from consent.models import Actor, Grant, Notice, Project
from lipweb.housekeeping import HouseWorker
from lipweb.models import User
from tests.synthesis.production import actor_cast, grant_signed


def looking_after(kind: type[Worker] | None) -> None:
    """What a worker does in a quiet moment."""
    worker = get_worker(
        "default",
        worker_class=kind,
        serializer="rq.serializers.JSONSerializer",
    )
    worker.run_maintenance_tasks()


def queued() -> list[str]:
    return [job.func_name for job in django_rq.get_queue("default").jobs]


def test_workers_ask_for_it_once_an_hour_however_many_there_are() -> None:
    for _ in range(3):
        looking_after(HouseWorker)
    assert queued() == ["lipweb.housekeeping.notices_send"]


def test_a_worker_that_only_empties_the_queue_asks_for_nothing() -> None:
    looking_after(None)
    assert queued() == []


@pytest.fixture
def ending(project: Project, actor: Actor, producer: User) -> Grant:
    """A consent signed long ago that ends in six days."""
    passkey = actor_cast(project, actor, producer)
    ends_at = timezone.now().replace(microsecond=0) + timedelta(days=6)
    grant = grant_signed(project, actor, producer, passkey, ends_at=ends_at)
    long_ago = timezone.now() - timedelta(days=60)
    Grant.objects.filter(pk=grant.pk).update(signed_at=long_ago)
    return grant


@pytest.mark.django_db(transaction=True)
def test_a_running_worker_tells_of_a_consent_that_ends(
    ending: Grant,
    worker: subprocess.Popen[bytes],
    wait_for: Callable[..., Any],
) -> None:
    told = Notice.objects.filter(kind__in=["own-ending", "ending"])
    wait_for(lambda: told.count() == 2)
    assert {notice.user.name for notice in told} == {"Robin Vale", "Paula Producer"}
