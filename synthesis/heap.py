"""Memory that was freed, and is held all the same."""

from __future__ import annotations

import ctypes
from contextlib import suppress


def heap_trim() -> None:
    """Give what was freed back to the system.

    The C library keeps freed arrays of up to 32 MiB for the next ones. After work on
    whole shots that is tens of megabytes, the more the longer the shot. Does nothing
    where the C library is not glibc.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
