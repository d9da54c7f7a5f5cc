"""Which pictures of the actor's own mouth the renderer gets to copy from.

Each frame gets four: two whose lip code is near the wanted one, an open mouth and a
closed one, all in like pose and light. Never a picture taken within 12 frames of the
target: it would give the answer away in training and hide errors in evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

REFERENCES = 4
APART_FRAMES = 12
CANDIDATES_TRAINING = 5
"""In training each choice falls on one of so many best, so that none is relied on."""
AXIS_POWER = 0.4
"""Axes count by this power of their spread: big movements more, small ones still.
Costs here and below were tuned on retrieval's PSNR, GRID s1, clips not tested on."""
POSE_COST, EXEMPLAR_POSE_COST = 0.5, 1.0
"""Of ten degrees of turn, against a squared code distance of one deviation."""
LIGHT_COST = 10.0
"""Of the whole range in one colour: keeps to one session and its light."""
EXTREME = 0.03
"""Share of mouths that count as wide open, and as shut: not the one yawn of an hour."""
PLACE_COST = 0.3
"""Of one pixel, at 67 across the eyes, between where two lower faces lie."""
PLACE_POINTS = 4
"""As many of the lower face's points say where it lies."""
SWITCH_COST = 0.2
"""Cost of changing a reference between two frames: a change shows as a flicker."""
FORBIDDEN = 1e6
TOO_CLOSE = 1e3


@dataclass(frozen=True)
class Bank:
    """Describes m candidate pictures (or n target frames), without their pixels.

    codes: (m, CODE_SIZE), LipCode.absolute, so that shots with other rests compare.
    turns: (m, 2), yaw and pitch in degrees. frames: (m,) frame number in the target's
    own shot, or a number far from all for other footage. light: (m, 3), mean RGB
    0..255 of visible skin. places: (m, k, 2), align.lower_face_places over the crop's
    px_per_eyes.
    """

    codes: NDArray[np.float32]
    turns: NDArray[np.float64]
    frames: NDArray[np.int64]
    light: NDArray[np.float32]
    places: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Self:
        return type(self)(*(getattr(self, f.name)[rows] for f in fields(self)))

    def joined(self, *others: Bank) -> Self:
        """Return all of them as one."""
        banks = (self, *others)
        return type(self)(
            *(np.concatenate([getattr(b, f.name) for b in banks]) for f in fields(self))
        )


def choose(
    target: Bank, bank: Bank, spread: NDArray[np.float32], *, smooth: bool = True
) -> NDArray[np.int64]:
    """Return (n, REFERENCES) rows of bank for the n frames of target, in order.

    spread: (CODE_SIZE,) of the LipCode, weighs the axes. With smooth, the choice is
    the cheapest path in time (Viterbi); without, each frame's best alone.
    """
    columns: list[NDArray[np.int64]] = []
    for cost in costs(target, bank, spread):
        for column in columns[:1]:
            # The second near reference must be another picture than the first.
            near = np.abs(bank.frames[None] - bank.frames[column][:, None]) < 3
            cost = cost + TOO_CLOSE * near
        columns.append(_cheapest_path(cost) if smooth else np.argmin(cost, axis=1))
    return np.stack(columns, 1)


def draw(
    target: Bank,
    bank: Bank,
    spread: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Return (REFERENCES,) rows of bank for a one-frame target, for training."""
    rows: list[int] = []
    for cost in costs(target, bank, spread):
        best = np.argsort(cost[0], kind="stable")[:CANDIDATES_TRAINING]
        best = best[cost[0, best] < FORBIDDEN / 2] if len(bank) > 1 else best
        rows.append(int(rng.choice(best if len(best) else cost[0].argmin()[None])))
    return np.array(rows)


def costs(
    target: Bank, bank: Bank, spread: NDArray[np.float32]
) -> list[NDArray[np.float64]]:
    """Return one (n, m) cost matrix for each of the four references."""
    turn = _city_block(target.turns, bank.turns) / 10.0
    apart = np.abs(target.frames[:, None] - bank.frames[None])
    alike = np.where(apart <= APART_FRAMES, FORBIDDEN, 0.0)
    light = LIGHT_COST / 255 * _city_block(target.light, bank.light)
    alike += light
    alike += PLACE_COST * _misplaced_px(target.places, bank.places)
    weight = (spread / spread[0]) ** AXIS_POWER
    near = _squared_distance(target.codes, bank.codes, weight)
    near += POSE_COST * turn + alike
    main = bank.codes[:, 0].astype(np.float64)
    shut, wide = np.quantile(main, [EXTREME, 1 - EXTREME])
    reach = max(float(wide - shut), 1e-6)
    alike += EXEMPLAR_POSE_COST * turn + 2 * light
    opened = 3 * np.maximum(wide - main, 0) / reach + alike
    closed = 3 * np.maximum(main - shut, 0) / reach + alike
    return [near, near, opened, closed]


def _city_block(
    a: NDArray[np.floating], b: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return (n, m): sum of absolute differences of rows, a column at a time."""
    total = np.zeros((len(a), len(b)))
    for left, right in zip(a.T, b.T, strict=True):
        total += np.abs(left[:, None].astype(np.float64) - right[None])
    return total


def _misplaced_px(
    a: NDArray[np.floating], b: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return (n, m): mean distance along x and y of some points, at 67 px per eyes."""
    step = max(1, a.shape[1] // PLACE_POINTS)
    left, right = (p[:, ::step].reshape(len(p), -1) for p in (a, b))
    return _city_block(left, right) * (67.0 / max(1, left.shape[1]))


def _squared_distance(
    a: NDArray[np.float32], b: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return (n, m) squared distances of weighted rows, without an (n, m, C) array."""
    left, right = (a * weight).astype(np.float64), (b * weight).astype(np.float64)
    square = (left**2).sum(1)[:, None] + (right**2).sum(1)[None]
    return np.asarray(np.maximum(square - 2 * left @ right.T, 0.0), np.float64)


def _cheapest_path(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return (n,) columns of cost (n, m): least sum of costs and switches."""
    count, _ = cost.shape
    came_from = np.zeros(cost.shape, np.int32)
    total = cost[0].copy()
    stay = np.arange(cost.shape[1])
    for row in range(1, count):
        best = int(total.argmin())
        switch = total[best] + SWITCH_COST < total
        came_from[row] = np.where(switch, best, stay)
        total = np.where(switch, total[best] + SWITCH_COST, total) + cost[row]
    path = np.empty(count, np.int64)
    path[-1] = int(total.argmin())
    for row in range(count - 1, 0, -1):
        path[row - 1] = came_from[row, path[row]]
    return path
