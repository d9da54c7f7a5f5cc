"""Where the tests live: a data folder, queue and database of their own.

Imported by conftest.py before Django reads its settings, which come from the
environment. TEST_DATABASE=postgres runs the tests that touch the database on a real
PostgreSQL instead of SQLite, and leaves the others out."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
from pathlib import Path

DATA = Path(tempfile.mkdtemp(prefix="lipweb-test-"))
ON_POSTGRES = os.environ.get("TEST_DATABASE", "sqlite") == "postgres"
SQLITE_TEST_FILE = DATA / "test.sqlite3"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare() -> None:
    """Write the environment that lipweb.settings will read."""
    # Passkeys are bound to the site's address, so the live server's port is
    # chosen before the settings are read.
    live_server = f"localhost:{free_port()}"
    (DATA / "static").mkdir()
    atexit.register(shutil.rmtree, DATA, ignore_errors=True)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="lipweb.settings",
        LIPWEB_DATA=str(DATA),
        QUEUE_URL=f"unix://{DATA}/queue/valkey.sock?db=0",
        SITE_URL=f"http://{live_server}",
        DJANGO_LIVE_TEST_SERVER_ADDRESS=live_server,
        # Static files by their own names: nobody ran collectstatic. Django's test
        # set-up turns settings.DEBUG itself off again.
        DEBUG="1",
        LOG_LEVEL="WARNING",
        OMP_NUM_THREADS="1",
    )
    for name in ("DATABASE_URL", "S3_BUCKET", "C2PA_CERTIFICATE", "PROXIES"):
        os.environ.pop(name, None)
    if ON_POSTGRES:
        from tests.postgres import start

        os.environ["DATABASE_URL"] = start()
