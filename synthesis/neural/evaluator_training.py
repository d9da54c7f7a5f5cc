"""Training the evaluator: which moment of which sound belongs to this mouth?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from synthesis.neural.evaluator import (
    BANDS,
    DEPTH_DB,
    VIEW,
    Evaluator,
    EvaluatorConfig,
    JudgeError,
    cepstra,
    mel_db,
    mouth_pictures,
    placements,
    straight,
    views,
    voice_windows,
    within,
)
from synthesis.neural.mel import RATE_HZ, resampled
from synthesis.neural.prepare import load_clip, load_sound
from synthesis.neural.training import descend, set_rate


@dataclass(frozen=True)
class EvaluatorSchedule:
    """The numbers of one training run."""

    clips: int = 16
    moments: int = 40
    """Neighbouring frames taken of each clip: clips x moments pairs in a batch."""
    rate: float = 1.5e-3
    temperature: float = 0.07
    near_frames: int = 1
    """So near a moment is neither right nor wrong."""
    seed: int = 31415


@dataclass(frozen=True)
class HeardClip:
    """pictures: uint8 (n, h, w) of mouth_pictures. level: of mel_db. times_s: (n,)."""

    pictures: NDArray[np.uint8]
    level: NDArray[np.float32]
    times_s: NDArray[np.float64]
    length_s: float
    talker: str


def open_heard(out: Path, names: Sequence[str]) -> list[HeardClip]:
    """Load the named clips of a prepared folder with their sound."""
    clips = []
    for name in names:
        clip, sound = load_clip(out, name), load_sound(out, name)
        pictures = mouth_pictures(np.asarray(clip.crops))
        length_s = len(sound) / RATE_HZ
        heard = HeardClip(pictures, mel_db(sound), clip.times_s, length_s, clip.talker)
        clips.append(heard)
    return clips


class EvaluatorStage:
    """See training.Stage."""

    def __init__(
        self,
        evaluator: Evaluator,
        clips: Sequence[HeardClip],
        schedule: EvaluatorSchedule,
        device: str = "cpu",
    ) -> None:
        self.device = torch.device(device)
        self.evaluator = evaluator.to(self.device)
        self.schedule = schedule
        self.spans = [_span(clip, evaluator.config) for clip in clips]
        usable = [i for i, (low, high) in enumerate(self.spans) if high > low]
        self.clips = [clips[i] for i in usable]
        self.spans = [self.spans[i] for i in usable]
        talkers = [c.talker for c in self.clips]
        weight = np.array([talkers.count(t) ** -0.5 for t in talkers])
        self._weight = weight / weight.sum()
        self.optimiser = torch.optim.AdamW(
            evaluator.parameters(), schedule.rate, weight_decay=0.02
        )

    def step(self, number: int, done: float) -> dict[str, float]:
        """Take one step; "right" is how often the true moment wins."""
        set_rate(self.optimiser, self.schedule.rate, done)
        torch.manual_seed(self.schedule.seed + number)
        pictures, windows, clip, when = self._batch(number)
        self.evaluator.train()
        seen = self.evaluator.mouth(pictures.to(self.device)).flatten(0, 1)
        heard = self.evaluator.voice(windows.to(self.device))
        score = seen @ heard.T / self.schedule.temperature
        near = (when[:, None] - when).abs() <= self.schedule.near_frames
        near = (near & (clip[:, None] == clip)).fill_diagonal_(False)
        score = score.masked_fill(near.to(self.device), -1e4)
        truth = torch.arange(len(score), device=self.device)
        loss = (F.cross_entropy(score, truth) + F.cross_entropy(score.T, truth)) / 2
        descend(self.optimiser, loss, self.evaluator)
        right = (score.argmax(1) == truth).float().mean()
        return {"contrast": float(loss.detach()), "right": float(right)}

    def _batch(self, number: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Draw batch `number`: views, windows (N, ...), clip (N,) and frame (N,)."""
        rng = np.random.default_rng([self.schedule.seed, number])
        config, count = self.evaluator.config, self.schedule.moments
        pictures, windows, clip, when = [], [], [], []
        for _ in range(self.schedule.clips):
            chosen = int(rng.choice(len(self.clips), p=self._weight))
            item, (low, high) = self.clips[chosen], self.spans[chosen]
            first = int(rng.integers(low, max(low + 1, high - count + 1)))
            at = np.minimum(np.arange(first, first + count), high - 1)
            around = np.arange(first - config.seen, first + count + config.seen)
            around = np.minimum(around, len(item.pictures) - 1)
            pictures.append(item.pictures[around])
            rows = cepstra(altered(item.level, rng))
            windows.append(voice_windows(rows, item.times_s[at], config))
            clip += [chosen] * count
            when += at.tolist()
        seen = torch.from_numpy(np.stack(pictures)).float() / 255
        seen = relit(seen, rng)
        return (
            views(seen, bent(len(seen), rng)),
            torch.from_numpy(np.concatenate(windows)),
            torch.tensor(clip),
            torch.tensor(when),
        )

    def state(self) -> dict[str, Any]:
        """See training.Stage."""
        return {
            "evaluator": self.evaluator.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """See training.Stage."""
        self.evaluator.load_state_dict(state["evaluator"])
        self.optimiser.load_state_dict(state["optimiser"])


def _span(clip: HeardClip, config: EvaluatorConfig) -> tuple[int, int]:
    """Return the frames [low, high) that have both windows whole."""
    inside = np.flatnonzero(within(clip.times_s, clip.length_s, config))
    if not len(inside):
        return 0, 0
    low = max(int(inside[0]), config.seen)
    return low, min(int(inside[-1]) + 1, len(clip.pictures) - config.seen)


def altered(
    level: NDArray[np.float32], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the level (steps, BANDS) of another voice in another room."""
    bands = np.arange(BANDS) * rng.uniform(0.86, 1.16)
    level = resampled(level.T, bands).T
    knots = np.linspace(0, BANDS, 5)
    colour = np.interp(np.arange(BANDS), knots, rng.normal(0, 3.0, 5))
    level = (level + colour).astype(np.float32)
    if rng.random() < 0.5:
        noise = level.max() - rng.uniform(20, 50) + rng.normal(0, 3.0, level.shape)
        # Softer than powers add: only the variety of rooms matters here.
        level = (10 * np.logaddexp(level / 10, noise / 10)).astype(np.float32)
    return np.asarray(np.maximum(level - level.max(), -DEPTH_DB), np.float32)


def relit(pictures: Tensor, rng: np.random.Generator) -> Tensor:
    """Change light, gamma, sharpness and grain of (B, T, H, W), a clip at a time."""

    def each(low: float, high: float) -> Tensor:
        drawn = rng.uniform(low, high, (len(pictures), 1, 1, 1))
        return torch.from_numpy(drawn.astype(np.float32))

    lit = (pictures * each(0.8, 1.25) + each(-0.1, 0.1)).clamp(0.01, 1.0)
    lit = lit ** torch.exp(each(-0.4, 0.4))
    soft = F.avg_pool2d(lit, 3, 1, 1, count_include_pad=False)
    lit = lit + (soft - lit) * each(-0.5, 1.0)
    grain = rng.normal(0, 1, lit.shape).astype(np.float32)
    return lit + torch.from_numpy(grain) * each(0.0, 0.015)


def bent(batch: int, rng: np.random.Generator) -> Tensor:
    """Return grids (B, h, w, 2) that shift, scale, turn, mirror and bend the mouth."""
    grid = straight(batch)
    scale = np.exp(rng.normal(0, 0.08, (batch, 2)))
    scale[:, 0] *= rng.choice([-1.0, 1.0], batch)
    angle = rng.normal(0, 0.07, batch)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = torch.from_numpy((turn * scale.T[None]).astype(np.float32))  # (2, 2, B)
    moved = torch.einsum("bhwi,jib->bhwj", grid, linear)
    shift = torch.from_numpy(rng.normal(0, 0.07, (batch, 1, 1, 2)).astype(np.float32))
    field = torch.from_numpy(rng.normal(0, 0.06, (batch, 2, 3, 4)).astype(np.float32))
    field = F.interpolate(field, size=VIEW, mode="bicubic", align_corners=True)
    return moved + shift + field.movedim(1, 3)


def share_placed(
    evaluator: Evaluator, out: Path, names: Sequence[str], *, seed: int = 7
) -> float:
    """Return the share of moved windows of the named prepared clips placed right.

    Clips too short to be moved so far are passed over; NaN if all are.
    """
    rng = np.random.default_rng(seed)
    evaluator.eval()
    right = []
    for name in names:
        clip = load_clip(out, name)
        sound, crops = load_sound(out, name), np.asarray(clip.crops)
        try:
            found = placements(evaluator, crops, sound, clip.times_s, rng)
        except JudgeError:
            continue
        right += [p.right for p in found]
    return float(np.mean(right)) if right else float("nan")
