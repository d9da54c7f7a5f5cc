"""What a killed worker leaves of a render, found again by the render's id."""

from __future__ import annotations

import shutil
from pathlib import PurePosixPath
from uuid import UUID

from django.core.files.storage import Storage

from synthesis.models import Deliverable, Render
from synthesis.storage import scratch_dir

PREFIX = "render-"
_ID_LENGTH = 36


def work_prefix(render_id: UUID) -> str:
    """How the names of a render's folders in scratch_dir() begin."""
    return f"{PREFIX}{render_id}-"


def render_leftovers_delete(render_id: UUID) -> None:
    """Delete what a render that has ended left unfinished: its work on this disk, be
    it under a worker's hands, and a signed file of which there is no row."""
    for left in scratch_dir().glob(f"{work_prefix(render_id)}*"):
        shutil.rmtree(left, ignore_errors=True)
    for name in _unrecorded(str(render_id)):
        _storage().delete(name)


def renders_sweep() -> None:
    """Clear what killed workers left of renders that have ended meanwhile."""
    names = [PurePosixPath(name).name for name in _unrecorded()]
    names += [path.name.removeprefix(PREFIX) for path in scratch_dir().glob("render-*")]
    ids = filter(None, (_id_at_start(name) for name in names))
    ended = Render.objects.exclude(state__in=Render.LIVE).filter(id__in=set(ids))
    for render_id in ended.values_list("id", flat=True):
        render_leftovers_delete(render_id)


def _storage() -> Storage:
    return Deliverable().file.storage


def _unrecorded(prefix: str = "") -> set[str]:
    """Names of the files in storage, as private_path gave them, that belong to no
    deliverable."""
    folder = str(Deliverable._meta.model_name)
    try:
        names = _storage().listdir(folder)[1]
    except FileNotFoundError:
        return set()
    found = {f"{folder}/{name}" for name in names if name.startswith(prefix)}
    known = Deliverable.objects.filter(file__startswith=f"{folder}/{prefix}")
    return found - set(known.values_list("file", flat=True))


def _id_at_start(name: str) -> UUID | None:
    try:
        return UUID(name[:_ID_LENGTH])
    except ValueError:
        return None
