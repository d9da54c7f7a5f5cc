"""The child's own half of the sandbox: shut every door, then touch the file.

What holds where. Linux on x86-64 and aarch64: everything below. Anywhere else the
child refuses to open anything, because nothing would keep it off the network.
  * the address space, CPU seconds and open files are capped; no file grows, no core;
  * it dies with the thread that started it (PR_SET_PDEATHSIG);
  * no_new_privs, then a seccomp filter that permits computing, memory, threads and
    the descriptors already open. Sockets, opening any path, starting any program and
    signalling any process are answered EPERM. As the filter lists what is allowed, a
    system call nobody thought of is refused too;
  * where the kernel lets an ordinary user, an empty network namespace as well. The
    filter does not need it; a hole in the filter would.
What it does not do: hide the time of day, or stop the child from burning its own CPU
seconds and memory up to the caps. The parent limits the time on the wall.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import platform
import resource
import signal
import struct
import sys
from typing import Any, BinaryIO

from synthesis.errors import MediaRefused, MediaUnsafe
from synthesis.media.wire import Outbox

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 38, 22
_SECCOMP_MODE_FILTER = 2
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_CLONE_THREAD = 0x00010000

# name: (x86-64, aarch64); -1 where the call does not exist.
_ALLOWED = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "fstat": (5, 80),
    "newfstatat": (262, 79), "lseek": (8, 62), "pread64": (17, 67),
    "readv": (19, 65), "writev": (20, 66), "fcntl": (72, 25), "dup": (32, 23),
    "poll": (7, -1), "ppoll": (271, 73), "mmap": (9, 222), "mprotect": (10, 226),
    "munmap": (11, 215), "mremap": (25, 216), "madvise": (28, 233), "brk": (12, 214),
    "futex": (202, 98), "set_robust_list": (273, 99), "rseq": (334, 293),
    "membarrier": (324, 283), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "exit": (60, 93), "exit_group": (231, 94),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132), "restart_syscall": (219, 128), "gettid": (186, 178),
    "getpid": (39, 172), "getuid": (102, 174), "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115), "nanosleep": (35, 101), "gettimeofday": (96, 169),
    "clock_getres": (229, 114), "getrusage": (98, 165), "sysinfo": (99, 179),
    "getrandom": (318, 278),
}  # fmt: skip
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

# Classic BPF, as in linux/filter.h; offsets into struct seccomp_data.
_LOAD, _IF_EQUAL, _IF_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_AT_NUMBER, _AT_ARCH, _AT_FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38


def main() -> None:
    """Entry of the child: jail(root, parent pid, media fd); arguments on stdin."""
    parent, media_fd = int(sys.argv[2]), int(sys.argv[3])
    outbox = Outbox(os.dup(1))
    os.dup2(2, 1)  # a print from a library must not land among the messages
    order: dict[str, Any] = json.load(sys.stdin)
    try:
        _die_with(parent)
        module, _, function = order["entry"].partition(":")
        entry = getattr(importlib.import_module(module), function)
        close_doors(order["memory_bytes"], order["cpu_s"])
        source: BinaryIO = os.fdopen(media_fd, "rb", buffering=0)
        entry(source, order["arguments"], outbox)
        outbox.done()
    except (MediaRefused, MediaUnsafe) as refused:
        outbox.refuse(refused.code, refused.sentence)
    except MemoryError:
        outbox.refuse(
            "media-memory",
            "The file asks for more memory than reading one may take. Export it with "
            "a smaller picture, or in another format.",
        )
    except BrokenPipeError:
        pass  # the parent has heard enough
    except Exception as error:  # noqa: BLE001 - whatever it was, the parent must hear
        outbox.refuse(
            "media-unreadable",
            f"The file could not be read ({type(error).__name__}). Export it again, "
            "for instance as H.264 in MP4.",
        )
    # Leave without running destructors over structures that bad bytes have built.
    os._exit(0)


def close_doors(memory_bytes: int, cpu_s: int) -> None:
    """Apply every limit of this module to this process. Raises MediaUnsafe."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None:
        raise _unsafe("this system has no filter for system calls that we know")
    for limit, value in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 32),
    ):
        resource.setrlimit(limit, (value, value))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)  # may be forbidden: the filter stands
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise _unsafe("no_new_privs was refused")
    program = _filter_program(*machine)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    if libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0):
        raise _unsafe("the kernel refused the seccomp filter")


def _filter_program(column: int, arch: int) -> bytes:
    """The seccomp filter as struct sock_filter[]: allow the list, EPERM the rest."""
    numbers = [pair[column] for pair in _ALLOWED.values() if pair[column] >= 0]
    steps = [
        (_LOAD, 0, 0, _AT_ARCH),
        (_IF_EQUAL, 1, 0, arch),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    # Each number jumps over the rest of the list and the default to the last step.
    steps += [
        (_IF_EQUAL, len(numbers) - i - 1 + 7, 0, number)
        for i, number in enumerate(numbers)
    ]
    steps += [
        # glibc tries clone3 first and takes ENOSYS as "use clone".
        (_IF_EQUAL, 0, 1, _CLONE3[column]),
        (_RETURN, 0, 0, _ERRNO | _ENOSYS),
        # clone may make threads, never a process.
        (_IF_EQUAL, 0, 2, _CLONE[column]),
        (_LOAD, 0, 0, _AT_FIRST_ARGUMENT),
        (_IF_SET, 2, 1, _CLONE_THREAD),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        (_RETURN, 0, 0, _ERRNO | _EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it was gone before the line above
        os._exit(1)


def _unsafe(why: str) -> MediaUnsafe:
    return MediaUnsafe(
        "sandbox-unavailable",
        f"No media was opened: {why}. Media from outside is read only on Linux "
        "(x86-64 or aarch64) with seccomp.",
    )
