"""Processes that we start, watch and end. Standard library only."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1
LOG_KEPT_BYTES = 10 << 20
# A part that dies again and again is broken, not unlucky.
MOST_RESTARTS = 5
RESTART_WINDOW_S = 60.0
GONE_WITHIN_S = 5.0


@dataclass
class Child:
    """One program of the house, in a session of its own, writing to its own log."""

    name: str
    command: Sequence[str]
    log: Path
    environment: dict[str, str] | None = None
    starts: list[float] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.starts.append(time.monotonic())
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_KEPT_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                list(self.command),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.environment,
                # Its own session: Ctrl-C in the terminal reaches only the launcher,
                # which then ends everything in order.
                start_new_session=True,
                preexec_fn=end_with_parent if sys.platform == "linux" else None,
            )

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def may_restart(self) -> bool:
        recent = time.monotonic() - RESTART_WINDOW_S
        return sum(start > recent for start in self.starts) <= MOST_RESTARTS

    def stop(self, *, patience_s: float = 5.0) -> None:
        """Ask, ask again (an RQ worker in a job wants to be told twice, more than a
        second apart), then force; at last sweep up what it started."""
        if self.process is None:
            return
        for wait_s in (1.2, patience_s):
            if not self.is_alive():
                break
            self.process.terminate()
            try:
                self.process.wait(timeout=wait_s)
            except subprocess.TimeoutExpired:
                continue
        if self.is_alive():
            self.process.kill()
        self.process.wait()
        session = self.process.pid
        for process_id in session_members(session):
            kill(process_id)
        # A kill is only asked for, too: "stopped" is said when all are gone.
        wait_until(lambda: not session_members(session), within_s=GONE_WITHIN_S)

    def last_words(self, lines: int = 12) -> str:
        text = self.log.read_bytes()[-8000:].decode(errors="replace")
        return "\n".join(text.splitlines()[-lines:])


def end_with_parent() -> None:
    """Have Linux end this process when the launcher dies without a word (kill -9)."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def session_members(session_id: int) -> list[int]:
    """Living processes of a session: all that a child forked, whatever process
    groups they made. Empty where there is no /proc."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # pid (name) state ppid pgrp session ...; the name may hold anything.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session_id and fields[0] != "Z":
            members.append(int(stat.parent.name))
    return members


def kill(process_id: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process_id, signal.SIGKILL)


def stop_all(children: Sequence[Child]) -> None:
    """In reverse order of their start: first who asks, last who answers."""
    for child in reversed(children):
        child.stop()


def wait_until(is_true: Callable[[], bool], *, within_s: float) -> bool:
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if is_true():
            return True
        time.sleep(0.05)
    return False
