"""From a folder of clips to weights, small; and the loop's promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from synthesis.faces.align import CropSpec
from synthesis.neural.dataset import open_clips
from synthesis.neural.lipcode import LipCode, learn_lip_code, mouth_shapes, rest_shape
from synthesis.neural.prepare import load_clip, prepare
from synthesis.neural.renderer import Renderer, RendererConfig
from synthesis.neural.renderer_training import RendererSchedule, RendererStage
from synthesis.neural.training import TrainingError, train
from tests.footage import make_film
from tests.synthesis.neural.talking import robin

SPEC = CropSpec(64, 64, 38.0)
TINY = RendererConfig(
    width=64, height=64, px_per_eyes=38.0, channels=(8, 8, 8), detail=8, condition=8
)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a prepared folder of one good clip."""
    folder = tmp_path_factory.mktemp("footage") / "robin"
    folder.mkdir()
    make_film(folder / "good.mkv", *robin(0, 40))
    out = tmp_path_factory.mktemp("prepared")
    list(prepare([folder], out, SPEC))
    return out


def lip_code(prepared: Path) -> LipCode:
    shapes = mouth_shapes(load_clip(prepared, "robin-good").landmarks)
    return learn_lip_code([shapes - rest_shape(shapes)])


def stage(prepared: Path, seed: int = 1, **settings: Any) -> RendererStage:
    torch.manual_seed(seed)
    code = lip_code(prepared)
    clips = open_clips(prepared, ["robin-good"], code)
    schedule = RendererSchedule(pairs=1, **settings)
    return RendererStage(Renderer(TINY), clips, code.spread, schedule)


def test_training_lowers_the_loss(prepared: Path) -> None:
    small = stage(prepared, rate=2e-3, critic_from=2.0, warmup_steps=1)
    losses = [small.step(0, 0.0)["l1"] for _ in range(12)]
    assert losses[-1] < losses[0]


def test_the_critic_joins_late(prepared: Path) -> None:
    small = stage(prepared)
    assert "critic" not in small.step(0, 0.1)
    assert "critic" in small.step(1, 0.9)


def test_a_resumed_run_goes_on_as_if_never_stopped(
    prepared: Path, tmp_path: Path
) -> None:
    list(train(stage(prepared), tmp_path / "straight.pt", steps=4))

    # The rate depends on the length of the run: take the first half of the longer one.
    halved = stage(prepared)
    for number in range(2):
        halved.step(number, number / 4)
    torch.save({"stage": halved.state(), "step": 2}, tmp_path / "broken.pt")
    list(train(stage(prepared, seed=9), tmp_path / "broken.pt", steps=4))
    runs = [
        torch.load(tmp_path / f"{name}.pt", weights_only=True)["stage"]["renderer"]
        for name in ("straight", "broken")
    ]
    assert all(torch.allclose(runs[0][k], runs[1][k], atol=1e-6) for k in runs[0])


class Failing:
    """A stage whose loss stops being a number at step 3."""

    def step(self, number: int, done: float) -> dict[str, float]:
        return {"loss": float("nan") if number == 3 else 1.0}

    def state(self) -> dict[str, Any]:
        return {"kept": torch.ones(1)}

    def load(self, state: dict[str, Any]) -> None:
        assert state["kept"] == 1


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint(
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.pt"
    list(train(Failing(), path, steps=2))
    with pytest.raises(TrainingError, match="step 3") as caught:
        list(train(Failing(), path, steps=9))
    assert caught.value.code == "nan-loss"
    assert torch.load(path, weights_only=True)["step"] == 2


class Poisoned(Failing):
    """A stage whose weights stop being numbers before its loss does."""

    def step(self, number: int, done: float) -> dict[str, float]:
        return {"loss": 1.0}

    def state(self) -> dict[str, Any]:
        return {"kept": [{"deep": torch.tensor([1.0, float("nan")])}]}


def test_weights_that_are_no_numbers_never_replace_a_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthesis.neural.training.CHECKPOINT_EVERY_S", -1.0)
    path = tmp_path / "c.pt"
    list(train(Failing(), path, steps=2))
    with pytest.raises(TrainingError, match="step 3") as caught:
        list(train(Poisoned(), path, steps=9))
    assert caught.value.code == "nan-weights"
    assert torch.load(path, weights_only=True)["step"] == 2
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"no checkpoint", b"PK\x03\x04 torn"])
def test_a_damaged_checkpoint_is_named_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "c.pt"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"c\.pt") as caught:
        list(train(Failing(), path, steps=2))
    assert caught.value.code == "bad-checkpoint"
    assert path.read_bytes() == content
