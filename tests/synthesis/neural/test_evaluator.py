"""The evaluator places sound beside picture, and says how sure it is."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from lipweb.demo_production import SCENE
from synthesis.errors import SynthesisError
from synthesis.faces.align import crop_maps, cut_face, filled
from synthesis.faces.finder import FaceFinder
from synthesis.faces.tracks import find_tracks
from synthesis.neural import footage, stages
from synthesis.neural.evaluator import (
    SPEC,
    Evaluator,
    EvaluatorConfig,
    JudgeError,
    agreement,
    compared,
    embeddings,
    judge_sync,
    placements,
    within,
)
from synthesis.neural.evaluator_training import (
    EvaluatorSchedule,
    EvaluatorStage,
    open_heard,
    share_placed,
)
from synthesis.neural.mel import RATE_HZ
from synthesis.neural.training import TrainingError, train
from synthesis.neural.weights import GENERAL, WeightFolder, WeightsError, publish
from tests.synthesis.neural.drawn import FPS, prepared, talk
from tests.synthesis.talking import shuffled

TINY = EvaluatorConfig(channels=(4, 4, 4), width=16, embedding=8)
LEARNED = [f"ann-{seed}" for seed in range(6)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    parts = {"train": LEARNED, "judge": LEARNED, "val": ["ann-90"]}
    return prepared(tmp_path_factory.mktemp("judge") / "drawn", parts)


def stage(folder: Path, seed: int = 1, **numbers: Any) -> EvaluatorStage:
    torch.manual_seed(seed)
    schedule = EvaluatorSchedule(**{"clips": 4, "moments": 12} | numbers)
    return EvaluatorStage(Evaluator(TINY), open_heard(folder, LEARNED), schedule)


def moments(count: int) -> NDArray[np.float64]:
    """Embeddings that are all unlike each other."""
    rows = np.random.default_rng(3).normal(size=(count, 32))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("late", [4, 0, -7])
def test_an_offset_above_zero_is_a_picture_later_than_its_sound(late: int) -> None:
    events = moments(90)
    # At frame i one hears event i + 10, and sees what was heard `late` frames ago.
    heard, seen = events[10:70], events[10 - late : 70 - late]
    found = compared(seen, heard)
    assert found.offset_frames == late
    assert found.similarity[late + 15] == pytest.approx(1.0)
    assert found.confidence == pytest.approx(1 - np.median(found.similarity))


def test_frames_without_a_partner_do_not_count() -> None:
    events = moments(60)
    seen, heard = events.copy(), events.copy()
    seen[:4], heard[50:] = np.nan, np.nan
    assert compared(seen, heard).similarity[15] == pytest.approx(1.0)


def test_a_stretch_too_short_to_judge_is_refused() -> None:
    with pytest.raises(JudgeError) as caught:
        compared(moments(20), moments(20))
    assert caught.value.code == "too-short"


def test_no_embedding_knows_how_far_it_is_from_the_start() -> None:
    torch.manual_seed(2)
    mouth = Evaluator(TINY).eval().mouth
    views = torch.rand(1, 30, 2, 32, 48)
    assert torch.allclose(mouth(views)[:, 7:], mouth(views[:, 7:]), atol=1e-5)


def test_only_moments_whose_whole_window_is_heard_count() -> None:
    times_s = np.arange(75) / FPS
    inside = times_s[within(times_s, 3.0, EvaluatorConfig())]
    assert inside.min() >= 0.2 and inside.max() <= 2.8
    assert not within(times_s, 0.3, EvaluatorConfig()).any()


def test_crops_of_another_size_are_refused() -> None:
    crops = np.zeros((40, 64, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="crops of"):
        embeddings(Evaluator(TINY), crops, np.zeros(RATE_HZ, np.float32), np.arange(40))


@pytest.fixture(scope="module")
def trained(folder: Path) -> tuple[Evaluator, list[float]]:
    """A tiny evaluator that learned from drawn talkers, and its losses."""
    small = stage(folder, rate=8e-3)
    losses = [small.step(n, n / 80)["contrast"] for n in range(80)]
    return small.evaluator.eval(), losses


@pytest.mark.slow
def test_training_lowers_the_loss_and_learns_to_place(
    folder: Path, trained: tuple[Evaluator, list[float]]
) -> None:
    evaluator, losses = trained
    assert np.mean(losses[-10:]) < 0.85 * np.mean(losses[:10])
    assert share_placed(evaluator, folder, ["ann-90"]) > 0.5


@pytest.mark.slow
def test_a_picture_that_lags_is_found_late(
    trained: tuple[Evaluator, list[float]],
) -> None:
    crops, sound, _ = talk(91)
    found = judge_sync(
        trained[0], np.roll(crops, 6, axis=0), sound, np.arange(75) / FPS
    )
    assert abs(found.offset_frames - 6) <= 1


def test_a_resumed_run_goes_on_as_if_never_stopped(
    folder: Path, tmp_path: Path
) -> None:
    list(train(stage(folder), tmp_path / "straight.pt", steps=4))
    halved = stage(folder)
    for number in range(2):
        halved.step(number, number / 4)
    torch.save({"stage": halved.state(), "step": 2}, tmp_path / "broken.pt")
    list(train(stage(folder, seed=9), tmp_path / "broken.pt", steps=4))
    straight, broken = (
        torch.load(tmp_path / f"{name}.pt", weights_only=True)["stage"]["evaluator"]
        for name in ("straight", "broken")
    )
    assert all(torch.allclose(straight[k], broken[k], atol=1e-6) for k in straight)


def test_the_stage_learns_from_its_own_clips_and_says_how_it_does_on_val(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[list[str]] = []

    def noted(out: Path, names: list[str]) -> Any:
        opened.append(list(names))
        return open_heard(out, names)

    monkeypatch.setattr(stages, "open_heard", noted)
    lines = list(stages.train_evaluator([folder], tmp_path, steps=1, seed=1))
    assert opened == [LEARNED]
    assert "offset within one frame" in lines[-1]
    assert WeightFolder(tmp_path / "weights").evaluator().config == EvaluatorConfig()


def test_a_folder_without_clips_for_the_judge_is_refused(tmp_path: Path) -> None:
    empty = prepared(tmp_path / "empty", {"judge": [], "val": []})
    with pytest.raises(TrainingError) as caught:
        list(stages.train_evaluator([empty], tmp_path / "run", steps=1, seed=1))
    assert caught.value.code == "no-clips"


def test_a_folder_prepared_without_sound_says_so(tmp_path: Path) -> None:
    old = prepared(tmp_path / "old", {"judge": ["ann-1"]})
    (old / "clips/ann-1.sound.npy").unlink()
    with pytest.raises(SynthesisError, match="prepare it again"):
        open_heard(old, ["ann-1"])


def test_weights_of_another_evaluator_are_refused(tmp_path: Path) -> None:
    other = Evaluator(EvaluatorConfig(channels=(4, 4, 4), width=8))
    publish(tmp_path, "evaluator", other.state_dict(), TINY)
    with pytest.raises(WeightsError) as caught:
        WeightFolder(tmp_path).evaluator()
    assert caught.value.code == "weights-shape"


def test_the_shipped_evaluator_is_small() -> None:
    assert (GENERAL / "evaluator.safetensors").stat().st_size < 3 * 2**20


@cache
def robin() -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float64]]:
    """Crops, sound and times of the demo scene: a talker that nobody trained on."""
    frames = list(footage.timed_frames(SCENE))[:100]
    pictures = [picture for _, picture in frames]
    (track,) = find_tracks(iter(pictures), [(0, len(pictures))], finder=FaceFinder())
    maps = crop_maps(filled(track.landmarks), SPEC)
    crops = np.stack(
        [cut_face(p, m, SPEC) for p, m in zip(pictures, maps, strict=True)]
    )
    return crops, footage.sound(SCENE), np.array([at_s for at_s, _ in frames])


@pytest.mark.slow
def test_the_shipped_evaluator_hears_that_robin_is_in_sync() -> None:
    found = judge_sync(WeightFolder(GENERAL).evaluator(), *robin())
    assert abs(found.offset_frames) <= 1
    assert found.confidence > 0.2


@pytest.mark.slow
def test_the_shipped_evaluator_places_robin_moved() -> None:
    rng = np.random.default_rng(5)
    found = placements(WeightFolder(GENERAL).evaluator(), *robin(), rng, trials=10)
    assert np.mean([p.right for p in found]) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("wrong", ["silence", "noise", "shuffled"])
def test_confidence_and_agreement_fall_for_a_wrong_sound(wrong: str) -> None:
    evaluator = WeightFolder(GENERAL).evaluator()
    crops, sound, times_s = robin()
    rng = np.random.default_rng(1)
    swapped = {
        "silence": np.zeros_like(sound),
        "noise": rng.normal(0, 0.1, len(sound)).astype(np.float32),
        "shuffled": shuffled(sound, rng),
    }[wrong]
    own = judge_sync(evaluator, crops, sound, times_s)
    other = judge_sync(evaluator, crops, swapped, times_s)
    assert other.confidence < 0.6 * own.confidence
    assert agreement(evaluator, crops, swapped, times_s) < agreement(
        evaluator, crops, sound, times_s
    )
