"""The stages of `manage.py train`: each resumes, yields lines of progress, publishes.

RUN/checkpoints/*.pt   where an interrupted stage goes on
RUN/weights/           what an engine loads (weights.WeightFolder)
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
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
from synthesis.neural.training import Report, TrainingError, read_checkpoint, train
from synthesis.neural.weights import WeightFolder, publish

LARGE_PX_PER_EYES = 100.0
"""From here on the renderer's trunk works on an eighth of the crop."""
STORED_BYTES = 96_000_000
"""Of pictures of an actor kept beside adapted weights: 3,000 small or 430 large."""
EVERY_PART = ("train", "val", "test", "unseen")
StageReport = Callable[[str, int, int], None]
"""report(network, steps done, steps in all); raises to stop."""


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
    clips = _clips(data, learn_code(data, run), parts=("expert",))
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
    clips = _clips(data, lip_code)
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
    renderer = Renderer(renderer_config(_shared_spec(data)))
    if start is not None:
        copy_code(start, run)
        renderer.load_state_dict(WeightFolder(start).renderer().state_dict())
    lip_code = learn_code(data, run)
    stage = RendererStage(
        renderer,
        _clips(data, lip_code),
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
    spec = _shared_spec(data)
    network = MaskedUNet(BaselineConfig(spec.width, spec.height, spec.px_per_eyes))
    clips = _clips(data, learn_code(data, run))
    stage = BaselineStage(network, clips, BaselineSchedule(seed=seed), device)
    yield from train(stage, run / "checkpoints/baseline.pt", steps=steps)
    publish(
        run / "weights",
        "baseline",
        network.state_dict(),
        network.config,
        training=training_facts(data, steps=steps, seed=seed),
    )


def adapt(
    data: Sequence[Path],
    general: Path,
    run: Path,
    *,
    renderer_steps: int,
    control_steps: int,
    seed: int,
    device: str = "cpu",
    parts: Sequence[str] = EVERY_PART,
    report: StageReport = lambda stage, done, steps: None,
) -> Iterator[str]:
    """Fit renderer and style to one actor's own prepared footage.

    general: the weight folder to start from. parts: of splits.json, to train on; by
    default every clip, since an actor's minutes are few. report is called with
    "renderer" or "control" after every step. The control network keeps its encoder.
    """
    torch.manual_seed(seed)
    folder = WeightFolder(general)
    lip_code = folder.lip_code()
    spec = _shared_spec(data)
    clips = _clips(data, lip_code, parts)
    renderer = Renderer(renderer_config(spec))
    if folder.config("renderer") == _plain(renderer.config):
        renderer.load_state_dict(folder.renderer().state_dict())
    stage = RendererStage(
        renderer, clips, lip_code.spread, RendererSchedule(seed=seed, tint=0.05), device
    )
    yield from train(
        stage,
        run / "checkpoints/renderer.pt",
        steps=renderer_steps,
        report=partial(report, "renderer"),
    )
    weights, base = run / "weights", folder.sha256("lip_code")
    average = stage.average
    publish(
        weights,
        "renderer",
        average.state_dict(),
        average.config,
        training=training_facts(data, steps=renderer_steps, seed=seed, parts=parts),
        lip_code_sha256=base,
    )
    publish(weights, "references", reference_pictures(clips, spec))
    if control_steps:
        tell = partial(report, "control")
        yield from _adapt_control(clips, folder, run, control_steps, seed, device, tell)


def _adapt_control(
    clips: list[CodedClip],
    folder: WeightFolder,
    run: Path,
    steps: int,
    seed: int,
    device: str,
    report: Report,
) -> Iterator[str]:
    """Fit control network and style row 0 to the actor; the encoder stays frozen."""
    networks = folder.control().requires_grad_(True)
    schedule = ControlSchedule(
        seed=seed, rate=2e-4, windows=8, unknown=1.0, encoder_rate=0.0
    )
    draw = WindowDraw(clips, [], schedule.window_s)
    stage = ControlStage(networks, draw, schedule, folder.lip_code(), device)
    yield from train(stage, run / "checkpoints/control.pt", steps=steps, report=report)
    state = stage.average.state_dict()
    publish(run / "weights", "control", state, networks.config, style_row=0)


def reference_pictures(
    clips: Sequence[CodedClip], spec: CropSpec, most: int | None = None
) -> dict[str, np.ndarray]:
    """Return the actor's most different mouths: crops uint8 (m, H, W, 3) and, as in a
    Bank, codes, turns, light, places; px_per_eyes (1,) of the crops.

    Farthest-point choice over code, turn of the head and light; at most `most`, and no
    more than fit STORED_BYTES.
    """
    bank = clips[0].bank.joined(*(clip.bank for clip in clips[1:]))
    frames = [(clip, row) for clip in clips for row in range(len(clip.codes))]
    room = STORED_BYTES // (3 * spec.width * spec.height)
    features = np.concatenate(
        [bank.codes[:, :6], bank.turns / 8.0, bank.light / 25.0], axis=1
    )
    kept = [int(bank.codes[:, 0].argmin())]
    distance = np.full(len(features), np.inf)
    while len(kept) < min(most or room, room, len(features)):
        step = np.linalg.norm(features - features[kept[-1]], axis=1)
        distance = np.minimum(distance, step)
        kept.append(int(distance.argmax()))
    crops = [
        np.asarray(clip.clip.crops[row]) for clip, row in (frames[i] for i in kept)
    ]
    chosen = bank[np.array(kept)]
    return {
        "crops": np.stack(crops),
        "codes": chosen.codes,
        "turns": chosen.turns.astype(np.float32),
        "light": chosen.light,
        "places": chosen.places.astype(np.float32),
        "px_per_eyes": np.array([spec.px_per_eyes], np.float32),
    }


def _training(out: Path) -> list[str]:
    return read_splits(out)["train"]


def _clips(
    data: Sequence[Path], lip_code: LipCode, parts: Sequence[str] = ("train",)
) -> list[CodedClip]:
    clips: list[CodedClip] = []
    for out in data:
        splits = read_splits(out)
        names = [name for part in parts for name in splits[part]]
        clips += open_clips(out, names, lip_code)
    if not clips:
        raise _no_clips()
    return clips


def _no_clips() -> TrainingError:
    return TrainingError(
        "no-clips", "There is no prepared clip to train on. See left_out.json."
    )


def _talkers(clips: Sequence[CodedClip]) -> list[str]:
    return sorted({c.clip.talker for c in clips})


def _shared_spec(data: Sequence[Path]) -> CropSpec:
    specs = {read_spec(out) for out in data}
    if len(specs) != 1:
        raise TrainingError(
            "crop-sizes", "The prepared folders have crops of different sizes."
        )
    return specs.pop()


def _load_encoder(networks: SoundToLips, checkpoint: Path) -> None:
    if not checkpoint.exists():
        raise TrainingError(
            "no-audio-encoder",
            "Train the sync expert first (train audio), or leave out --on-expert.",
        )
    kept = read_checkpoint(checkpoint)
    networks.encoder.load_state_dict(kept["stage"]["encoder"])


def _plain(config: RendererConfig) -> dict[str, object]:
    values = dataclasses.asdict(config)
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
