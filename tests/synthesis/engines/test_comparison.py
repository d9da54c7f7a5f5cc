"""Networks are compared on frames they never saw, against what was filmed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lipweb.demo_production import SCENE
from synthesis.engines.base import Controls, MouthPatch, ShotFace
from synthesis.engines.comparison import SHOWN, Comparison, compare
from synthesis.faces.tracks import find_tracks
from synthesis.media.frames import read_frames
from synthesis.media.probe import probe

FIRST, END, JUDGED_FROM = 20, 50, 10


class Untouched:
    """Leaves every frame as it was."""

    name, weights_sha256 = "untouched", "0" * 64

    def mouths(self, face: ShotFace, controls: Controls) -> Iterator[MouthPatch | None]:
        for _ in face.landmarks:
            yield None


class Grey(Untouched):
    """Lays a grey square over the mouth."""

    def mouths(self, face: ShotFace, controls: Controls) -> Iterator[MouthPatch | None]:
        rgba = np.full((8, 8, 4), (120, 110, 100, 255), np.uint8)
        for points in face.landmarks:
            middle, size = points[13, :2], np.linalg.norm(points[33] - points[263]) / 8
            to_frame = np.array(
                [[size, 0, middle[0] - 4 * size], [0, size, middle[1] - 4 * size]]
            )
            yield MouthPatch(rgba, to_frame)


@pytest.fixture(scope="module")
def compared() -> tuple[Comparison, list[tuple[int, int]]]:
    facts = probe(Path(SCENE))

    def frames() -> Iterator[np.ndarray]:
        for planes in read_frames(SCENE, facts, FIRST, END):
            yield planes.rgb()

    (track,) = find_tracks(frames(), [(0, END - FIRST)])
    face = ShotFace(
        frames, track.landmarks, np.arange(END - FIRST) / 25, np.zeros(1, np.float32)
    )
    told: list[tuple[int, int]] = []
    made = compare(
        face,
        {"same": Untouched, "grey": Grey},
        judged_from=JUDGED_FROM,
        report=lambda done, count: told.append((done, count)),
    )
    return made, told


def test_a_mouth_left_alone_is_the_filmed_one(
    compared: tuple[Comparison, object],
) -> None:
    made, _ = compared
    same = made.figures["same"]
    assert same.psnr == 99
    assert same.sharpness == pytest.approx(1)
    assert same.opening_r == pytest.approx(1)
    assert made.frames == END - FIRST - JUDGED_FROM


def test_a_mouth_painted_over_is_found_worse_in_every_figure(
    compared: tuple[Comparison, object],
) -> None:
    grey = compared[0].figures["grey"]
    assert grey.psnr < 30
    assert grey.sharpness < 0.8
    assert grey.opening_r < 0.9


def test_stills_show_the_same_judged_frames_of_all(
    compared: tuple[Comparison, object],
) -> None:
    stills = compared[0].stills
    assert len(stills) == 4
    assert all(JUDGED_FROM <= still.frame < END - FIRST for still in stills)
    for still in stills:
        assert list(still.pictures) == ["filmed", "same", "grey"]
        assert still.pictures["grey"].shape == (SHOWN.height, SHOWN.width, 3)
        assert np.array_equal(still.pictures["filmed"], still.pictures["same"])
        assert not np.array_equal(still.pictures["filmed"], still.pictures["grey"])


def test_every_frame_is_told_so_that_it_can_be_stopped(
    compared: tuple[object, list[tuple[int, int]]],
) -> None:
    told = compared[1]
    assert told == [(n + 1, 3 * (END - FIRST)) for n in range(3 * (END - FIRST))]
