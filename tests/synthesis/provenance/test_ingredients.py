"""Somebody's file as an ingredient: read in the sandbox, its credential kept."""

from __future__ import annotations

import os
from pathlib import Path

import c2pa
import pytest

from synthesis.provenance.ingredients import ingredient_archive
from synthesis.provenance.read import read_credential
from tests.synthesis.provenance.conftest import Studio
from tests.synthesis.provenance.test_conformance import jpeg_of

ABOUT = {"title": "Scene", "relationship": "parentOf", "label": "scene"}


def archived(path: Path, *, time_limit_s: int = 20) -> bytes | None:
    return ingredient_archive(path, ABOUT, anchors=b"", time_limit_s=time_limit_s)


def test_the_worker_itself_never_reads_what_somebody_sent(
    studio: Studio, scene: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = studio.signed("first.mp4", scene)

    def here(*_: object, **__: object) -> None:
        raise AssertionError("a stranger's file was read outside the sandbox")

    with monkeypatch.context() as patch:
        patch.setattr(c2pa.Builder, "add_ingredient", here)
        patch.setattr(c2pa.Reader, "__init__", here)
        second = studio.signed("second.mp4", scene, scene_path=first)
    found = read_credential(second, anchors=studio.anchors)
    assert {one.title: one.state for one in found.ingredients} == {
        "Scene": "trusted",
        "Dub sound": "absent",
        "native": "absent",
    }


def test_an_ingredient_is_as_long_as_its_credential_not_as_its_film(
    studio: Studio, scene: Path
) -> None:
    plain = archived(scene)
    signed = archived(studio.signed("first.mp4", scene))
    assert plain is not None
    assert signed is not None
    assert len(plain) < len(signed) < 100_000


def test_the_picture_of_an_ingredient_is_kept_with_it(
    studio: Studio, scene: Path
) -> None:
    first = studio.signed("first.mp4", scene, thumbnail=jpeg_of(scene))
    _, second = studio.sign("second.mp4", scene, scene_path=first)
    assert second.manifest.count(jpeg_of(scene)) >= 1


@pytest.mark.parametrize(
    "content", [b"", b"a text, not a film\n" * 50, b"RIFF\xff\xff\xff\xffWAVE" + b"1"]
)
def test_what_cannot_be_read_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.mp4"
    path.write_bytes(content)
    assert archived(path) is None


def test_a_missing_file_or_a_pipe_is_none(tmp_path: Path) -> None:
    assert archived(tmp_path / "none.mp4") is None
    os.mkfifo(tmp_path / "pipe.mp4")
    assert archived(tmp_path / "pipe.mp4", time_limit_s=2) is None
