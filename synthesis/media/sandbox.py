"""The parent's half of the sandbox: start the child, listen, and end it.

Untrusted media is opened nowhere else. The child is a fresh interpreter (never a fork
of this process with its memory), with an environment of four variables, a session of
its own and the media as an open descriptor: it is told no path. inside/jail.py says
what it may do. Whatever happens in there, the parent sees messages or a MediaRefused.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from synthesis.errors import MediaRefused, MediaUnsafe
from synthesis.media.sniff import HEAD_BYTES, Kind, sniff
from synthesis.media.wire import BYTES, DONE, HEADER, JSON, REFUSAL

_ROOT = str(Path(__file__).resolve().parents[2])
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from synthesis.media.inside.jail import main; main()"
)
_MOST_JSON_BYTES = 64 << 20
_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1 << 20


@dataclass(frozen=True)
class Caps:
    """What one child may use. stall_s: longest silence while the parent waits."""

    memory_bytes: int = 2 << 30
    cpu_s: int = 1_800
    stall_s: float = 60.0
    wall_s: float = 3_600.0
    """Time the parent spends waiting in all; its own work does not count."""


def open_regular(path: str | os.PathLike[str]) -> int:
    """Open a regular file for reading and return the descriptor.

    Raises MediaRefused (file-missing, file-special): a pipe or a device would hang us.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise MediaRefused(
            "file-missing", "The file is not there any more, or may not be read."
        ) from error
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise MediaRefused("file-special", "This is a folder or a device, not a file.")
    return fd


class Child:
    """One sandboxed child at work on one file. A context manager; leaving it kills.

    entry: 'package.module:function' with the signature (source, arguments, outbox).
    The arguments get `demuxer`, told from the content, added; where the entry demuxes
    nothing (is_media=False) the content may be of any kind, and is not told.
    """

    def __init__(
        self,
        entry: str,
        path: str | os.PathLike[str],
        arguments: dict[str, Any],
        caps: Caps | None = None,
        *,
        is_media: bool = True,
    ) -> None:
        self.caps = caps or Caps()
        self._waited_s = 0.0
        fd = open_regular(path)
        try:
            if is_media:
                self.kind: Kind = sniff(os.pread(fd, HEAD_BYTES, 0))
                arguments = arguments | {"demuxer": self.kind.demuxer}
            order = {
                "entry": entry,
                "arguments": arguments,
                "memory_bytes": self.caps.memory_bytes,
                "cpu_s": self.caps.cpu_s,
            }
            self._process = _start(fd, order)
        finally:
            os.close(fd)
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        self._pipe = self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._pipe, select.POLLIN)
        with suppress(OSError):  # a speed-up only; the system may cap pipes
            fcntl.fcntl(self._pipe, _F_SETPIPE_SZ, _PIPE_BYTES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child at once, whatever it is doing. Safe to call twice."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield JSON messages until the child is done. Raises MediaRefused."""
        while (length := self._next(JSON, _MOST_JSON_BYTES)) is not None:
            yield json.loads(self._take(length))

    def json(self) -> dict[str, Any]:
        """The one JSON message that must come next. Raises MediaRefused."""
        for message in self.messages():
            return message
        raise _crashed(0)

    def next_bytes(self, most: int) -> int | None:
        """Length of the raw message that comes next, None when the child is done."""
        return self._next(BYTES, most)

    def read_into(self, buffer: memoryview) -> None:
        """Fill a buffer from the raw message announced. Raises MediaRefused."""
        view = buffer.cast("B")
        got = 0
        while got < len(view):
            self._await()
            read = os.readv(self._pipe, [view[got:]])
            if not read:
                raise self._post_mortem()
            got += read

    def take(self, length: int) -> bytes:
        """Read that many bytes of the raw message announced. Raises MediaRefused."""
        return bytes(self._take(length))

    def _take(self, length: int) -> bytearray:
        payload = bytearray(length)
        if length:
            self.read_into(memoryview(payload))
        return payload

    def _next(self, wanted: bytes, most: int) -> int | None:
        kind, length = HEADER.unpack(bytes(self._take(HEADER.size)))
        if kind == DONE and length == 0:
            return None
        if kind == REFUSAL and length <= _MOST_JSON_BYTES:
            refusal = json.loads(self._take(length))
            unsafe = refusal["code"] == "sandbox-unavailable"
            error = MediaUnsafe if unsafe else MediaRefused
            raise error(str(refusal["code"]), str(refusal["sentence"]))
        if kind != wanted or length > most:
            raise _crashed(0)  # only a child that was taken over talks like this
        return int(length)

    def _await(self) -> None:
        """Wait until the pipe has something; end a child that hangs."""
        began = time.monotonic()
        left = min(self.caps.stall_s, self.caps.wall_s - self._waited_s)
        ready = self._poll.poll(max(0.0, left) * 1_000)
        self._waited_s += time.monotonic() - began
        if not ready:
            self.close()
            raise MediaRefused(
                "media-time",
                "Reading the file took too long and was stopped. Export it again, for "
                "instance as H.264 in MP4; split it if it is very long.",
            )

    def _post_mortem(self) -> MediaRefused:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.close()
            status = 0
        return _crashed(status)


def _start(fd: int, order: dict[str, Any]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-c", _PROGRAM, _ROOT, str(os.getpid()), str(fd)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own program
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(fd,),
        start_new_session=True,
        cwd="/",
        env={
            "LANG": "C.UTF-8",
            # One thread for numpy, few heaps: less address space to be capped.
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        },
        bufsize=0,
    )
    assert process.stdin is not None  # noqa: S101 - for the type checker
    with suppress(BrokenPipeError):  # it died already; reading will say so
        rest = memoryview(json.dumps(order).encode())
        while len(rest):
            rest = rest[process.stdin.write(rest) or 0 :]
        process.stdin.close()
    return process


def _crashed(status: int) -> MediaRefused:
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return MediaRefused(
            "media-limits",
            "Reading the file used more computing than one file may. Export it "
            "again, for instance as H.264 in MP4.",
        )
    return MediaRefused(
        "media-crash",
        "The file broke the program that reads it, which was shut off from "
        "everything else. The file is damaged or made to do harm: export it again.",
    )
