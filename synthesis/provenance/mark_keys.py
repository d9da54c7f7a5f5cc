"""The keys of the invisible mark: one file each, the newest marks, all are read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import NamedTuple

KEY_BYTES = 32


class MarkKey(NamedTuple):
    """A key and the name it is known by in the records."""

    key_id: str
    key: bytes


def mark_keys_at(folder: Path) -> list[MarkKey]:
    """Return every key in the folder, newest first, making the first if none is there.

    Names count up (0001, 0002, ...): to rotate, mark_key_add. Old keys stay, or files
    marked with them could no longer be recognised.
    """
    if not folder.is_dir() or not any(folder.glob("*.key")):
        mark_key_add(folder, number=1)
    paths = sorted(folder.glob("*.key"), reverse=True)
    return [MarkKey(path.stem, path.read_bytes()) for path in paths]


def mark_key_add(folder: Path, *, number: int) -> None:
    """Write a new random key. Two processes may try at once: the first one counts."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".{number:04d}.{os.getpid()}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, folder / f"{number:04d}.key")
    except FileExistsError:
        pass
    finally:
        draft.unlink()
