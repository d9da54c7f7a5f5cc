"""manage.py worker: takes jobs off the queue, one forked child a job."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_rq.utils import reset_db_connections
from django_rq.workers import get_worker
from redis.exceptions import RedisError

from lipweb.housekeeping import HouseWorker
from synthesis.services.adaptation import adaptations_sweep
from synthesis.services.leftovers import renders_sweep
from synthesis.services.uploads import uploads_sweep
from synthesis.storage import scratch_sweep

# Short, so that a job whose worker was killed is found within about a minute: RQ's
# own values leave it lying for many.
WORKER_TTL_S = 20
MAINTENANCE_INTERVAL_S = 3
JOB_MONITORING_INTERVAL_S = 2


class Command(BaseCommand):
    help = "Works through the queue. --burst ends as soon as the queue is empty."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--burst", action="store_true")
        parser.add_argument("--queue", default="default")

    def handle(self, *args: Any, **options: Any) -> None:
        # Each job is a fork of this process: one that finds the libraries loaded
        # begins seconds earlier. Nothing is computed here, so that OpenMP has no
        # threads yet, which a fork would lose.
        import_module("synthesis.jobs")
        scratch_sweep(older_than_s=settings.RQ_QUEUES["default"]["DEFAULT_TIMEOUT"])
        uploads_sweep()
        adaptations_sweep()
        renders_sweep()
        try:
            worker = get_worker(
                options["queue"],
                # One that only empties the queue is gone before an hour is over.
                worker_class=None if options["burst"] else HouseWorker,
                worker_ttl=WORKER_TTL_S,
                maintenance_interval=MAINTENANCE_INTERVAL_S,
                job_monitoring_interval=JOB_MONITORING_INTERVAL_S,
                serializer="rq.serializers.JSONSerializer",
            )
            # A connection shared with a forked child would mix their answers.
            reset_db_connections()
            worker.work(burst=options["burst"], logging_level="INFO")
        except RedisError as error:
            raise CommandError(
                "The queue server does not answer. Start it with `make run`, or let "
                "QUEUE_URL name a running one."
            ) from error
