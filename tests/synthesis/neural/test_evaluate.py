"""The protocol: what a clip, an output and a table of them are found to be."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.engines.trial import open_material
from synthesis.faces.finder import FaceFinder
from synthesis.neural.articulation import Said, Spoken
from synthesis.neural.evaluate import CROSS, OWN, Bench, Result, other_of, summary
from synthesis.neural.material import (
    Contender,
    Material,
    Painted,
    quiet_frames,
    spoken_frames,
    unmodified,
)
from synthesis.neural.weights import GENERAL, WeightFolder
from tests.synthesis.talking import excerpt

RATE_HZ = 16_000


def material(words: list[Spoken] | None = None, name: str = "a") -> Material:
    """Three seconds: silence, a second of voice-like noise, silence."""
    rng = np.random.default_rng(1)
    sound = (rng.standard_normal(3 * RATE_HZ) * 1e-4).astype(np.float32)
    sound[RATE_HZ:-RATE_HZ] *= 2000
    return Material(
        name, "t", lambda: iter(()), np.arange(75) / 25, sound,
        np.zeros((75, 468, 3)), words,
    )  # fmt: skip


def test_speech_frames_are_those_of_words_or_else_of_what_is_heard() -> None:
    words = [Spoken("sil", 0, 0.6), Spoken("bin", 0.6, 1.0), Spoken("sil", 1.0, 2.0)]
    told = np.flatnonzero(spoken_frames(material(words)))
    assert (told[0], told[-1]) == (15, 25)
    heard = np.flatnonzero(spoken_frames(material()))
    assert 20 <= heard[0] <= 25
    assert 49 <= heard[-1] <= 54


def test_quiet_frames_keep_away_from_words_and_from_sound() -> None:
    one = material()
    quiet = quiet_frames(one.sound, None, one.times_s)
    assert quiet[:8].all()
    assert quiet[-8:].all()
    assert not quiet[17:58].any()
    words = [Spoken("bin", 0.8, 1.0)]
    by_words = quiet_frames(one.sound, words, one.times_s)
    assert np.array_equal(np.flatnonzero(~by_words), np.arange(13, 33))
    silence = np.zeros(RATE_HZ, np.float32)
    assert quiet_frames(silence, None, one.times_s).all()


def test_the_other_sound_is_the_next_clips_and_a_single_clips_own_backwards() -> None:
    clips = [material(name="a"), material(name="b")]
    assert other_of(clips, 1).name == "a"
    assert other_of(clips, 1).material is clips[0]
    alone = other_of(clips[:1], 0)
    assert alone.material is None
    assert np.array_equal(alone.sound[::-1], clips[0].sound)


def result(row: str, heard: str, *, said: Said | None = None, **found: float) -> Result:
    return Result("clip", "t", row, heard, "clip", dict(found), said)


def test_a_summary_leaves_out_what_a_clip_could_not_tell() -> None:
    table = summary(
        [
            result("lipweb", OWN, psnr=30.0, flicker=math.nan),
            result("lipweb", OWN, psnr=32.0, flicker=0.9),
            result("real", OWN, psnr=99.0),
            result("lipweb", CROSS, seam=1.0),
        ]
    )
    assert table[OWN]["lipweb"]["psnr"] == 31.0
    assert table[OWN]["lipweb"]["flicker"] == 0.9
    assert table[OWN]["lipweb"]["clips"] == 2
    assert list(table[OWN]) == ["lipweb", "real"]
    assert list(table[CROSS]) == ["lipweb"]


def test_bilabials_are_counted_over_all_clips_together() -> None:
    times_s = np.arange(50) / 25
    real = np.where(np.abs(times_s - 1.0) < 0.1, 0.0, 0.1)
    real[:15] = 0.0
    words = [Spoken("bin", 1.0, 1.4)]
    shut = Said(real, real, times_s, words)
    never = Said(np.where(times_s < 0.5, 0.0, 0.1), real, times_s, words)
    table = summary([result("lipweb", OWN, said=s) for s in (shut, never, shut, shut)])
    found = table[OWN]["lipweb"]
    assert found["bilabials"] == 4
    assert found["bilabials_closed"] == 0.75
    assert found["bilabials_closed_real"] == 1.0


@pytest.fixture(scope="module")
def robin(tmp_path_factory: pytest.TempPathFactory) -> Material:
    folder = tmp_path_factory.mktemp("clips") / "robin"
    folder.mkdir()
    path = excerpt(folder / "hello.mp4", 1.4, start_s=0.8)
    return open_material(path, FaceFinder(), 20.0).material


def blurred(
    material: Material, sound: NDArray[np.float32], codes: NDArray[np.float32] | None
) -> Iterator[Painted]:
    for planes in material.planes():
        yield Painted(cv2.GaussianBlur(planes.rgb(), (0, 0), 1.5), strayed=2)


def frozen(
    material: Material, sound: NDArray[np.float32], codes: NDArray[np.float32] | None
) -> Iterator[Painted]:
    first = next(material.planes()).rgb()
    for _ in material.planes():
        yield Painted(first)


@pytest.fixture(scope="module")
def judged(robin: Material) -> dict[tuple[str, str], dict[str, float]]:
    rows = [
        Contender("real", unmodified),
        Contender("blurred", blurred, true_codes=True),
        Contender("frozen", frozen),
    ]
    bench = Bench(rows, WeightFolder(GENERAL).lip_code(), None)
    found = bench.clip(robin, other_of([robin], 0))
    return {(r.row, r.heard): r.figures for r in found}


def test_unmodified_video_under_its_own_sound_is_the_ceiling(
    judged: dict[tuple[str, str], dict[str, float]],
) -> None:
    real = judged["real", OWN]
    assert real["psnr"] == real["psnr_square"] == 99.0
    assert real["ssim"] == pytest.approx(1.0)
    assert real["lmd"] == 0
    assert real["sharpness"] == real["seam"] == 1.0
    assert real["opening_r"] == pytest.approx(1.0)
    assert real["identity"] == pytest.approx(1.0)
    assert real["code2_r2"] == pytest.approx(1.0)
    assert real["strayed"] == 0


def test_blur_shows_in_sharpness_and_changed_pixels_are_summed_up(
    judged: dict[tuple[str, str], dict[str, float]], robin: Material
) -> None:
    soft = judged["blurred", OWN]
    assert soft["sharpness"] < 0.6
    assert 20 < soft["psnr"] < 45
    assert soft["opening_r"] > 0.8
    assert soft["strayed"] == 2 * len(robin.landmarks)
    assert ("blurred", CROSS) not in judged


def test_a_frozen_mouth_follows_nothing_and_does_not_flicker(
    judged: dict[tuple[str, str], dict[str, float]],
) -> None:
    still = judged["frozen", OWN]
    assert still["opening_r"] < 0.5
    assert still["lmd"] > 1.0
    assert still["code1_r2"] < 0.5
    assert still["psnr"] < judged["blurred", OWN]["psnr"] + 10
    assert judged["frozen", CROSS]["sharpness"] == pytest.approx(
        still["sharpness"], rel=1e-6
    )
