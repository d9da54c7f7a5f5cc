"""Scenes in, deliverables out: media, networks, marks, review."""

from functools import cache
from pathlib import Path


@cache
def software_version() -> str:
    """This software's version as pyproject.toml states it."""
    import tomllib

    project = Path(__file__).resolve().parent.parent / "pyproject.toml"
    return str(tomllib.loads(project.read_text())["project"]["version"])
