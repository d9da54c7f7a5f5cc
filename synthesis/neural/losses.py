"""What the renderer is asked for besides fooling its critic."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def weighted_l1(made: Tensor, real: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute difference of (B, 3, H, W) where weight (B, 1, H, W) says so."""
    return ((made - real).abs() * weight).sum() / (3 * weight.sum() + 1e-6)


def laplacian_l1(made: Tensor, real: Tensor, weight: Tensor) -> Tensor:
    """Difference in fine and middle detail: what L1 alone blurs."""
    return _detail_l1(made, real, weight) + _detail_l1(
        F.avg_pool2d(made, 2), F.avg_pool2d(real, 2), F.avg_pool2d(weight, 2)
    )


def _detail_l1(made: Tensor, real: Tensor, weight: Tensor) -> Tensor:
    difference = made - real
    fine = difference - F.avg_pool2d(difference, 3, 1, 1, count_include_pad=False)
    return (fine.abs() * weight).sum() / (3 * weight.sum() + 1e-6)


def texture_l1(made: Tensor, real: Tensor, weight: Tensor) -> Tensor:
    """Difference in how much fine detail there is around each pixel, wherever it lies.

    What cannot be foretold exactly (stubble, teeth, grain) is averaged away by the
    losses above; this one asks for as much of it as the real mouth has.
    """
    fine = []
    for picture in (made, real):
        grey = picture.mean(1, keepdim=True)
        fine.append(grey - F.avg_pool2d(grey, 3, 1, 1, count_include_pad=False))
    return _strength_l1(fine[0], fine[1], weight)


def liveliness_l1(made: Tensor, real: Tensor, weight: Tensor) -> Tensor:
    """Difference in how much changes around each pixel between frames 0 and 1.

    As texture_l1 in time: uncertain motion is averaged to too little of it.
    made, real: (B, 2, 3, H, W); weight (B, 2, 1, H, W).
    """
    change = [(p[:, 1] - p[:, 0]).mean(1, keepdim=True) for p in (made, real)]
    return _strength_l1(change[0], change[1], weight.amax(1))


def _strength_l1(made: Tensor, real: Tensor, weight: Tensor) -> Tensor:
    """Compare local root mean squares of signals (B, 1, H, W)."""
    strength = [
        (F.avg_pool2d(s**2, 7, 1, 3, count_include_pad=False) + 1e-7).sqrt()
        for s in (made, real)
    ]
    difference = (strength[0] - strength[1]).abs()
    return (difference * weight).sum() / (weight.sum() + 1e-6)


def motion_l1(made: Tensor, real: Tensor, weight: Tensor) -> Tensor:
    """Difference in what changes between frames 0 and 1 of each pair.

    made, real: (B, 2, 3, H, W); weight (B, 2, 1, H, W).
    """
    change = (made[:, 1] - made[:, 0]) - (real[:, 1] - real[:, 0])
    both = weight.amax(1)
    return (change.abs() * both).sum() / (3 * both.sum() + 1e-6)


def hinge_critic(real: Tensor, made: Tensor) -> Tensor:
    """Loss of the critic on its verdicts."""
    return F.relu(1 - real).mean() + F.relu(1 + made).mean()


def feature_match(made: list[Tensor], real: list[Tensor]) -> Tensor:
    """Mean absolute difference of the critic's features."""
    parts = [(m - r.detach()).abs().mean() for m, r in zip(made, real, strict=True)]
    return torch.stack(parts).mean()
