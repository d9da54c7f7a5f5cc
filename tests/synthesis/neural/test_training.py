"""From a folder of clips to weights, small; and the loop's promises."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from synthesis.faces.align import CropSpec
from synthesis.neural import prepare as preparing
from synthesis.neural.dataset import open_clips, read_splits
from synthesis.neural.lipcode import LipCode, learn_lip_code, mouth_shapes, rest_shape
from synthesis.neural.prepare import load_clip, prepare, split
from synthesis.neural.renderer import Renderer, RendererConfig
from synthesis.neural.renderer_training import RendererSchedule, RendererStage
from synthesis.neural.training import TrainingError, train

DEMO = Path(__file__).parents[3] / "synthesis" / "demo"
SPEC = CropSpec(64, 64, 38.0)
TINY = RendererConfig(
    width=64, height=64, px_per_eyes=38.0, channels=(8, 8, 8), detail=8, condition=8
)


def excerpt(target: Path, seconds: float) -> None:
    """Write the first seconds of the demo scene, quarter size, with its sound."""
    with av.open(str(DEMO / "robin.mp4")) as source, av.open(str(target), "w") as out:
        video = out.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        audio = out.add_stream("aac", rate=48000, layout="mono")
        for frame in source.decode(video=0, audio=0):
            if float(frame.time or 0) >= seconds:
                continue
            if isinstance(frame, av.VideoFrame):
                small = frame.reformat(640, 360, "yuv420p")
                small.pts, small.time_base = frame.pts, frame.time_base
                out.mux(video.encode(small))
            else:
                out.mux(audio.encode(frame))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a prepared folder of one good clip and three that cannot be used."""
    folder = tmp_path_factory.mktemp("footage") / "robin"
    folder.mkdir()
    excerpt(folder / "good.mp4", 1.6)
    (folder / "text.mp4").write_text("not a film")
    shutil.copy(DEMO / "robin-es.wav", folder / "sound-only.mp4")
    whole = (folder / "good.mp4").read_bytes()
    (folder / "torn.mp4").write_bytes(whole[: len(whole) // 3])
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


def test_a_usable_clip_is_prepared_and_the_rest_left_out_with_reasons(
    prepared: Path,
) -> None:
    clip = load_clip(prepared, "robin-good")
    assert clip.crops.shape == (40, 64, 64, 3)
    assert clip.landmarks.shape == (40, 468, 3)
    assert clip.mel.shape[1] == 80
    assert read_splits(prepared)["train"] == ["robin-good"]
    refused = (prepared / "left_out.json").read_text()
    assert all(name in refused for name in ("text", "sound-only", "torn"))


def test_preparing_again_does_nothing_twice(prepared: Path) -> None:
    folder = prepared.parent / "footage0" / "robin"
    before = (prepared / "clips/robin-good.npz").stat().st_mtime_ns
    assert list(prepare([folder], prepared, SPEC)) == []
    assert (prepared / "clips/robin-good.npz").stat().st_mtime_ns == before


def test_splits_share_no_clip_and_hold_whole_talkers_out() -> None:
    talkers = {f"t{t}-{i}": f"t{t}" for t in range(5) for i in range(60)}
    talkers |= {f"rare-{i}": "rare" for i in range(3)}
    parts = split(talkers)
    held = set(parts.pop("held_out"))
    judge, expert = parts.pop("judge"), parts.pop("expert")
    assert sorted(judge + expert) == sorted(parts["train"])
    assert judge
    assert expert
    names = [name for part in parts.values() for name in part]
    assert sorted(names) == sorted(talkers)
    assert len(held) == 2
    assert {talkers[n] for n in parts["unseen"]} == held
    assert parts["val"] and parts["test"]
    assert split(talkers)["val"] == parts["val"]


def test_one_talker_alone_is_trained_on() -> None:
    parts = split({f"a-{i}": "a" for i in range(30)})
    assert parts["held_out"] == []
    assert len(parts["train"]) > 20


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


def test_a_face_too_small_is_left_out(prepared: Path) -> None:
    clip = load_clip(prepared, "robin-good")
    eyes = clip.landmarks[:, 33, :2] - clip.landmarks[:, 263, :2]
    assert np.linalg.norm(eyes, axis=1).min() > preparing.MIN_EYES_PX
