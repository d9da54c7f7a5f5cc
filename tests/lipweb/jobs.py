"""Jobs that the worker's tests put into the queue."""

import os
import sys

from lipweb.models import User


def rename(user_id: int, name: str) -> int:
    """Changes a row, and tells in which process."""
    User.objects.filter(pk=user_id).update(name=name)
    return os.getpid()


def fail() -> None:
    raise ValueError("the job said no")


def libraries() -> list[str]:
    """Which of what a render needs the process had before this job."""
    return [name for name in ("torch", "synthesis.jobs") if name in sys.modules]
