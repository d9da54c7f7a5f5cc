"""Secrets that live in files of mode 0600, made on first use."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def secret_from_file(path: Path, make: Callable[[], str]) -> str:
    """Return the secret kept at path, made by `make` if there is none yet.

    Several processes and threads may start at once: each writes a file of its own,
    one of them is linked into place whole, and all read that one.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(make() + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    return path.read_text().strip()
