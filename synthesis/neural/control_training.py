"""Training the two networks between sound and lip code.

Tried on GRID, short, and left out: codes scaled to each talker's own spread, other
lengths of throat averaged when rendering, contrastive loss kept up in control training
(nothing gained on talkers held out); a frozen encoder (400 steps: s1 and unseen talkers
alike, Robin .73 instead of .84).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from synthesis.neural.articulation import (
    CLEARLY_OPEN,
    CLOSED,
    PHONES,
    UNTOLD,
    phone_rows,
)
from synthesis.neural.control import CONTROL_RATE_HZ, LipEncoder, SoundToLips
from synthesis.neural.dataset import CodedClip
from synthesis.neural.lipcode import LOWER_LIP, POINTS, UPPER_LIP, LipCode
from synthesis.neural.mel import MEL_RATE_HZ, resampled
from synthesis.neural.speech import speech_gate
from synthesis.neural.training import descend, set_rate
from synthesis.neural.voices import altered


@dataclass(frozen=True)
class ControlSchedule:
    """The numbers of one training run."""

    windows: int = 16
    window_s: float = 1.8
    rate: float = 1e-3
    temperature: float = 0.08
    moments: int = 24
    """Steps of each window that are compared in contrastive training."""
    velocity: float = 1.0
    closure: float = 2.5
    """Of closing where the real mouth closes and of opening where it opens, alike:
    alone, either is bought with the other's failures."""
    spread: float = 0.15
    """Keeps the movement from shrinking to its mean."""
    phones: float = 0.3
    """Of naming what is said, where an alignment tells it: words are the same in every
    mouth, so this is what carries over to talkers who were not trained on."""
    unknown: float = 0.4
    """Share of windows whose talker is hidden: style row 0."""
    encoder_rate: float = 1.0
    """Of the encoder in control training, as a share of `rate`; 0 freezes it."""
    average: float = 0.995
    """Memory of the running mean of the weights, which is what is published."""
    seed: int = 20261122


@dataclass(frozen=True)
class Batch:
    """B windows of T steps at 50 Hz.

    mel (B, 2 T, 80) normalised. codes (B, C, T). talkers (B,) style rows. speech
    (B, T): the speech gate, 0..1. phones (B, T): articulation.phone_rows.
    """

    mel: Tensor
    codes: Tensor
    talkers: Tensor
    speech: Tensor
    phones: Tensor


class Window(NamedTuple):
    """One row of a Batch: mel (2 T, 80), codes (T, C), speech and phones (T,)."""

    mel: NDArray[np.float32]
    codes: NDArray[np.float32]
    talker: int
    speech: NDArray[np.float32]
    phones: NDArray[np.int64]


class WindowDraw:
    """Draws training windows where somebody speaks, the sound altered in many ways."""

    def __init__(
        self, clips: Sequence[CodedClip], talkers: Sequence[str], window_s: float
    ) -> None:
        self._clips = clips
        self._rows = {name: row for row, name in enumerate(talkers, 1)}
        self._steps = round(window_s * CONTROL_RATE_HZ)
        self._gates = [speech_gate(c.clip.mel).astype(np.float32) for c in clips]
        counts = [sum(d.clip.talker == c.clip.talker for d in clips) for c in clips]
        length = np.array([len(c.codes) for c in clips], float)
        weight = length * np.array(counts, float) ** -0.5
        self._weight = weight / weight.sum()

    def __call__(self, rng: np.random.Generator) -> Window:
        """Draw one window."""
        number = int(rng.choice(len(self._clips), p=self._weight))
        item, gate = self._clips[number], self._gates[number]
        clip = item.clip
        speed = rng.uniform(0.82, 1.22)
        seconds = self._steps / CONTROL_RATE_HZ * speed
        start = rng.uniform(*self._starts(clip.times_s, gate, seconds))
        at = start + np.arange(2 * self._steps) / MEL_RATE_HZ * speed
        steps = at[::2]
        codes = np.stack([np.interp(steps, clip.times_s, c) for c in item.codes.T], 1)
        speech = np.interp(steps, np.arange(len(gate)) / MEL_RATE_HZ, gate)
        return Window(
            resampled(altered(clip.mel, rng), at * MEL_RATE_HZ),
            codes.astype(np.float32),
            self._rows.get(clip.talker, 0),
            speech.astype(np.float32),
            phone_rows(item.words, steps),
        )

    def _starts(
        self, times_s: NDArray[np.float64], gate: NDArray[np.float32], seconds: float
    ) -> tuple[float, float]:
        """Return the first and last start of a window of speech within the clip."""
        first, last = float(times_s[0]), float(times_s[-1])
        open_s = np.flatnonzero(gate > 0.5) / MEL_RATE_HZ
        if len(open_s):
            first = max(first, float(open_s[0]) - MARGIN_S)
            last = min(last, float(open_s[-1]) + MARGIN_S)
        return first, max(first, last - seconds)


MARGIN_S = 0.3
"""Of silence around speech in a window: the mouth has to come to rest too."""


class EncoderStage:
    """Contrastive training: which sound goes with which mouth, at which moment?"""

    def __init__(
        self,
        networks: SoundToLips,
        draw: WindowDraw,
        schedule: ControlSchedule,
        device: str = "cpu",
    ) -> None:
        self.encoder = networks.encoder.to(device)
        self.lips = LipEncoder(networks.config).to(device)
        self.draw = draw
        self.schedule = schedule
        self.device = device
        parameters = [*self.encoder.parameters(), *self.lips.parameters()]
        self.optimiser = torch.optim.AdamW(parameters, schedule.rate, weight_decay=0.01)

    def step(self, number: int, done: float) -> dict[str, float]:
        """Take one step; "right" is how often the true pair wins."""
        set_rate(self.optimiser, self.schedule.rate, done)
        torch.manual_seed(self.schedule.seed + number)
        drawn = batch(self.draw, self.schedule, number, self.device)
        # Silent mouths are all alike: to tell them apart is nothing to learn.
        odds = (drawn.speech > 0.5).float() + 1e-4
        moments = torch.multinomial(odds.cpu(), self.schedule.moments).to(self.device)
        heard = _at(self.encoder(drawn.mel), moments)
        seen = _at(self.lips(drawn.codes), moments)
        score = heard @ seen.T / self.schedule.temperature
        # Neighbours within 40 ms look alike: neither right nor wrong.
        clip = torch.arange(len(moments), device=self.device)
        clip, when = clip.repeat_interleave(moments.shape[1]), moments.flatten()
        near = (clip[:, None] == clip) & ((when[:, None] - when).abs() <= 2)
        near.fill_diagonal_(False)
        score = score.masked_fill(near, -1e4)
        truth = torch.arange(len(score), device=self.device)
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


def _at(rows: Tensor, moments: Tensor) -> Tensor:
    """Pick moments (B, M) from rows (B, H, T): unit vectors (B M, H)."""
    index = moments[:, None].expand(-1, rows.shape[1], -1)
    return F.normalize(rows.gather(2, index).movedim(1, 2).flatten(0, 1), dim=1)


class ControlStage:
    """From what is heard to lip codes; the encoder follows slowly."""

    def __init__(
        self,
        networks: SoundToLips,
        draw: WindowDraw,
        schedule: ControlSchedule,
        lip_code: LipCode,
        device: str = "cpu",
    ) -> None:
        self.networks = networks.to(device)
        self.average = copy.deepcopy(self.networks).requires_grad_(False)
        self.draw = draw
        self.schedule = schedule
        self.device = device
        groups = [{"params": list(networks.control.parameters()), "share": 1.0}]
        self.phones = nn.Conv1d(networks.config.heard, 1 + len(PHONES), 1).to(device)
        if schedule.encoder_rate:
            encoder = list(networks.encoder.parameters())
            groups.append({"params": encoder, "share": schedule.encoder_rate})
            groups.append({"params": list(self.phones.parameters()), "share": 1.0})
        self.optimiser = torch.optim.AdamW(groups, schedule.rate, weight_decay=0.02)
        # Big axes count more, as they do in the picture; small ones still count.
        share = (lip_code.spread / lip_code.spread[0]) ** 0.5
        self.weight = torch.from_numpy(share)[:, None].to(device)
        self.opening = torch.from_numpy(opening_of(lip_code)).to(device)

    def step(self, number: int, done: float) -> dict[str, float]:
        """Take one step."""
        set_rate(self.optimiser, self.schedule.rate, done)
        for group in self.optimiser.param_groups:
            group["lr"] *= group["share"]
        torch.manual_seed(self.schedule.seed + number)
        drawn = batch(self.draw, self.schedule, number, self.device)
        hidden = torch.rand(len(drawn.talkers)) < self.schedule.unknown
        rows = torch.where(hidden.to(self.device), 0, drawn.talkers)
        style = self.networks.control.styles(rows)
        if self.schedule.encoder_rate:
            heard = self.networks.encoder(drawn.mel)
        else:
            self.networks.encoder.eval()
            heard = self.networks.hear(drawn.mel)
        parts = self._losses(self.networks.control(heard, style), drawn)
        if self.schedule.encoder_rate and (drawn.phones != UNTOLD).any():
            named = F.cross_entropy(
                self.phones(heard), drawn.phones, ignore_index=UNTOLD
            )
            parts["phones"] = self.schedule.phones * named
        total = torch.stack(list(parts.values())).sum()
        descend(self.optimiser, total, self.networks)
        self._remember(number)
        return {name: float(part.detach()) for name, part in parts.items()}

    def _losses(self, made: Tensor, drawn: Batch) -> dict[str, Tensor]:
        """Compare codes (B, C, T) where there is speech: the gate rests the others.

        Some talkers open their mouths to breathe before they speak. Nobody hears it
        coming, and a render must not do it.
        """
        schedule, real = self.schedule, drawn.codes
        speech = (drawn.speech + 0.05)[:, None]
        speech = speech / speech.mean()
        velocity = made.diff(dim=2) - real.diff(dim=2)
        apart = F.smooth_l1_loss(made, real, reduction="none", beta=0.5)
        share = _spread(made, speech) - _spread(real, speech)
        closure = (self._lips_apart(made, real) * speech[:, 0]).mean()
        moving = velocity.abs() * self.weight * speech[:, :, 1:]
        return {
            "code": 1.3 * (apart * self.weight * speech).mean(),
            "velocity": schedule.velocity * moving.mean(),
            "closure": schedule.closure * closure,
            "spread": schedule.spread * (share.abs() * self.weight[:, 0]).mean(),
        }

    def _lips_apart(self, made: Tensor, real: Tensor) -> Tensor:
        """Return (B, T): how far lips are open that should close, and the reverse.

        Closing counts where the real mouth opens within 120 ms: that is a consonant,
        not a mouth that hardly moves.
        """
        made_gap = torch.einsum("bct,c->bt", made, self.opening)
        real_gap = torch.einsum("bct,c->bt", real, self.opening)
        opened = (real_gap > CLEARLY_OPEN).float()
        around = F.max_pool1d(opened[:, None], 13, 1, 6)[:, 0]
        closed = (real_gap < CLOSED).float() * around
        too_open = F.relu(made_gap - real_gap.clamp(0.0, 0.7 * CLOSED)) * closed
        too_shut = F.relu(CLEARLY_OPEN - made_gap) * opened
        return too_open + too_shut

    @torch.no_grad()
    def _remember(self, number: int) -> None:
        """Move the averaged weights on; young averages forget fast."""
        keep = min(self.schedule.average, (number + 1) / (number + 10))
        pairs = zip(self.average.parameters(), self.networks.parameters(), strict=True)
        for mean, new in pairs:
            mean.lerp_(new, 1 - keep)

    def state(self) -> dict[str, Any]:
        """See training.Stage."""
        return {
            "networks": self.networks.state_dict(),
            "average": self.average.state_dict(),
            "phones": self.phones.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """See training.Stage."""
        self.phones.load_state_dict(state["phones"])
        self.networks.load_state_dict(state["networks"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])


def _spread(codes: Tensor, weight: Tensor) -> Tensor:
    """Return (B, C): the weighted standard deviation of (B, C, T) in time."""
    total = weight.mean(2)
    mean = (codes * weight).mean(2) / total
    square = ((codes - mean[:, :, None]) ** 2 * weight).mean(2) / total
    return (square + 1e-6).sqrt()


def opening_of(lip_code: LipCode) -> NDArray[np.float32]:
    """Return (CODE_SIZE,): change of the lip gap per unit of code, eye distances."""
    axes = lip_code.axes.reshape(len(lip_code.axes), len(POINTS), 3)
    gap = axes[:, POINTS.index(LOWER_LIP), 1] - axes[:, POINTS.index(UPPER_LIP), 1]
    per_unit: NDArray[np.float32] = (gap * lip_code.spread).astype(np.float32)
    return per_unit


def batch(
    draw: WindowDraw, schedule: ControlSchedule, number: int, device: str = "cpu"
) -> Batch:
    """Draw batch `number`, always the same one."""
    rng = np.random.default_rng([schedule.seed, number])
    drawn = [draw(rng) for _ in range(schedule.windows)]
    mel, codes, talkers, speech, phones = zip(*drawn, strict=True)
    return Batch(
        torch.from_numpy(np.stack(mel)).to(device),
        torch.from_numpy(np.stack(codes)).movedim(1, 2).to(device),
        torch.tensor(talkers, device=device),
        torch.from_numpy(np.stack(speech)).to(device),
        torch.from_numpy(np.stack(phones)).to(device),
    )
