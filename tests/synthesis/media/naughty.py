"""Entries that misbehave on purpose inside the sandbox; see test_sandbox.py."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from typing import Any, BinaryIO

import numpy as np

from synthesis.media.wire import Outbox


def attempt(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Try something forbidden and tell what the kernel answered."""
    deeds = {
        "connect": lambda: socket.create_connection(("127.0.0.1", 9), 1),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "unix": lambda: socket.socket(socket.AF_UNIX),
        "read": lambda: os.open("/etc/hostname", os.O_RDONLY),
        "write": lambda: os.open("/tmp/sandbox-was-here", os.O_CREAT | os.O_WRONLY),  # noqa: S108
        "list": lambda: os.listdir("/"),
        "unlink": lambda: os.unlink("/tmp/sandbox-was-here"),  # noqa: S108
        "fork": os.fork,
        "spawn": lambda: subprocess.run(["/bin/true"], check=True),
        "kill": lambda: os.kill(arguments["victim"], signal.SIGTERM),
    }
    try:
        deeds[arguments["deed"]]()
    except OSError as error:
        outbox.json({"errno": error.errno})
    else:
        outbox.json({"errno": 0})


def environment(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    outbox.json({"names": sorted(os.environ)})


def start_thread(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Decoders need threads: they must work."""
    done: list[int] = []
    thread = threading.Thread(target=done.append, args=(7,))
    thread.start()
    thread.join()
    outbox.json({"done": done})


def take_memory(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    kept = [np.ones(64 << 20, np.uint8) for _ in range(1_000)]
    outbox.json({"blocks": len(kept)})


def hang(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    outbox.json({"pid": os.getpid()})
    time.sleep(3_600)


def spin(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    while True:
        pass


def crash(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    os._exit(3)


def abort(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    os.abort()


def fail(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    raise ZeroDivisionError


def lie(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    """Announce far more than was agreed on, as a child that was taken over might."""
    os.write(outbox._fd, b"B" + (1 << 62).to_bytes(8, "big"))


def flood(source: BinaryIO, arguments: dict[str, Any], outbox: Outbox) -> None:
    while True:
        outbox.raw(bytes(1 << 16))
