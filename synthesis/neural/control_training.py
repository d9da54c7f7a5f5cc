"""Training the two networks between sound and lip code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from synthesis.neural.control import CONTROL_RATE_HZ, LipEncoder, SoundToLips
from synthesis.neural.dataset import CodedClip
from synthesis.neural.lipcode import LOWER_LIP, POINTS, UPPER_LIP, LipCode
from synthesis.neural.mel import MEL_BANDS, MEL_RATE_HZ, normalised, resampled
from synthesis.neural.training import descend, set_rate


@dataclass(frozen=True)
class ControlSchedule:
    """The numbers of one training run."""

    windows: int = 16
    window_s: float = 2.0
    rate: float = 1e-3
    temperature: float = 0.08
    moments: int = 24
    """Steps of each window that are compared in contrastive training."""
    velocity: float = 1.0
    closure: float = 0.33
    """A full weight closes the lips too often (false closures .17)."""
    spread: float = 0.15
    """Keeps the movement from shrinking to its mean."""
    unknown: float = 0.3
    """Share of windows whose talker is hidden: style row 0."""
    joint: bool = False
    """Train the encoder along with the control network instead of freezing it."""
    seed: int = 20261122


@dataclass(frozen=True)
class Window:
    """mel (T, 80) normalised, codes (T / 2, C) at 50 Hz, talker's style row."""

    mel: NDArray[np.float32]
    codes: NDArray[np.float32]
    talker: int


class WindowDraw:
    """Draws training windows, the sound altered in many ways."""

    def __init__(
        self, clips: Sequence[CodedClip], talkers: Sequence[str], window_s: float
    ) -> None:
        self._clips = clips
        self._rows = {name: row for row, name in enumerate(talkers, 1)}
        self._steps = round(window_s * CONTROL_RATE_HZ)
        counts = [sum(d.clip.talker == c.clip.talker for d in clips) for c in clips]
        length = np.array([len(c.codes) for c in clips], float)
        weight = length * np.array(counts, float) ** -0.5
        self._weight = weight / weight.sum()

    def __call__(self, rng: np.random.Generator) -> Window:
        """Draw one window."""
        item = self._clips[int(rng.choice(len(self._clips), p=self._weight))]
        clip = item.clip
        speed = rng.uniform(0.85, 1.18)
        seconds = self._steps / CONTROL_RATE_HZ * speed
        first, last = float(clip.times_s[0]), float(clip.times_s[-1])
        start = rng.uniform(first, max(first, last - seconds))
        mel = altered(clip.mel, rng)
        at = start + np.arange(2 * self._steps) / MEL_RATE_HZ * speed
        steps = start + np.arange(self._steps) / CONTROL_RATE_HZ * speed
        heard = resampled(mel, at * MEL_RATE_HZ)
        codes = np.stack([np.interp(steps, clip.times_s, c) for c in item.codes.T], 1)
        row = self._rows.get(clip.talker, 0)
        return Window(heard, codes.astype(np.float32), row)


def altered(mel: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return normalised log-mel of the same words by another voice in another room."""
    warp = rng.uniform(0.84, 1.2)
    bands = np.arange(MEL_BANDS) * warp
    mel = resampled(mel.T, bands).T
    curve = np.interp(
        np.arange(MEL_BANDS), np.linspace(0, MEL_BANDS, 6), rng.normal(0, 0.5, 6)
    )
    mel = mel + curve.astype(np.float32)
    if rng.random() < 0.6:
        top = np.percentile(mel.max(1), 95)
        depth = rng.uniform(3.0, 8.0)
        colour = np.linspace(rng.uniform(-1, 1), rng.uniform(-1, 1), MEL_BANDS)
        noise = top - depth + colour + rng.gumbel(0, 0.4, mel.shape)
        mel = np.logaddexp(mel, noise)
    return normalised(mel.astype(np.float32))


class EncoderStage:
    """Contrastive training: which sound goes with which mouth, at which moment?"""

    def __init__(
        self, networks: SoundToLips, draw: WindowDraw, schedule: ControlSchedule
    ) -> None:
        self.encoder = networks.encoder
        self.lips = LipEncoder(networks.config)
        self.draw = draw
        self.schedule = schedule
        parameters = [*self.encoder.parameters(), *self.lips.parameters()]
        self.optimiser = torch.optim.AdamW(parameters, schedule.rate, weight_decay=0.01)

    def step(self, number: int, done: float) -> dict[str, float]:
        """Take one step; "right" is how often the true pair wins."""
        set_rate(self.optimiser, self.schedule.rate, done)
        torch.manual_seed(self.schedule.seed + number)
        mel, codes, _ = batch(self.draw, self.schedule, number)
        heard, seen = self.encoder(mel), self.lips(codes)
        moments = torch.randperm(heard.shape[2])[: self.schedule.moments]
        heard = F.normalize(heard[:, :, moments].movedim(1, 2).flatten(0, 1), dim=1)
        seen = F.normalize(seen[:, :, moments].movedim(1, 2).flatten(0, 1), dim=1)
        score = heard @ seen.T / self.schedule.temperature
        # Neighbours within 40 ms look alike: neither right nor wrong.
        clip = torch.arange(len(mel)).repeat_interleave(len(moments))
        when = moments.repeat(len(mel))
        near = (clip[:, None] == clip) & ((when[:, None] - when).abs() <= 2)
        near.fill_diagonal_(False)
        score = score.masked_fill(near, -1e4)
        truth = torch.arange(len(score))
        loss = (F.cross_entropy(score, truth) + F.cross_entropy(score.T, truth)) / 2
        descend(self.optimiser, loss, self.encoder)
        right = (score.argmax(1) == truth).float().mean()
        return {"contrast": float(loss.detach()), "right": float(right)}

    def state(self) -> dict[str, Any]:
        """See training.Stage."""
        return {
            "encoder": self.encoder.state_dict(),
            "lips": self.lips.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """See training.Stage."""
        self.encoder.load_state_dict(state["encoder"])
        self.lips.load_state_dict(state["lips"])
        self.optimiser.load_state_dict(state["optimiser"])


class ControlStage:
    """From what the encoder hears to lip codes."""

    def __init__(
        self,
        networks: SoundToLips,
        draw: WindowDraw,
        schedule: ControlSchedule,
        lip_code: LipCode,
    ) -> None:
        self.networks = networks
        self.draw = draw
        self.schedule = schedule
        trained = networks if schedule.joint else networks.control
        self.optimiser = torch.optim.AdamW(
            trained.parameters(), schedule.rate, weight_decay=0.02
        )
        # Big axes count more, as they do in the picture; small ones still count.
        self.weight = torch.from_numpy((lip_code.spread / lip_code.spread[0]) ** 0.5)
        self.opening = torch.from_numpy(opening_of(lip_code))

    def step(self, number: int, done: float) -> dict[str, float]:
        """Take one step."""
        set_rate(self.optimiser, self.schedule.rate, done)
        torch.manual_seed(self.schedule.seed + number)
        mel, codes, rows = batch(self.draw, self.schedule, number)
        hidden = torch.rand(len(rows)) < self.schedule.unknown
        style = self.networks.control.styles(torch.where(hidden, 0, rows))
        if self.schedule.joint:
            heard = self.networks.encoder(mel)
        else:
            self.networks.encoder.eval()
            heard = self.networks.hear(mel)
        parts = self._losses(self.networks.control(heard, style), codes)
        total = torch.stack(list(parts.values())).sum()
        descend(self.optimiser, total, self.networks)
        return {name: float(part.detach()) for name, part in parts.items()}

    def _losses(self, made: Tensor, real: Tensor) -> dict[str, Tensor]:
        """Compare codes (B, C, T)."""
        weight = self.weight[:, None]
        velocity = made.diff(dim=2) - real.diff(dim=2)
        made_gap = torch.einsum("bct,c->bt", made, self.opening)
        real_gap = torch.einsum("bct,c->bt", real, self.opening)
        closed = (real_gap < CLOSED).float()
        too_open = F.relu(made_gap - real_gap.clamp_min(0) - 0.2 * CLOSED) * closed
        share = made.std(2) - real.std(2)
        return {
            "code": ((made - real).abs() * weight).mean(),
            "velocity": self.schedule.velocity * (velocity.abs() * weight).mean(),
            "closure": self.schedule.closure * 5 * too_open.mean(),
            "spread": self.schedule.spread * (share.abs() * self.weight).mean(),
        }

    def state(self) -> dict[str, Any]:
        """See training.Stage."""
        return {
            "networks": self.networks.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """See training.Stage."""
        self.networks.load_state_dict(state["networks"])
        self.optimiser.load_state_dict(state["optimiser"])


CLOSED = 0.02
"""Lip gap over the rest gap, in eye distances, below which a mouth is closed."""


def opening_of(lip_code: LipCode) -> NDArray[np.float32]:
    """Return (CODE_SIZE,): change of the lip gap per unit of code, eye distances."""
    axes = lip_code.axes.reshape(len(lip_code.axes), len(POINTS), 3)
    gap = axes[:, POINTS.index(LOWER_LIP), 1] - axes[:, POINTS.index(UPPER_LIP), 1]
    per_unit: NDArray[np.float32] = (gap * lip_code.spread).astype(np.float32)
    return per_unit


def batch(
    draw: WindowDraw, schedule: ControlSchedule, number: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw batch `number`: mel (B, T, 80), codes (B, C, T / 2), style rows (B,)."""
    rng = np.random.default_rng([schedule.seed, number])
    windows = [draw(rng) for _ in range(schedule.windows)]
    mel = torch.from_numpy(np.stack([w.mel for w in windows]))
    codes = torch.from_numpy(np.stack([w.codes for w in windows])).movedim(1, 2)
    return mel, codes, torch.tensor([w.talker for w in windows])
