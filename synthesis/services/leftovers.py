"""What a killed worker leaves behind, found again by the id of its render or
adaptation."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import PurePosixPath
from uuid import UUID

from django.core.files.storage import Storage
from django.db.models import Model

from synthesis.models import Deliverable, Render, ViewingCopy
from synthesis.storage import scratch_dir

PREFIX = "render-"
FINISHED: tuple[type[Model], ...] = (Deliverable, ViewingCopy)
"""What a render ends in."""
_ID_LENGTH = 36


def work_prefix(render_id: UUID) -> str:
    """How the names of a render's folders in scratch_dir() begin."""
    return f"{PREFIX}{render_id}-"


def render_leftovers_delete(render_id: UUID) -> None:
    """Delete what a render that has ended left unfinished: its work on this disk, be
    it under a worker's hands, and signed files of which there are no rows."""
    for left in scratch_dir().glob(f"{work_prefix(render_id)}*"):
        shutil.rmtree(left, ignore_errors=True)
    for rows in FINISHED:
        unrecorded_delete(rows, render_id)


def renders_sweep() -> None:
    """Clear what killed workers left of renders that have ended meanwhile."""
    left = {path.name.removeprefix(PREFIX) for path in scratch_dir().glob("render-*")}
    ids = _ids_at_start(left).union(*map(unrecorded_ids, FINISHED))
    ended = Render.objects.exclude(state__in=Render.LIVE).filter(id__in=ids)
    for render_id in ended.values_list("id", flat=True):
        render_leftovers_delete(render_id)


def unrecorded_ids(rows: type[Model]) -> set[UUID]:
    """Ids of the runs that left files of this kind in storage, but no row."""
    return _ids_at_start(PurePosixPath(name).name for name in _unrecorded(rows))


def unrecorded_delete(rows: type[Model], run_id: UUID) -> None:
    """Delete the run's files of this kind that no row names. The run has ended."""
    for name in _unrecorded(rows, str(run_id)):
        _storage(rows).delete(name)


def _storage(rows: type[Model]) -> Storage:
    storage: Storage = rows().file.storage  # type: ignore[attr-defined]
    return storage


def _unrecorded(rows: type[Model], prefix: str = "") -> set[str]:
    """Names, as private_path gave them, of files in storage that no row has."""
    folder = str(rows._meta.model_name)
    try:
        names = _storage(rows).listdir(folder)[1]
    except FileNotFoundError:
        return set()
    found = {f"{folder}/{name}" for name in names if name.startswith(prefix)}
    known = rows._default_manager.filter(file__startswith=f"{folder}/{prefix}")
    return found - set(known.values_list("file", flat=True))


def _ids_at_start(names: Iterable[str]) -> set[UUID]:
    ids = set()
    for name in names:
        try:
            ids.add(UUID(name[:_ID_LENGTH]))
        except ValueError:
            continue  # a file of something else
    return ids
