"""Secrets that live in files of mode 0600, made on first use."""

import os
import secrets
from pathlib import Path


def secret_from_file(path: Path, *, length_bytes: int = 50) -> str:
    """Return the secret kept at path, making it first if there is none.

    Two processes may start at once: the file is linked into place whole, so that
    both read the same secret.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(length_bytes))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
