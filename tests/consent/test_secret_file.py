"""A secret is made once, whole, and for its owner alone."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from consent.secret_file import secret_from_file


def test_of_many_that_start_at_once_all_read_one_secret(tmp_path: Path) -> None:
    path, number = tmp_path / "keys" / "secret", count()
    with ThreadPoolExecutor(max_workers=16) as pool:
        read = list(
            pool.map(
                lambda _: secret_from_file(path, make=lambda: f"secret {next(number)}"),
                range(64),
            )
        )
    assert len(set(read)) == 1
    assert list(path.parent.iterdir()) == [path]


def test_a_secret_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "secret"
    secret_from_file(path, make=lambda: "a secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_secret_that_could_not_be_made_leaves_nothing_behind(tmp_path: Path) -> None:
    def broken() -> str:
        raise RuntimeError("no luck")

    with pytest.raises(RuntimeError):
        secret_from_file(tmp_path / "secret", make=broken)
    assert list(tmp_path.iterdir()) == []
