"""Freed memory goes back, which the C library alone would keep."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.conftest import REPOSITORY

PROGRAM = """
import ctypes
from pathlib import Path
from synthesis.heap import heap_trim

def held_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

bytes(24 << 20)  # from now on the C library keeps what is as long as that
blocks = [bytearray(2 << 20) for _ in range(40)]
last = bytearray(200_000)  # lies above them, so that the heap cannot shrink
del blocks
before = held_mib()
heap_trim()
print(before - held_mib())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
def test_what_was_freed_is_given_back() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=REPOSITORY,
        env={"MALLOC_ARENA_MAX": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) > 60
