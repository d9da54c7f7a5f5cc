"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from synthesis.errors import OutputFailed


def aside_path(path: str | os.PathLike[str]) -> Path:
    """A name beside the final one that no other writer uses."""
    final = Path(path)
    return final.with_name(f".{secrets.token_hex(8)}.part")


def put_in_place(part: Path, path: str | os.PathLike[str]) -> None:
    """Flush a finished file to the disk and give it its name, replacing what was."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(path)
    folder = os.open(Path(path).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def written_aside(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file, open for writing, that gets its name only if the block succeeds.

    Raises OutputFailed when the disk refuses; other errors pass through. Nothing
    half-written is left in either case.
    """
    part = aside_path(path)
    try:
        with part.open("xb") as out:
            yield out
        put_in_place(part, path)
    except OSError as error:
        raise disk_failed(error) from error
    finally:
        with suppress(OSError):
            part.unlink()


def disk_failed(error: OSError) -> OutputFailed:
    """The disk's refusal as an error of ours."""
    why = error.strerror or "the disk refused"
    return OutputFailed(
        "output-failed",
        f"The result could not be written ({why}). Free some space and try again.",
    )
