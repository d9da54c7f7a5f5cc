"""Stored files are used as files of this disk, wherever they lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage

from synthesis.models import Scene
from synthesis.storage import keep, local_path, scratch_dir, scratch_sweep


class FarAway(Storage):
    """As S3 is: its files have no path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def _save(self, name: str, content: File[bytes]) -> str:
        self.files[name] = content.read()
        return name

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        return ContentFile(self.files[name])

    def exists(self, name: str) -> bool:
        return name in self.files


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film"
    path.write_bytes(b"frames" * 1000)
    return path


def test_a_file_kept_on_this_disk_is_moved_not_copied(film: Path) -> None:
    inode, scene = film.stat().st_ino, Scene()
    keep(scene.file, film, suffix="bin")
    assert not film.exists()
    with local_path(scene.file) as path:
        assert path.stat().st_ino == inode
        assert path.name.endswith(".bin")


def test_a_file_kept_far_away_is_copied_here_for_the_while(
    film: Path, monkeypatch: pytest.MonkeyPatch, scratch_before: set[Path]
) -> None:
    field = Scene._meta.get_field("file")
    monkeypatch.setattr(field, "storage", FarAway())
    scene = Scene()
    keep(scene.file, film, suffix="bin")
    with local_path(scene.file) as path:
        assert path.read_bytes() == b"frames" * 1000
    assert not path.exists()
    assert set(scratch_dir().iterdir()) <= scratch_before


def test_what_a_killed_worker_left_is_swept_and_what_is_fresh_stays() -> None:
    old, fresh = scratch_dir() / "old", scratch_dir() / "fresh"
    for folder in (old, fresh):
        folder.mkdir()
        (folder / "half.mp4").write_bytes(b"half")
    os.utime(old, (0, 0))
    assert scratch_sweep(older_than_s=3600) >= 1
    assert (old.exists(), fresh.exists()) == (False, True)
    scratch_sweep(older_than_s=-1)
