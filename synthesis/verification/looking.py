"""Looking into a file that somebody asks about, apart from the web server's own work.

A thread does nothing but wait: first for its turn, then for `manage.py verify` in a
process of its own, which says how far it is. It ends that process as soon as nobody
waits for the answer any more, or it takes longer than any file may.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings

from synthesis.errors import SynthesisError
from synthesis.services.verification import SEEK_S
from synthesis.verification.inquiries import DONE, FAILED, Inquiry, Ticket

log = logging.getLogger(__name__)

AT_ONCE: Final = max(2, len(os.sched_getaffinity(0)) // 2)
"""Files that are looked into at the same time, on this machine."""
MOST_WAITING: Final = 6
"""Files that are held for that at the most, in each process of the web server."""
LONGEST_S: Final = SEEK_S + 420
NICE: Final = 5
_TURN_S, _TICK_S, _BEAT_EVERY_S = 0.25, 0.5, 4.0
_LEAST_SHARE: Final = 0.02
"""Of less than this no time left is foretold."""
_LONGEST_LINE: Final = 8 << 20

_room = threading.BoundedSemaphore(MOST_WAITING)


class Left(Exception):
    """Nobody waits for the answer any more."""


def inquiry_begin(file: IO[bytes], name: str) -> Ticket:
    """Have a nameless file looked into, and return the ticket that leads to the
    answer. The caller may close the file. Raises SynthesisError `busy`."""
    if not _room.acquire(blocking=False):
        raise busy()
    ticket = Ticket.new()
    ticket.want()
    ticket.beat()
    ticket.write(Inquiry(name))
    kept = os.dup(file.fileno())
    threading.Thread(target=_look, args=(ticket, kept, name), daemon=True).start()
    return ticket


def busy() -> SynthesisError:
    """What is raised where no more files can be taken at the moment."""
    return SynthesisError(
        "busy", "Many files are being looked into just now. Try again in some minutes."
    )


@contextmanager
def a_turn() -> Iterator[bool]:
    """Whether this may be one of the AT_ONCE that look into a file now."""
    for number in range(AT_ONCE):
        with (Path(settings.DATA_DIR) / f"verify-{number}.lock").open("ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield True
            return
    yield False


def _look(ticket: Ticket, kept: int, name: str) -> None:
    try:
        ticket.write(_Look(ticket, kept, name).answer())
    except Left:
        log.info("an inquiry was left by its asker")
    except Exception:
        log.exception("an inquiry failed")
        ticket.write(Inquiry(name, FAILED))
    finally:
        os.close(kept)
        _room.release()


class _Look:
    """One process that looks into one file."""

    def __init__(self, ticket: Ticket, kept: int, name: str) -> None:
        self._ticket, self._kept, self._name = ticket, kept, name
        self._beaten = 0.0
        self._step, self._since = "", 0.0

    def answer(self) -> Inquiry:
        """The inquiry as it ends. Raises Left."""
        while True:
            with a_turn() as mine:
                if mine:
                    return self._run()
            self._check_wanted()
            time.sleep(_TURN_S)

    def _run(self) -> Inquiry:
        process = _started(self._kept)
        try:
            for line in self._lines(process):
                said: dict[str, Any] = json.loads(line)
                if "code" in said:
                    return Inquiry(self._name, DONE, result=said)
                self._tell(str(said["step"]), said["share"])
            log.error("looking into a file ended early rc=%s", process.wait())
            return Inquiry(self._name, FAILED)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _lines(self, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
        """What the process prints, line by line, while somebody waits for it."""
        assert process.stdout is not None  # noqa: S101 - for the type checker
        pipe, ends, held = process.stdout.fileno(), time.monotonic() + LONGEST_S, b""
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while time.monotonic() < ends and len(held) < _LONGEST_LINE:
            self._check_wanted()
            if not poll.poll(_TICK_S * 1_000):
                continue
            block = os.read(pipe, 1 << 16)
            if not block:
                return
            *whole, held = (held + block).split(b"\n")
            yield from whole

    def _check_wanted(self) -> None:
        if not self._ticket.is_wanted():
            raise Left
        if time.monotonic() - self._beaten > _BEAT_EVERY_S:
            self._beaten = time.monotonic()
            self._ticket.beat()

    def _tell(self, step: str, share: float | None) -> None:
        now = time.monotonic()
        if step != self._step:
            self._step, self._since = step, now
        known = share is not None and share > _LEAST_SHARE
        passed = now - self._since
        left_s = passed * (1 - share) / share if known and share else None
        if left_s is not None and step == "mark":
            left_s = min(left_s, max(0.0, SEEK_S - passed))
        self._ticket.write(Inquiry(self._name, step, share, left_s))


def _started(kept: int) -> subprocess.Popen[bytes]:
    program = [sys.executable, str(Path(settings.BASE_DIR) / "manage.py"), "verify"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own program
        [*program, f"/proc/self/fd/{kept}", "--json", "--steps"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        pass_fds=(kept,),
        start_new_session=True,
        cwd=settings.BASE_DIR,
    )
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
    return process
