"""Files with bytes missing, doubled or made up: always an answer, never a traceback."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import pytest

from synthesis.errors import SynthesisError
from synthesis.media.sandbox import Child
from synthesis.provenance.binding import Film
from synthesis.provenance.container import (
    UpdatedFile,
    manifest_boxes,
    sha256_as_signed,
    skeleton,
    top_boxes,
)
from synthesis.provenance.read import child_caps, read_credential
from synthesis.provenance.store import active_manifest
from tests.synthesis.provenance.conftest import Studio
from tests.synthesis.provenance.damage import (
    damaged,
    differs_in_padding_alone,
    variants,
)
from tests.synthesis.provenance.test_update import updated, written

ENTRY = "tests.synthesis.provenance.damage:answer"


@pytest.fixture
def released(studio: Studio, scene: Path) -> Path:
    """A signed film with an update behind it."""
    made = studio.signed("made.mp4", scene)
    return written(made, updated(studio, made, "published"), "released.mp4")


def test_no_damage_confuses_who_looks_for_manifests(released: Path) -> None:
    for content in variants(released.read_bytes(), 3_000):
        file = io.BytesIO(content)
        boxes = list(top_boxes(file))
        assert all(0 <= box.start < box.end <= len(content) for box in boxes)
        for found in manifest_boxes(file):
            assert 0 <= found.start < found.end <= len(content)
            with suppress(ValueError):
                active_manifest(found.store)
        digest, appended = sha256_as_signed(file)
        assert len(digest) == 64
        assert len(appended) < len(content) or not content
        with suppress(SynthesisError):
            skeleton(file)
        with (
            suppress(SynthesisError),
            UpdatedFile(io.BytesIO(content), b"x" * 9) as one,
        ):
            assert len(one.read()) == len(content) + 9


def test_a_damaged_film_is_signed_as_it_is_or_refused(scene: Path) -> None:
    signed = 0
    for content in variants(scene.read_bytes(), 1_500):
        target = io.BytesIO()
        try:
            film = Film(io.BytesIO(content))
            binding = film.copied(target, 1_000)
        except (ValueError, OverflowError):
            continue
        signed += 1
        assert len(binding.hash) == 32
        assert len(binding.assertion()["data"]["hash"]) == 32
        assert len(target.getvalue()) >= len(content) + 1_000
    assert 0 < signed < 1_500


@pytest.mark.slow
def test_the_guarded_reader_answers_to_all_damage(
    studio: Studio, released: Path
) -> None:
    """In one child, which any crash of the native library would end."""
    arguments = {"anchors": studio.anchors.decode(), "count": 400}
    with Child(ENTRY, released, arguments, child_caps(240)) as child:
        given = child.json()
    assert given["forged"] == 0
    assert sum(given.values()) == 800
    assert given["ingredient"] + given["refused"] == 400
    assert given["invalid"] > 20
    assert given["reader-file-broken"] > 20


def test_each_answer_reaches_who_asked(studio: Studio, released: Path) -> None:
    whole = released.read_bytes()
    path = studio.folder / "damaged.mp4"
    for seed in range(12):
        content = damaged(whole, seed)
        path.write_bytes(content)
        found = read_credential(path, anchors=studio.anchors)
        assert found.holds == differs_in_padding_alone(whole, content), seed
