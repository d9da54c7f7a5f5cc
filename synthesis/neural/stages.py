"""The stages of `manage.py train`: each resumes, yields lines of progress, publishes.

RUN/checkpoints/*.pt   where an interrupted stage goes on
RUN/weights/           what an engine loads (weights.WeightFolder)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from synthesis.faces.align import CropSpec
from synthesis.neural.baseline import BaselineConfig, MaskedUNet
from synthesis.neural.baseline_training import BaselineSchedule, BaselineStage
from synthesis.neural.control import ControlConfig, SoundToLips
from synthesis.neural.control_training import (
    ControlSchedule,
    ControlStage,
    EncoderStage,
    WindowDraw,
)
from synthesis.neural.dataset import (
    CodedClip,
    lip_code_of,
    open_clips,
    read_spec,
    read_splits,
)
from synthesis.neural.evaluator import Evaluator, EvaluatorConfig
from synthesis.neural.evaluator_training import (
    EvaluatorSchedule,
    EvaluatorStage,
    open_heard,
    share_placed,
)
from synthesis.neural.lipcode import LipCode
from synthesis.neural.prepare import load_clip
from synthesis.neural.renderer import Renderer, RendererConfig
from synthesis.neural.renderer_training import RendererSchedule, RendererStage
from synthesis.neural.training import TrainingError, read_checkpoint, train
from synthesis.neural.weights import WeightFolder, publish

LARGE_PX_PER_EYES = 100.0
"""From here on the renderer's trunk works on an eighth of the crop."""


def renderer_config(spec: CropSpec) -> RendererConfig:
    """Return the network for a crop: one design, two sizes."""
    large = spec.px_per_eyes >= LARGE_PX_PER_EYES
    return RendererConfig(
        spec.width,
        spec.height,
        spec.px_per_eyes,
        step=2 if large else 1,
        channels=(72, 120, 176) if large else (80, 128, 192),
        detail=48 if large else 64,
    )


def training_facts(
    data: Sequence[Path],
    *,
    steps: int | None,
    seed: int | None,
    parts: Sequence[str] = ("train",),
) -> dict[str, object]:
    """Return what a model card says of a training.

    parts: of the splits, that were trained on. Of each prepared folder: how many pieces
    each part holds, the talkers held out, the hash of the splits.
    """
    folders = []
    for out in data:
        splits = read_splits(out)
        counts = {part: len(names) for part, names in splits.items()}
        sha256 = hashlib.sha256((out / "splits.json").read_bytes()).hexdigest()
        own = {"held_out": splits.get("held_out", []), "splits_sha256": sha256}
        folders.append({**counts, **own})
    trained_on = list(parts)
    return {"steps": steps, "seed": seed, "trained_on": trained_on, "data": folders}


def learn_code(data: Sequence[Path], run: Path) -> LipCode:
    """Return the run's lip code, learned from training clips if there is none yet."""
    weights = run / "weights"
    if (weights / "lip_code.safetensors").exists():
        return WeightFolder(weights).lip_code()
    if not any(_training(out) for out in data):
        raise _no_clips()
    clips = (load_clip(out, name) for out in data for name in _training(out))
    lip_code = lip_code_of(clips)
    arrays = {"axes": lip_code.axes, "spread": lip_code.spread}
    facts = training_facts(data, steps=None, seed=None)
    publish(weights, "lip_code", arrays, training=facts)
    return lip_code


def copy_code(start: Path, run: Path) -> None:
    """Let the run use the lip code of another's weights: codes stay comparable."""
    arrays = WeightFolder(start).arrays("lip_code")
    publish(run / "weights", "lip_code", arrays)


def train_audio(
    data: Sequence[Path], run: Path, *, steps: int, seed: int, device: str = "cpu"
) -> Iterator[str]:
    """Train the sync expert: the audio encoder contrastively with lips.

    On the expert's part of the clips only: the evaluator learns from the others.
    """
    torch.manual_seed(seed)
    clips = coded_clips(data, learn_code(data, run), parts=("expert",))
    talkers = _talkers(clips)
    schedule = ControlSchedule(seed=seed)
    networks = SoundToLips(ControlConfig(talkers=len(talkers) + 1))
    draw = WindowDraw(clips, talkers, schedule.window_s)
    stage = EncoderStage(networks, draw, schedule, device)
    yield from train(stage, run / "checkpoints/audio.pt", steps=steps)


def train_control(
    data: Sequence[Path],
    run: Path,
    *,
    steps: int,
    seed: int,
    on_expert: bool = False,
    device: str = "cpu",
) -> Iterator[str]:
    """Train the control network together with an audio encoder of its own.

    on_expert: go on from the sync expert's encoder instead. On GRID that is worse for
    talkers who were not trained on: after 950 steps s3's opening r .60 instead of .73
    (s1 alike), since the expert knows one man's voice best.
    """
    torch.manual_seed(seed)
    lip_code = learn_code(data, run)
    clips = coded_clips(data, lip_code)
    talkers = _talkers(clips)
    schedule = ControlSchedule(seed=seed)
    networks = SoundToLips(ControlConfig(talkers=len(talkers) + 1))
    if on_expert:
        _load_encoder(networks, run / "checkpoints/audio.pt")
    draw = WindowDraw(clips, talkers, schedule.window_s)
    stage = ControlStage(networks, draw, schedule, lip_code, device)
    yield from train(stage, run / "checkpoints/control.pt", steps=steps)
    average = stage.average
    publish(
        run / "weights",
        "control",
        average.state_dict(),
        average.config,
        training=training_facts(data, steps=steps, seed=seed),
        style_row=0,
    )


def train_renderer(
    data: Sequence[Path],
    run: Path,
    *,
    steps: int,
    seed: int,
    device: str = "cpu",
    start: Path | None = None,
) -> Iterator[str]:
    """Train the general renderer; the folders must share one crop size.

    start: a weight folder whose renderer and lip code to go on from.
    """
    torch.manual_seed(seed)
    renderer = Renderer(renderer_config(shared_spec(data)))
    if start is not None:
        copy_code(start, run)
        renderer.load_state_dict(WeightFolder(start).renderer().state_dict())
    lip_code = learn_code(data, run)
    stage = RendererStage(
        renderer,
        coded_clips(data, lip_code),
        lip_code.spread,
        RendererSchedule(seed=seed),
        device,
    )
    yield from train(stage, run / "checkpoints/renderer.pt", steps=steps)
    average = stage.average
    publish(
        run / "weights",
        "renderer",
        average.state_dict(),
        average.config,
        training=training_facts(data, steps=steps, seed=seed),
    )


def train_evaluator(
    data: Sequence[Path], run: Path, *, steps: int, seed: int, device: str = "cpu"
) -> Iterator[str]:
    """Train the evaluator on its own part of the clips; end with its share on val."""
    torch.manual_seed(seed)
    clips = [c for out in data for c in open_heard(out, read_splits(out)["judge"])]
    if not clips:
        raise _no_clips()
    evaluator = Evaluator(EvaluatorConfig())
    stage = EvaluatorStage(evaluator, clips, EvaluatorSchedule(seed=seed), device)
    yield from train(stage, run / "checkpoints/evaluator.pt", steps=steps)
    publish(
        run / "weights",
        "evaluator",
        evaluator.state_dict(),
        evaluator.config,
        training=training_facts(data, steps=steps, seed=seed, parts=("judge",)),
    )
    published = WeightFolder(run / "weights").evaluator()
    for out in data:
        names = read_splits(out)["val"]
        share = share_placed(published, out, names)
        yield f"{out.name}: offset within one frame in {share:.3f} of windows of val"


def train_baseline(
    data: Sequence[Path], run: Path, *, steps: int, seed: int, device: str = "cpu"
) -> Iterator[str]:
    """Train the end-to-end baseline on the renderer's clips."""
    torch.manual_seed(seed)
    spec = shared_spec(data)
    network = MaskedUNet(BaselineConfig(spec.width, spec.height, spec.px_per_eyes))
    clips = coded_clips(data, learn_code(data, run))
    stage = BaselineStage(network, clips, BaselineSchedule(seed=seed), device)
    yield from train(stage, run / "checkpoints/baseline.pt", steps=steps)
    publish(
        run / "weights",
        "baseline",
        network.state_dict(),
        network.config,
        training=training_facts(data, steps=steps, seed=seed),
    )


def coded_clips(
    data: Sequence[Path], lip_code: LipCode, parts: Sequence[str] = ("train",)
) -> list[CodedClip]:
    """Open the clips of these parts of the splits. Raises TrainingError where there is
    none."""
    clips: list[CodedClip] = []
    for out in data:
        splits = read_splits(out)
        names = [name for part in parts for name in splits[part]]
        clips += open_clips(out, names, lip_code)
    if not clips:
        raise _no_clips()
    return clips


def shared_spec(data: Sequence[Path]) -> CropSpec:
    """Return the one crop of all the folders. Raises TrainingError if they differ."""
    specs = {read_spec(out) for out in data}
    if len(specs) != 1:
        raise TrainingError(
            "crop-sizes", "The prepared folders have crops of different sizes."
        )
    return specs.pop()


def _training(out: Path) -> list[str]:
    return read_splits(out)["train"]


def _no_clips() -> TrainingError:
    return TrainingError(
        "no-clips", "There is no prepared clip to train on. See left_out.json."
    )


def _talkers(clips: Sequence[CodedClip]) -> list[str]:
    return sorted({c.clip.talker for c in clips})


def _load_encoder(networks: SoundToLips, checkpoint: Path) -> None:
    if not checkpoint.exists():
        raise TrainingError(
            "no-audio-encoder",
            "Train the sync expert first (train audio), or leave out --on-expert.",
        )
    kept = read_checkpoint(checkpoint)
    networks.encoder.load_state_dict(kept["stage"]["encoder"])
