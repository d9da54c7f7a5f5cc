"""The native engine with the weights in the repository, on the demo scene."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.engines.base import WIDTH, Controls, KeyPoint, ShotFace, Stretch
from synthesis.engines.native import NativeEngine, fades
from synthesis.engines.trial import painted
from synthesis.faces.tracks import find_tracks
from synthesis.neural import footage
from synthesis.neural.figures import sharpness
from synthesis.neural.lipcode import openings
from synthesis.neural.weights import GENERAL, WeightsError

DEMO = Path(__file__).parents[3] / "synthesis" / "demo"
ROBIN = GENERAL / "robin"


def shot(first: int, count: int, sound: NDArray[np.float32] | None = None) -> ShotFace:
    """Return part of the demo scene, under the Spanish line unless told."""

    def frames() -> Iterator[NDArray[np.uint8]]:
        return islice(footage.frames(DEMO / "robin.mp4"), first, first + count)

    landmarks = found()[first : first + count].copy()
    if sound is None:
        sound = footage.sound(DEMO / "robin-es.wav")
    times_s = (first + np.arange(count)) / 25
    return ShotFace(frames, landmarks, times_s, sound)


@cache
def found() -> NDArray[np.float32]:
    """The landmarks of the demo scene's first 150 frames."""
    frames = islice(footage.frames(DEMO / "robin.mp4"), 150)
    (track,) = find_tracks(frames, [(0, 150)])
    return track.landmarks


@pytest.fixture(scope="module")
def engine() -> NativeEngine:
    return NativeEngine.load(actor=ROBIN)


def test_every_frame_gets_a_patch_that_lies_on_the_mouth(engine: NativeEngine) -> None:
    face = shot(30, 10)
    patches = list(engine.mouths(face, Controls()))
    assert len(patches) == 10
    for patch, landmarks in zip(patches, face.landmarks, strict=True):
        assert patch is not None
        assert patch.rgba.dtype == np.uint8
        alpha = patch.rgba[..., 3]
        assert alpha[[0, -1]].max() == alpha[:, [0, -1]].max() == 0
        y, x = np.unravel_index(np.flatnonzero(alpha.ravel() > 250), alpha.shape)
        middle = patch.to_frame @ [x.mean(), y.mean(), 1]
        face_px = np.linalg.norm(landmarks[33, :2] - landmarks[263, :2])
        assert np.linalg.norm(middle - landmarks[17, :2]) < 0.4 * face_px


def test_rows_without_a_face_are_left_alone_and_faded_into(
    engine: NativeEngine,
) -> None:
    face = shot(30, 16)
    face.landmarks[6:8] = np.nan
    patches = list(engine.mouths(face, Controls()))
    assert [p is None for p in patches] == [i in (6, 7) for i in range(16)]
    peaks = [int(p.rgba[..., 3].max()) for p in patches if p is not None]
    assert peaks[5] < peaks[4] < peaks[3] < peaks[2] < peaks[1] == 255


def test_a_shot_without_the_face_comes_back_untouched(engine: NativeEngine) -> None:
    missing = np.full((5, 468, 3), np.nan, np.float32)

    def never() -> Iterator[NDArray[np.uint8]]:
        raise AssertionError("no pixel is needed")

    face = ShotFace(never, missing, np.arange(5) / 25, np.zeros(100, np.float32))
    assert list(engine.mouths(face, Controls())) == [None] * 5


def test_a_face_in_profile_is_left_alone(engine: NativeEngine) -> None:
    face = shot(30, 3)
    middle = face.landmarks.mean(1, keepdims=True)
    angle = np.radians(60)
    turn = np.array(
        [
            [np.cos(angle), 0, np.sin(angle)],
            [0, 1, 0],
            [-np.sin(angle), 0, np.cos(angle)],
        ]
    )
    face.landmarks[:] = (face.landmarks - middle) @ turn.T + middle
    assert list(engine.mouths(face, Controls())) == [None] * 3


def test_silence_closes_the_mouth_of_a_speaking_face(engine: NativeEngine) -> None:
    face = shot(40, 25, np.zeros(80_000, np.float32))
    assert not engine.lip_codes(face, Controls()).any()
    patches = engine.mouths(face, Controls())
    made = [painted(f, p) for f, p in zip(face.frames(), patches, strict=True)]
    (track,) = find_tracks(made, [(0, 25)])
    assert openings(track.landmarks).mean() < 0.5 * openings(face.landmarks).mean()


def test_little_is_held_of_a_long_shot_while_it_is_drawn(engine: NativeEngine) -> None:
    piece = shot(30, 3)
    long = replace(piece, landmarks=np.tile(piece.landmarks, (200, 1, 1)))
    tracemalloc.start()
    try:
        plan = engine._plan(long)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert plan.wanted.all()
    assert held / 600 < 2_500  # all landmarks of one frame take 11,232 bytes


def test_two_threads_draw_what_one_draws(engine: NativeEngine) -> None:
    face = shot(30, 20)
    alone = engine.mouths(face, Controls())
    together = NativeEngine.load(actor=ROBIN, threads=2).mouths(face, Controls())
    for one, other in zip(alone, together, strict=True):
        assert one is not None
        assert other is not None
        assert np.array_equal(one.rgba, other.rgba)
        assert np.array_equal(one.to_frame, other.to_frame)


@pytest.mark.slow
def test_the_mouth_follows_the_dub_and_not_the_original(engine: NativeEngine) -> None:
    face = shot(0, 150)
    patches = engine.mouths(face, Controls())
    made = (painted(f, p) for f, p in zip(face.frames(), patches, strict=True))
    (track,) = find_tracks(made, [(0, 150)])
    opened = openings(track.landmarks)
    asked = engine.lip_codes(face, Controls())[:, 0]
    assert np.corrcoef(opened, asked)[0, 1] > 0.8
    assert np.corrcoef(opened, openings(face.landmarks))[0, 1] < 0.5


def test_an_offset_moves_the_mouth_later(engine: NativeEngine) -> None:
    face = shot(0, 100)
    plain = engine.lip_codes(face, Controls())
    later = engine.lip_codes(face, Controls(offset_frames=5))
    assert np.allclose(later[10:], plain[5:-5], atol=1e-4)


def test_intensity_scales_the_mouth(engine: NativeEngine) -> None:
    face = shot(0, 30)
    plain = engine.lip_codes(face, Controls())
    assert np.allclose(engine.lip_codes(face, Controls(intensity=0.5)), plain / 2)


def test_a_range_and_a_drawn_point_change_only_what_they_name(
    engine: NativeEngine,
) -> None:
    face = shot(0, 30)
    plain = engine.lip_codes(face, Controls())
    dials = Controls(
        stretches=(Stretch(0, 5, 0.0, 0.5),), points=(KeyPoint(20, WIDTH, -1.5),)
    )
    made = engine.lip_codes(face, dials)
    assert np.allclose(made[:5], plain[:5] / 2)
    assert made[20, WIDTH] == -1.5
    assert np.allclose(made[9:16], plain[9:16])
    assert np.allclose(made[:, 2:][9:], plain[:, 2:][9:])


def test_pixels_outside_the_patch_are_the_films_own(engine: NativeEngine) -> None:
    face = shot(30, 2)
    frame = next(face.frames())
    made = painted(frame, next(engine.mouths(face, Controls())))
    changed = (made != frame).any(2)
    assert changed.any()
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    chin, nose = face.landmarks[0, 152, 1], face.landmarks[0, 4, 1]
    assert rows[0] > nose
    assert rows[-1] < chin + 60
    assert columns[0] > face.landmarks[0, :, 0].min() - 40
    assert columns[-1] < face.landmarks[0, :, 0].max() + 40


def test_without_adapted_weights_the_general_renderer_is_used() -> None:
    general = NativeEngine.load()
    patches = list(general.mouths(shot(30, 4), Controls()))
    assert all(p is not None for p in patches)
    assert general.weights_sha256 != NativeEngine.load(actor=ROBIN).weights_sha256


def test_a_large_face_is_drawn_as_large_as_it_was_filmed() -> None:
    final = next(NativeEngine.load().mouths(shot(30, 2), Controls()))
    draft = next(NativeEngine.load(tier="draft").mouths(shot(30, 2), Controls()))
    assert final is not None
    assert draft is not None
    assert draft.rgba.shape == (96, 112, 4)
    assert final.rgba.shape[1] >= 2 * 112
    # The same place on the face, more pixels, about as small as the film's own.
    corners = [p.to_frame @ [p.rgba.shape[1] / 2, 0, 1] for p in (draft, final)]
    assert np.abs(corners[0] - corners[1]).max() < 2
    assert np.hypot(*final.to_frame[:, 0]) > 0.9


def test_a_final_mouth_has_more_detail_than_a_draft() -> None:
    face = shot(30, 6)

    def detail(tier: Literal["draft", "final"]) -> float:
        patches = NativeEngine.load(tier=tier).mouths(face, Controls())
        frames = zip(face.frames(), patches, strict=True)
        mouths = [
            mouth(painted(f, p), row)
            for (f, p), row in zip(frames, face.landmarks, strict=True)
        ]
        return sharpness(np.stack(mouths))

    assert detail("final") > 1.2 * detail("draft")


def mouth(
    frame: NDArray[np.uint8], landmarks: NDArray[np.float32]
) -> NDArray[np.uint8]:
    x, y = landmarks[13, :2].astype(int)
    return frame[y - 40 : y + 60, x - 60 : x + 60]


def test_a_draft_of_an_adapted_actor_uses_the_small_network() -> None:
    draft = next(
        NativeEngine.load(actor=ROBIN, tier="draft").mouths(shot(30, 2), Controls())
    )
    assert draft is not None
    assert draft.rgba.shape == (96, 112, 4)


def test_weights_adapted_under_another_lip_code_are_refused(tmp_path: Path) -> None:
    for path in ROBIN.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    manifest = tmp_path / "manifest.json"
    manifest.write_text(
        manifest.read_text().replace('"lip_code_sha256": "', '"lip_code_sha256": "0')
    )
    with pytest.raises(WeightsError) as caught:
        NativeEngine.load(actor=tmp_path)
    assert caught.value.code == "weights-base"


def test_fades_rise_over_four_frames_and_only_at_inner_borders() -> None:
    wanted = np.array([True] * 3 + [False] + [True] * 7)
    assert fades(wanted).tolist() == [0.6, 0.4, 0.2, 0, 0.2, 0.4, 0.6, 0.8, 1, 1, 1]
    assert fades(np.ones(4, bool)).tolist() == [1, 1, 1, 1]
