"""The whole way of a deliverable's marks, and what happens if one is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthesis.provenance.label import Label
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

LABEL = Label(640, 360)


def rendered(path: Path, *, label_from: int = 0, mark: bool = True) -> Path:
    """A labelled, marked and encoded film of one second."""
    lumas = film(11, frames=25)
    embedder = Embedder(MARK_KEY, MARK_ID, 640, 360)
    for number, y in enumerate(lumas):
        if number >= label_from:
            u, v = (np.full((180, 320), 128, np.uint8) for _ in range(2))
            LABEL.apply(y, u, v)
        if mark:
            embedder.apply(y)
    return encode(path, lumas)


def look(path: Path, credential: Credential, manifest_id: str) -> ReadBack:
    return check_output(
        decode(path),
        label=LABEL,
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
        {"soft_bindings": (("org.lipweb.lattice.1", "f" * 16),)},
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
