"""One actor's own weights: networks fitted to their footage, pictures kept beside.

RUN/checkpoints/*.pt   where an interrupted run goes on
RUN/weights/           what an engine loads over the general weights
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch

from synthesis.faces.align import CropSpec
from synthesis.neural.control_training import ControlSchedule, ControlStage, WindowDraw
from synthesis.neural.dataset import CodedClip
from synthesis.neural.renderer import Renderer, RendererConfig
from synthesis.neural.renderer_training import RendererSchedule, RendererStage
from synthesis.neural.stages import (
    coded_clips,
    renderer_config,
    shared_spec,
    training_facts,
)
from synthesis.neural.training import Report, train
from synthesis.neural.weights import WeightFolder, publish

STORED_BYTES = 96_000_000
"""Of pictures of an actor kept beside adapted weights: 3,000 small or 430 large."""
EVERY_PART = ("train", "val", "test", "unseen")
StageReport = Callable[[str, int, int], None]
"""report(network, steps done, steps in all); raises to stop."""


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
    default every clip, since an actor's minutes are few. A network without steps is
    left to the general weights. report is called with "renderer" or "control" after
    every step. The control network keeps its encoder.
    """
    torch.manual_seed(seed)
    folder = WeightFolder(general)
    spec = shared_spec(data)
    clips = coded_clips(data, folder.lip_code(), parts)
    if renderer_steps:
        facts = training_facts(data, steps=renderer_steps, seed=seed, parts=parts)
        tell = partial(report, "renderer")
        yield from _adapt_renderer(
            clips, spec, folder, run, renderer_steps, seed, device, facts, tell
        )
    references, base = reference_pictures(clips, spec), folder.sha256("lip_code")
    publish(run / "weights", "references", references, lip_code_sha256=base)
    if control_steps:
        tell = partial(report, "control")
        yield from _adapt_control(clips, folder, run, control_steps, seed, device, tell)


def _adapt_renderer(
    clips: list[CodedClip],
    spec: CropSpec,
    folder: WeightFolder,
    run: Path,
    steps: int,
    seed: int,
    device: str,
    facts: dict[str, object],
    report: Report,
) -> Iterator[str]:
    """Fit the renderer, from the general one where the crop is as large."""
    renderer = Renderer(renderer_config(spec))
    if folder.config("renderer") == _plain(renderer.config):
        renderer.load_state_dict(folder.renderer().state_dict())
    schedule = RendererSchedule(seed=seed, tint=0.05)
    stage = RendererStage(renderer, clips, folder.lip_code().spread, schedule, device)
    yield from train(stage, run / "checkpoints/renderer.pt", steps=steps, report=report)
    state, config = stage.average.state_dict(), stage.average.config
    publish(run / "weights", "renderer", state, config, training=facts)


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


def _plain(config: RendererConfig) -> dict[str, object]:
    values = dataclasses.asdict(config)
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
