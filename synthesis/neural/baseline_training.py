"""Training the baseline: the renderer's clips and losses, sound instead of a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthesis.faces.align import CropSpec
from synthesis.neural import losses, masks
from synthesis.neural.baseline import BaselineConfig, MaskedUNet, mel_windows
from synthesis.neural.dataset import CodedClip, Sample, SampleDraw
from synthesis.neural.mel import normalised
from synthesis.neural.references import APART_FRAMES
from synthesis.neural.renderer_training import Batch, collate
from synthesis.neural.training import descend, set_rate
from synthesis.neural.weights import channels_last


@dataclass(frozen=True)
class BaselineSchedule:
    """The numbers of one training run."""

    pairs: int = 4
    """Pairs of neighbouring frames in a batch: 2 x pairs pictures."""
    rate: float = 8e-4
    detail: float = 0.5
    tint: float = 0.12
    """Random gain of each colour, the same for target and reference."""
    seed: int = 20261123


class HeardDraw(SampleDraw):
    """Draws a pair of frames, one random picture of the same clip, and the sound."""

    def __init__(
        self, clips: Sequence[CodedClip], spec: CropSpec, config: BaselineConfig
    ) -> None:
        super().__init__(clips, spec, np.ones(1, np.float32))
        self._config = config
        self._mel = [normalised(c.clip.mel) for c in clips]

    def heard(self, rng: np.random.Generator) -> tuple[Sample, NDArray[np.float32]]:
        """Draw one sample and its mel windows (2, T, 80)."""
        number, at = self.moment(rng)
        item = self._clips[number]
        far = np.flatnonzero(np.abs(np.arange(len(item.codes)) - at) > APART_FRAMES)
        row = int(rng.choice(far)) if len(far) else int(rng.integers(len(item.codes)))
        reference = np.asarray(item.clip.crops[row : row + 1], np.float32)
        times_s = item.clip.times_s[at : at + 2]
        return (
            self.sample(number, at, reference, item.codes[row : row + 1]),
            mel_windows(self._mel[number], times_s, self._config),
        )


class BaselineStage:
    """See training.Stage."""

    def __init__(
        self,
        network: MaskedUNet,
        clips: Sequence[CodedClip],
        schedule: BaselineSchedule,
        device: str = "cpu",
    ) -> None:
        config = network.config
        spec = CropSpec(config.width, config.height, config.px_per_eyes)
        self.device = torch.device(device)
        self.network = channels_last(network.to(self.device))
        self.schedule = schedule
        self.draw = HeardDraw(clips, spec, config)
        self.hole = torch.from_numpy(masks.hole(spec)).to(self.device)
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), schedule.rate, (0.9, 0.99), weight_decay=1e-3
        )

    def step(self, number: int, done: float) -> dict[str, float]:
        """Take one step."""
        set_rate(self.optimiser, self.schedule.rate, done)
        batch, mel = self._batch(number)
        made = self.network(batch.target, self.hole, batch.references[:, 0], mel)
        hole = self.hole.expand_as(batch.face)
        weight = hole * (0.25 + 0.75 * batch.face + 2.0 * batch.lips)
        parts = {
            "l1": losses.weighted_l1(made, batch.target, weight),
            "detail": self.schedule.detail
            * losses.laplacian_l1(made, batch.target, weight),
        }
        descend(self.optimiser, torch.stack(list(parts.values())).sum(), self.network)
        return {name: float(part.detach()) for name, part in parts.items()}

    def _batch(self, number: int) -> tuple[Batch, Tensor]:
        """Draw batch `number` and its mel (2 pairs, T, 80)."""
        rng = np.random.default_rng([self.schedule.seed, number])
        drawn = [self.draw.heard(rng) for _ in range(self.schedule.pairs)]
        tints = 1 + rng.uniform(-1, 1, (len(drawn), 3)) * self.schedule.tint
        mel = np.concatenate([windows for _, windows in drawn])
        batch = collate([sample for sample, _ in drawn], tints, self.device)
        return batch, torch.from_numpy(mel).to(self.device)

    def state(self) -> dict[str, Any]:
        """See training.Stage."""
        return {
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """See training.Stage."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
