"""Training the renderer: reconstruction first, then with the critic."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from synthesis.faces.align import CropSpec
from synthesis.neural import losses, masks
from synthesis.neural.dataset import CodedClip, Sample, SampleDraw
from synthesis.neural.discriminator import MouthCritic
from synthesis.neural.renderer import Renderer
from synthesis.neural.weights import channels_last


@dataclass(frozen=True)
class RendererSchedule:
    """The numbers of one training run."""

    pairs: int = 4
    """Pairs of neighbouring frames in a batch: 2 x pairs pictures."""
    rate: float = 6e-4
    warmup_steps: int = 50
    critic_from: float = 0.45
    """Share of the run after which the critic joins."""
    critic_rate: float = 3e-4
    adversarial: float = 0.06
    matching: float = 0.8
    texture: float = 6.0
    liveliness: float = 1.0
    keep: float = 0.997
    """Weights in use are a running mean over about 1 / (1 - keep) steps."""
    tint: float = 0.25
    """Random gain of each colour, the same for target and references."""
    seed: int = 20261121


@dataclass(frozen=True)
class Batch:
    """Tensors of P pairs. target, references 0..1; weights as masks.* draw them."""

    target: Tensor  # (2P, 3, H, W)
    references: Tensor  # (2P, K, 3, H, W)
    code: Tensor  # (2P, C)
    reference_codes: Tensor  # (2P, K, C)
    face: Tensor  # (2P, 1, H, W)
    lips: Tensor  # (2P, 1, H, W)


class RendererStage:
    """See training.Stage."""

    def __init__(
        self,
        renderer: Renderer,
        clips: Sequence[CodedClip],
        spread: NDArray[np.float32],
        schedule: RendererSchedule,
        device: str = "cpu",
    ) -> None:
        config = renderer.config
        self.spec = CropSpec(config.width, config.height, config.px_per_eyes)
        self.device = torch.device(device)
        self.renderer = channels_last(renderer.to(self.device))
        self.average = copy.deepcopy(self.renderer).requires_grad_(False)
        self.critic = MouthCritic().to(self.device)
        self.schedule = schedule
        self.draw = SampleDraw(clips, self.spec, spread)
        self.hole = torch.from_numpy(masks.hole(self.spec)).to(self.device)
        self.mouth = masks.box_px(masks.MOUTH, self.spec)
        self.optimiser = torch.optim.AdamW(
            self.renderer.parameters(), schedule.rate, (0.9, 0.99), weight_decay=1e-3
        )
        self.critic_optimiser = torch.optim.Adam(
            self.critic.parameters(), schedule.critic_rate, (0.5, 0.99)
        )

    def step(self, number: int, done: float) -> dict[str, float]:
        """Take one step of generator and, late in the run, critic."""
        batch = self.batch(number)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate(number, done)
        with torch.autocast(
            self.device.type, torch.bfloat16, self.device.type == "cuda"
        ):
            made, face = self.renderer(
                batch.target, self.hole, batch.references, batch.code,
                batch.reference_codes,
            )  # fmt: skip
        made, face = made.float(), face.float()
        parts = self._reconstruction(batch, made, face)
        if done >= self.schedule.critic_from:
            parts |= self._critic_step(batch, made)
        total = torch.stack(list(parts.values())).sum()
        self.optimiser.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.renderer.parameters(), 1.0)
        if torch.isfinite(total):
            self.optimiser.step()
            self._average(number)
        return {name: float(part.detach()) for name, part in parts.items()}

    def _rate(self, number: int, done: float) -> float:
        warm = min(1.0, (number + 1) / self.schedule.warmup_steps)
        return (
            self.schedule.rate * warm * (0.08 + 0.46 * (1 + math.cos(math.pi * done)))
        )

    def _average(self, number: int) -> None:
        keep = min(self.schedule.keep, (1 + number) / (10 + number))
        with torch.no_grad():
            for kept, new in zip(
                self.average.parameters(), self.renderer.parameters(), strict=True
            ):
                kept.lerp_(new, 1 - keep)

    def _reconstruction(
        self, batch: Batch, made: Tensor, face: Tensor
    ) -> dict[str, Tensor]:
        hole = self.hole.expand_as(batch.face)
        made = made.contiguous()
        weight = hole * (0.25 + 0.75 * batch.face + 2.0 * batch.lips)
        pairs = [x.view(-1, 2, *x.shape[1:]) for x in (made, batch.target, weight)]
        return {
            "l1": losses.weighted_l1(made, batch.target, weight),
            "detail": 1.5 * losses.laplacian_l1(made, batch.target, weight),
            "texture": self.schedule.texture
            * losses.texture_l1(made, batch.target, weight),
            "motion": 0.4 * losses.motion_l1(*pairs),
            "liveliness": self.schedule.liveliness * losses.liveliness_l1(*pairs),
            "face": 0.02 * F.binary_cross_entropy_with_logits(face, batch.face),
        }

    def _critic_step(self, batch: Batch, made: Tensor) -> dict[str, Tensor]:
        real_mouth, made_mouth = self._mouth(batch.target), self._mouth(made)
        real_score, _ = self.critic(real_mouth)
        made_score, _ = self.critic(made_mouth.detach())
        self.critic_optimiser.zero_grad(set_to_none=True)
        losses.hinge_critic(real_score, made_score).backward()  # type: ignore[no-untyped-call]
        self.critic_optimiser.step()
        with torch.no_grad():
            _, real_features = self.critic(real_mouth)
        score, features = self.critic(made_mouth)
        return {
            "critic": -self.schedule.adversarial * score.mean(),
            "matching": self.schedule.matching
            * losses.feature_match(features, real_features),
        }

    def _mouth(self, pictures: Tensor) -> Tensor:
        """Cut mouths (P, 2, 3, h, w) from pictures (2P, 3, H, W)."""
        left, top, right, bottom = self.mouth
        # The critic folds by two: even edges.
        width, height = (right - left) // 2 * 2, (bottom - top) // 2 * 2
        cut = pictures[:, :, top : top + height, left : left + width]
        return cut.reshape(-1, 2, *cut.shape[1:])

    def batch(self, number: int) -> Batch:
        """Draw batch `number`; the same number draws the same batch."""
        rng = np.random.default_rng([self.schedule.seed, number])
        samples = [self.draw(rng) for _ in range(self.schedule.pairs)]
        tints = 1 + rng.uniform(-1, 1, (len(samples), 3)) * self.schedule.tint
        return collate(samples, tints, self.device)

    def state(self) -> dict[str, Any]:
        """See training.Stage."""
        return {
            "renderer": self.renderer.state_dict(),
            "average": self.average.state_dict(),
            "critic": self.critic.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "critic_optimiser": self.critic_optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """See training.Stage."""
        self.renderer.load_state_dict(state["renderer"])
        self.average.load_state_dict(state["average"])
        self.critic.load_state_dict(state["critic"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.critic_optimiser.load_state_dict(state["critic_optimiser"])


def collate(
    samples: Sequence[Sample], tints: NDArray[np.float64], device: torch.device
) -> Batch:
    """Stack samples, tinted by gains (P, 3), into tensors on device."""
    gain = torch.from_numpy(tints.astype(np.float32) / 255).to(device)[
        :, None, :, None, None
    ]

    def pictures(arrays: Sequence[NDArray[np.uint8] | NDArray[np.float32]]) -> Tensor:
        stacked = torch.from_numpy(np.stack(arrays)).to(device)  # (P, k, H, W, 3)
        return (stacked.movedim(-1, 2).float() * gain).clamp(0, 1)

    def mask(arrays: list[NDArray[np.uint8]]) -> Tensor:
        stacked = torch.from_numpy(np.stack(arrays)).to(device)  # (P, 2, H, W)
        return stacked.flatten(0, 1)[:, None].float() / 255

    references = pictures([s.references for s in samples])
    codes = torch.from_numpy(np.stack([s.codes for s in samples])).to(device)
    near = torch.from_numpy(np.stack([s.reference_codes for s in samples])).to(device)
    return Batch(
        pictures([s.target for s in samples]).flatten(0, 1),
        references.repeat_interleave(2, 0),
        codes.flatten(0, 1),
        near.repeat_interleave(2, 0),
        mask([s.face for s in samples]),
        mask([s.lips for s in samples]),
    )
