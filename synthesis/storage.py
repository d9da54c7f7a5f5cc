"""Between Django's private storage, which may be far away, and files on this disk."""

from __future__ import annotations

import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.db.models.fields.files import FieldFile


class LocalFile(File):  # type: ignore[type-arg]
    """A finished file on this disk: local storage moves it in, S3 reads it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self._path = path

    def temporary_file_path(self) -> str:
        return str(self._path)


def keep(field: FieldFile, path: Path, *, suffix: str) -> None:
    """Move the file at path into storage, under a name of the field's own choosing
    that ends in suffix. The row is not saved."""
    with LocalFile(path) as file:
        field.save(f"file.{suffix}", file, save=False)
    path.unlink(missing_ok=True)


def packed(folder: Path, target: Path) -> Path:
    """Write a folder's files into a zip, for shutil.unpack_archive. They are stored as
    they are: weights hardly shrink, and shrinking them takes longer than all else."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
    return target


@contextmanager
def local_path(field: FieldFile) -> Iterator[Path]:
    """Path of the stored file on this disk; a copy for the while if it is far away."""
    try:
        near = field.path
    except NotImplementedError:
        near = ""
    if near:
        yield Path(near)
        return
    with tempfile.TemporaryDirectory(dir=scratch_dir()) as folder:
        copy = Path(folder) / "copy"
        with field.open("rb") as source, copy.open("wb") as target:
            for chunk in source.chunks(1 << 20):
                target.write(chunk)
        yield copy


def scratch_dir() -> Path:
    """Folder for work in progress, on the same disk as the media so that finished
    files are renamed, not copied."""
    folder = Path(settings.DATA_DIR) / "scratch"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def scratch_sweep(*, older_than_s: float) -> int:
    """Remove work in progress that a killed worker left behind; returns how much."""
    until, swept = time.time() - older_than_s, 0
    for left in scratch_dir().iterdir():
        if left.stat().st_mtime < until:
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
            swept += 1
    return swept
