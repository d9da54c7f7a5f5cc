"""The loop every network is trained in: resumable, seeded, stopped by NaN."""

from __future__ import annotations

import logging
import math
import os
import pickle
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from synthesis.errors import SynthesisError

logger = logging.getLogger(__name__)

CHECKPOINT_EVERY_S = 120.0
REPORT_EVERY_STEPS = 50
UNREADABLE = (
    OSError, RuntimeError, KeyError, TypeError, ValueError, EOFError,
    pickle.UnpicklingError,
)  # fmt: skip
"""What torch.load raises for a file that is none of its own."""


class TrainingError(SynthesisError):
    """Training cannot go on; the last good checkpoint stays."""


class Stage(Protocol):
    """One network in training."""

    def step(self, number: int, done: float) -> dict[str, float]:
        """Take step `number`, at share `done` 0..1 of the whole; return losses.

        All chance must come from (seed, number), so that a resumed run is the same.
        """
        ...

    def state(self) -> dict[str, Any]:
        """Return tensors and numbers that bring the stage back."""
        ...

    def load(self, state: dict[str, Any]) -> None:
        """Come back from state."""
        ...


Report = Callable[[int, int], None]
"""report(steps done, steps in all): called after every step; raises to stop."""


def train(
    stage: Stage,
    checkpoint: Path,
    *,
    steps: int,
    report: Report = lambda done, steps: None,
) -> Iterator[str]:
    """Train to `steps`, from checkpoint if it exists; yield lines of progress.

    Raises TrainingError ("nan-loss", "nan-weights") and keeps the last good
    checkpoint; ("bad-checkpoint") where there is one that cannot be read.
    """
    first = 0
    if checkpoint.exists():
        kept = read_checkpoint(checkpoint)
        stage.load(kept["stage"])
        first = int(kept["step"])
        yield f"resumed at step {first}"
    began = saved = time.monotonic()
    sums: dict[str, float] = {}
    for number in range(first, steps):
        losses = stage.step(number, number / steps)
        for name, value in losses.items():
            if not math.isfinite(value):
                raise TrainingError(
                    "nan-loss",
                    f"The {name} loss is not a number at step {number}. The last good "
                    f"checkpoint is kept; resume with another seed or a lower rate.",
                )
            sums[name] = sums.get(name, 0.0) + value / REPORT_EVERY_STEPS
        if (number + 1) % REPORT_EVERY_STEPS == 0:
            yield _progress(number + 1, first, steps, began, sums)
            sums = {}
        if time.monotonic() - saved > CHECKPOINT_EVERY_S:
            save_checkpoint(stage, checkpoint, number + 1)
            saved = time.monotonic()
        report(number + 1, steps)
    save_checkpoint(stage, checkpoint, max(first, steps))


def set_rate(optimiser: torch.optim.Optimizer, rate: float, done: float) -> None:
    """Set the rate at share `done` of a run: a cosine from rate to rate / 50."""
    for group in optimiser.param_groups:
        group["lr"] = rate * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))


def descend(optimiser: torch.optim.Optimizer, loss: Tensor, network: nn.Module) -> None:
    """Take one clipped step down, unless the loss is no number."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    if torch.isfinite(loss):
        optimiser.step()


def save_checkpoint(stage: Stage, path: Path, step: int) -> None:
    """Write aside, then rename: a kill never leaves half a checkpoint.

    Raises TrainingError ("nan-weights") and leaves the file as it is where a tensor
    holds something that is no number: a loss shows that one step later than weights.
    """
    state = stage.state()
    if not _finite(state):
        raise TrainingError(
            "nan-weights",
            f"The weights are no numbers any more before step {step}. The last good "
            "checkpoint is kept; resume with another seed or a lower rate.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    torch.save({"stage": state, "step": step}, partial)
    os.replace(partial, path)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return {"stage", "step"} of a checkpoint, on the CPU; never runs code in it.

    Raises TrainingError ("bad-checkpoint").
    """
    try:
        kept: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return {"stage": kept["stage"], "step": int(kept["step"])}
    except UNREADABLE as error:
        raise TrainingError(
            "bad-checkpoint",
            f"{path.name} is no checkpoint, or a damaged one. Remove it to begin anew.",
        ) from error


def _finite(state: object) -> bool:
    """Whether every float in nested dicts and lists of tensors is a number."""
    if isinstance(state, torch.Tensor):
        return not state.is_floating_point() or bool(torch.isfinite(state).all())
    if isinstance(state, dict):
        return all(_finite(value) for value in state.values())
    if isinstance(state, list | tuple):
        return all(_finite(value) for value in state)
    return not isinstance(state, float) or math.isfinite(state)


def _progress(
    number: int, first: int, steps: int, began: float, sums: dict[str, float]
) -> str:
    pace_s = (time.monotonic() - began) / (number - first)
    losses = " ".join(f"{name} {value:.4f}" for name, value in sums.items())
    left_s = pace_s * (steps - number)
    return f"{number}/{steps} {losses} {pace_s:.2f} s/step ETA {left_s / 60:.1f} min"
