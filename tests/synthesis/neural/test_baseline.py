"""The end-to-end baseline: sound and a masked face in, a mouth out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synthesis.neural import masks, stages
from synthesis.neural.baseline import BaselineConfig, MaskedUNet, mel_windows
from synthesis.neural.baseline_training import (
    BaselineSchedule,
    BaselineStage,
    HeardDraw,
)
from synthesis.neural.dataset import CodedClip, open_clips
from synthesis.neural.references import APART_FRAMES
from synthesis.neural.training import train
from synthesis.neural.weights import GENERAL, WeightFolder, WeightsError, publish
from tests.synthesis.neural.drawn import SPEC, prepared

TINY = BaselineConfig(channels=(8, 8, 8), voice=8)
HOLE = torch.from_numpy(masks.hole(SPEC))
NAMES = ["ann-1", "ann-2"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("baseline") / "drawn", {"train": NAMES})


@pytest.fixture(scope="module")
def clips(folder: Path) -> list[CodedClip]:
    return open_clips(folder, NAMES, WeightFolder(GENERAL).lip_code())


def stage(clips: list[CodedClip], seed: int = 1, rate: float = 4e-3) -> BaselineStage:
    torch.manual_seed(seed)
    schedule = BaselineSchedule(pairs=2, rate=rate)
    return BaselineStage(MaskedUNet(TINY), clips, schedule)


def inputs(batch: int = 2) -> tuple[torch.Tensor, ...]:
    torch.manual_seed(4)
    target, reference = torch.rand(2, batch, 3, SPEC.height, SPEC.width)
    return target, HOLE, reference, torch.rand(batch, 21, 80)


def test_it_draws_the_hole_and_leaves_the_rest() -> None:
    target, hole, reference, mel = inputs()
    made = MaskedUNet(TINY)(target, hole, reference, mel)
    assert made.shape == target.shape
    assert made.min() >= 0 and made.max() <= 1
    assert torch.equal(made[..., hole == 0], target[..., hole == 0])


def test_it_cannot_see_what_is_hidden() -> None:
    target, hole, reference, mel = inputs()
    network = MaskedUNet(TINY).eval()
    other = torch.where(hole > 0, torch.rand_like(target), target)
    assert torch.equal(
        network(target, hole, reference, mel), network(other, hole, reference, mel)
    )


@pytest.mark.parametrize("changed", ["reference", "mel"])
def test_both_reference_and_sound_reach_the_picture(changed: str) -> None:
    target, hole, reference, mel = inputs()
    network = MaskedUNet(TINY).eval()
    before = network(target, hole, reference, mel)
    if changed == "reference":
        reference = reference.flip(0)
    else:
        mel = mel.flip(0)
    assert not torch.allclose(before, network(target, hole, reference, mel))


def test_it_hears_a_fifth_of_a_second_around_each_frame() -> None:
    mel = np.repeat(np.arange(100, dtype=np.float32)[:, None], 80, 1)
    windows = mel_windows(mel, np.array([0.5, 0.0]), BaselineConfig())
    assert windows.shape == (2, 21, 80)
    assert windows[0, :, 0].tolist() == list(range(40, 61))
    # Before the sound begins its first frame is repeated.
    assert (windows[1, :11] == 0).all() and windows[1, -1, 0] == 10


def test_the_reference_is_another_moment_of_the_same_clip(
    clips: list[CodedClip],
) -> None:
    draw = HeardDraw(clips, SPEC, TINY)
    for seed in range(8):
        sample, mel = draw.heard(np.random.default_rng(seed))
        frame, clip, _ = sample.target[0, 0, 0].tolist()
        row, owner, _ = sample.references[0, 0, 0].tolist()
        assert owner == clip
        assert abs(row - frame) > APART_FRAMES
        assert mel.shape == (2, 21, 80)


def test_training_lowers_the_loss(clips: list[CodedClip]) -> None:
    small = stage(clips)
    losses = [small.step(0, 0.0)["l1"] for _ in range(12)]
    assert losses[-1] < 0.9 * losses[0]


def test_a_resumed_run_goes_on_as_if_never_stopped(
    clips: list[CodedClip], tmp_path: Path
) -> None:
    list(train(stage(clips), tmp_path / "straight.pt", steps=4))
    halved = stage(clips)
    for number in range(2):
        halved.step(number, number / 4)
    torch.save({"stage": halved.state(), "step": 2}, tmp_path / "broken.pt")
    list(train(stage(clips, seed=9), tmp_path / "broken.pt", steps=4))
    straight, broken = (
        torch.load(tmp_path / f"{name}.pt", weights_only=True)["stage"]["network"]
        for name in ("straight", "broken")
    )
    assert all(torch.allclose(straight[k], broken[k], atol=1e-6) for k in straight)


def test_the_stage_publishes_what_a_weight_folder_loads(
    folder: Path, tmp_path: Path
) -> None:
    code = WeightFolder(GENERAL).arrays("lip_code")
    publish(tmp_path / "weights", "lip_code", code)
    list(stages.train_baseline([folder], tmp_path, steps=1, seed=1))
    network = WeightFolder(tmp_path / "weights").baseline()
    assert network.config == BaselineConfig()
    assert not any(p.requires_grad for p in network.parameters())


def test_weights_of_another_baseline_are_refused(tmp_path: Path) -> None:
    publish(tmp_path, "baseline", MaskedUNet(TINY).state_dict(), BaselineConfig())
    with pytest.raises(WeightsError) as caught:
        WeightFolder(tmp_path).baseline()
    assert caught.value.code == "weights-shape"


def test_it_is_as_large_as_the_renderer_it_is_compared_with() -> None:
    folder = WeightFolder(GENERAL)
    ours, theirs = (
        sum(p.numel() for p in network.parameters())
        for network in (folder.renderer(), folder.baseline())
    )
    assert abs(theirs / ours - 1) < 0.1
