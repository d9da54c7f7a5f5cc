"""The whole way of a deliverable's marks, and what happens if one is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthesis.provenance.label import Schedule, Shown, Sign, Spot
from synthesis.provenance.mark import Embedder, detect
from synthesis.provenance.read import Credential, read_credential
from synthesis.provenance.readback import ReadBack, check_output
from tests.synthesis.provenance.conftest import (
    MARK_ID,
    MARK_KEY,
    Studio,
    decode,
    encode,
    film,
    remuxed,
)

SIGN = Sign(640, 360)
LABEL = Schedule.throughout(SIGN, 25)


def rendered(
    path: Path, *, label_from: int = 0, mark: bool = True, label: Schedule = LABEL
) -> Path:
    """A labelled, marked and encoded film of one second."""
    lumas = film(11, frames=25)
    embedder = Embedder(MARK_KEY, MARK_ID, 640, 360)
    for number, y in enumerate(lumas):
        if number >= label_from:
            u, v = (np.full((180, 320), 128, np.uint8) for _ in range(2))
            label.apply(number, y, u, v)
        if mark:
            embedder.apply(y)
    return encode(path, lumas)


def look(
    path: Path, credential: Credential, manifest_id: str, label: Schedule = LABEL
) -> ReadBack:
    return check_output(
        decode(path),
        label=label,
        mark_key=("mark-1", MARK_KEY),
        mark_id=MARK_ID,
        credential=credential,
        manifest_id=manifest_id,
    )


@pytest.fixture
def good(studio: Studio) -> tuple[Path, Credential, str]:
    source = rendered(studio.folder / "render.mp4")
    path, signed = studio.sign("out.mp4", source)
    credential = read_credential(path, anchors=studio.anchors)
    return path, credential, signed.manifest_id


def test_a_file_with_all_three_marks_may_become_ready(
    good: tuple[Path, Credential, str],
) -> None:
    result = look(*good)
    assert result.complete
    assert result == ReadBack(True, True, True)


def test_a_missing_label_on_one_frame_is_noticed(
    studio: Studio, good: tuple[Path, Credential, str]
) -> None:
    late = rendered(studio.folder / "late.mp4", label_from=1)
    result = look(late, *good[1:])
    assert not result.label
    assert not result.complete
    assert "frame 0" in result.problems[0]


TWICE = Schedule(
    SIGN,
    [Shown(0, 8, Spot("top-left")), Shown(15, 22, Spot("bottom-right"))],
)


def test_a_label_is_looked_for_where_and_when_it_should_be_and_nowhere_else(
    studio: Studio, good: tuple[Path, Credential, str]
) -> None:
    film = rendered(studio.folder / "twice.mp4", label=TWICE)
    assert look(film, *good[1:], label=TWICE).label
    throughout = look(film, *good[1:])
    assert not throughout.label
    assert "missing on 17 of 25 frames, first on frame 8" in throughout.problems[0]


def test_a_label_that_moved_or_came_late_after_a_break_is_noticed(
    studio: Studio, good: tuple[Path, Credential, str]
) -> None:
    for name, wrong in {
        "moved": [Shown(0, 8, Spot("top-left")), Shown(15, 22, Spot("bottom-left"))],
        "late": [Shown(0, 8, Spot("top-left")), Shown(16, 22, Spot("bottom-right"))],
    }.items():
        film = rendered(studio.folder / f"{name}.mp4", label=Schedule(SIGN, wrong))
        found = look(film, *good[1:], label=TWICE)
        assert not found.complete
        assert "first on frame 15" in found.problems[0]


def test_a_missing_mark_is_noticed(
    studio: Studio, good: tuple[Path, Credential, str]
) -> None:
    bare = rendered(studio.folder / "bare.mp4", mark=False)
    result = look(bare, *good[1:])
    assert (result.label, result.mark, result.manifest) == (True, False, True)
    assert not result.complete


@pytest.mark.parametrize(
    "change",
    [
        {"state": "invalid", "problems": ("assertion.bmffHash.mismatch",)},
        {"state": "absent"},
        {"manifest_id": "urn:c2pa:another"},
        {"soft_bindings": (("org.lipweb.lattice.2", "f" * 16),)},
    ],
)
def test_a_credential_that_is_not_the_one_just_signed_is_noticed(
    good: tuple[Path, Credential, str], change: dict[str, object]
) -> None:
    path, credential, manifest_id = good
    result = look(path, replace(credential, **change), manifest_id)
    assert (result.label, result.mark, result.manifest) == (True, True, False)
    assert not result.complete


def test_a_file_without_frames_is_never_ready(
    good: tuple[Path, Credential, str],
) -> None:
    result = check_output(
        [],
        label=LABEL,
        mark_key=("mark-1", MARK_KEY),
        mark_id=MARK_ID,
        credential=good[1],
        manifest_id=good[2],
    )
    assert (result.label, result.mark, result.complete) == (False, False, False)


def test_a_remuxed_deliverable_loses_its_credential_but_not_its_mark(
    studio: Studio, good: tuple[Path, Credential, str]
) -> None:
    bare = remuxed(good[0], studio.folder / "remuxed.mp4")
    assert read_credential(bare, anchors=studio.anchors).state == "absent"
    found = detect((y for y, _, _ in decode(bare)), [("mark-1", MARK_KEY)])
    assert found.id == MARK_ID.hex()
