"""Learning the shipped face space, and measuring it on talkers it has never seen.

A few talkers cannot teach what makes faces differ; they can teach what does not: light,
blur, size, compression, speech. That is the covariance within a talker, and the space
is straightened by its inverse root.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as save_arrays

from synthesis.faces.features import (
    SPACE,
    SPACE_FACTS,
    RawFeatures,
    Vectors,
    unit,
)
from synthesis.faces.portraits import Picture, Portraits
from synthesis.media.aside import written_aside

RIDGE = 0.1
"""Added to the covariance, in parts of its mean variance."""
DISTURBED = 4
"""Disturbed versions of each portrait, beside the portrait itself."""
LEFT_OUT = 4
"""Talkers left out of each learning, and told apart afterwards."""
DRAWS = 12
FALSE_ACCEPTS = 0.005
"""At most, where a face counts as the same; of clean and of disturbed trials."""
FALSE_ALARMS = 0.01
"""At most, where a face counts as another. Between the two the actor is asked."""


@dataclass(frozen=True)
class Sample:
    """Portraits from one clip of one talker."""

    talker: str
    clip: str
    portraits: Portraits


@dataclass(frozen=True)
class Measured:
    """raw: (n, 1 + DISTURBED, d), portrait by portrait, the undisturbed one first.
    talkers, clips: (n,) names."""

    raw: Vectors
    talkers: NDArray[np.str_]
    clips: NDArray[np.str_]


@dataclass(frozen=True)
class Space:
    """mean (d,), straighten (d, d): vectors are (raw - mean) @ straighten."""

    mean: Vectors
    straighten: Vectors


@dataclass(frozen=True)
class Trial:
    """One comparison of two clips: its score, and the two talkers."""

    score: float
    one: str
    other: str


def samples_measure(samples: Sequence[Sample], *, seed: int) -> Iterator[Measured]:
    """Measure each sample's portraits and disturbed versions of them, sample by
    sample."""
    raw, draw = RawFeatures(), np.random.default_rng(seed)
    for sample in samples:
        rows = [
            [raw(clean), *(raw(disturbed(clean, draw)) for _ in range(DISTURBED))]
            for clean in sample.portraits.faces_only()
        ]
        count = len(rows)
        yield Measured(
            np.asarray(rows, np.float32),
            np.array([sample.talker] * count),
            np.array([sample.clip] * count),
        )


def joined(parts: Sequence[Measured]) -> Measured:
    return Measured(
        np.concatenate([part.raw for part in parts]),
        np.concatenate([part.talkers for part in parts]),
        np.concatenate([part.clips for part in parts]),
    )


def disturbed(picture: Picture, draw: np.random.Generator) -> Picture:
    """The same face in another light, smaller, softer, harder compressed, a little
    astray. RGB uint8 (H, W, 3)."""
    side = picture.shape[0]
    light = 255.0 * (picture.astype(np.float32) / 255.0) ** draw.uniform(0.6, 1.5)
    light *= draw.uniform(0.7, 1.25) * draw.uniform(0.88, 1.12, 3)
    slope = np.linspace(-1, 1, side) * draw.uniform(-0.35, 0.35)
    clipped = np.clip(light * (1 + slope)[None, :, None], 0, 255)
    seen: Any = clipped.astype(np.uint8)
    small = side // int(draw.integers(1, 5))
    seen = cv2.resize(seen, (small, small), interpolation=cv2.INTER_AREA)
    seen = cv2.resize(seen, (side, side))
    middle = (side / 2, side / 2)
    turn: Any = cv2.getRotationMatrix2D(
        middle, draw.uniform(-4, 4), draw.uniform(0.95, 1.05)
    )
    turn[:, 2] += draw.uniform(-4, 4, 2)
    seen = cv2.warpAffine(seen, turn, (side, side), borderMode=cv2.BORDER_REPLICATE)
    quality = int(draw.integers(25, 90))
    _, jpeg = cv2.imencode(".jpg", seen, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)


def space_learn(measured: Measured) -> Space:
    """Learn the space; every talker counts alike, however many portraits there are."""
    names = sorted(set(measured.talkers))
    own = [measured.raw[measured.talkers == name] for name in names]
    mean = np.mean([part.mean((0, 1)) for part in own], axis=0)
    size = measured.raw.shape[-1]
    within = np.zeros((size, size))
    for part in own:
        rows = (part - part.mean((0, 1))).reshape(-1, size)
        within += rows.T @ rows / len(rows) / len(own)
    within += RIDGE * np.trace(within) / size * np.eye(size)
    straighten = np.linalg.cholesky(np.linalg.inv(within))
    return Space(mean.astype(np.float32), straighten.astype(np.float32))


def trials(
    measured: Measured, *, seed: int, learned: bool = True
) -> Iterator[tuple[str, Trial]]:
    """Compare clips of talkers who were left out of learning: LEFT_OUT at a time, in
    DRAWS drawings of them all. Yields ("clean" | "disturbed", trial); in a disturbed
    one a clip's undisturbed portraits meet disturbed ones of the other clip.

    learned: False compares the raw measures, for what the learning adds.
    """
    draw = np.random.default_rng(seed)
    names = np.array(sorted(set(measured.talkers)))
    for _ in range(DRAWS):
        order = draw.permutation(names)
        for at in range(0, len(order) - 1, LEFT_OUT):
            out = np.isin(measured.talkers, order[at : at + LEFT_OUT])
            rest = Measured(
                measured.raw[~out], measured.talkers[~out], measured.clips[~out]
            )
            raw = measured.raw[out] - rest.raw.mean((0, 1))
            if learned:
                space = space_learn(rest)
                raw = (measured.raw[out] - space.mean) @ space.straighten
            yield from _told_apart(
                unit(raw), measured.talkers[out], measured.clips[out]
            )


def _told_apart(
    vectors: Vectors, talkers: NDArray[np.str_], clips: NDArray[np.str_]
) -> Iterator[tuple[str, Trial]]:
    keys = sorted(set(zip(talkers.tolist(), clips.tolist(), strict=True)))
    clean, rough = [], []
    for talker, clip in keys:
        own = vectors[(talkers == talker) & (clips == clip)]
        clean.append(unit(own[:, 0].mean(0)))
        rough.append(unit(own[:, 1].mean(0)))
    for a, b in itertools.combinations(range(len(keys)), 2):
        pair = keys[a][0], keys[b][0]
        yield "clean", Trial(float(clean[a] @ clean[b]), *pair)
        yield "disturbed", Trial(float(clean[a] @ rough[b]), *pair)
        yield "disturbed", Trial(float(rough[a] @ clean[b]), *pair)


@dataclass(frozen=True)
class Errors:
    """Weighted so that each pair of talkers (and each talker's own) counts alike."""

    same: NDArray[np.float64]
    same_weight: NDArray[np.float64]
    others: NDArray[np.float64]
    others_weight: NDArray[np.float64]
    pairs_of_talkers: int

    @classmethod
    def of(cls, found: Sequence[Trial]) -> Errors:
        own = [trial for trial in found if trial.one == trial.other]
        apart = [trial for trial in found if trial.one != trial.other]
        return cls(
            np.array([trial.score for trial in own]),
            _weights(own),
            np.array([trial.score for trial in apart]),
            _weights(apart),
            len({(trial.one, trial.other) for trial in apart}),
        )

    def false_accepts(self, threshold: float) -> float:
        return float(self.others_weight[self.others >= threshold].sum())

    def false_rejects(self, threshold: float) -> float:
        return float(self.same_weight[self.same < threshold].sum())

    def equal_error(self) -> float:
        """The rate at the threshold where both are nearest to each other."""
        rates = [(self.false_accepts(t), self.false_rejects(t)) for t in self._grid()]
        best = min(rates, key=lambda both: abs(both[0] - both[1]))
        return sum(best) / 2

    def threshold_accepting(self, share: float) -> float:
        """The lowest threshold at which no more than share of others are accepted."""
        return next(t for t in self._grid() if self.false_accepts(t) <= share)

    def threshold_rejecting(self, share: float) -> float:
        """The highest threshold at which no more than share of own are rejected."""
        return next(t for t in self._grid()[::-1] if self.false_rejects(t) <= share)

    def _grid(self) -> list[float]:
        return [float(threshold) for threshold in np.linspace(-1, 1, 401)]


def _weights(found: Sequence[Trial]) -> NDArray[np.float64]:
    count = Counter((trial.one, trial.other) for trial in found)
    parts = [1 / count[trial.one, trial.other] for trial in found]
    return np.array(parts) / max(len(count), 1)


def figures(measured: Measured, *, seed: int) -> dict[str, Any]:
    """Choose the thresholds, and say how often they err on talkers left out.

    Returns "same_from", "other_below" and "figures": the rates of "clean" and
    "disturbed" trials."""
    found = list(trials(measured, seed=seed))
    raw = [
        trial
        for kind, trial in trials(measured, seed=seed, learned=False)
        if kind == "disturbed"
    ]
    kinds = {
        kind: Errors.of([trial for name, trial in found if name == kind])
        for kind in ("clean", "disturbed")
    }
    same_from = max(one.threshold_accepting(FALSE_ACCEPTS) for one in kinds.values())
    other_below = min(one.threshold_rejecting(FALSE_ALARMS) for one in kinds.values())
    other_below = min(other_below, same_from)
    told: dict[str, Any] = {
        kind: {
            "equal_error": round(errors.equal_error(), 4),
            "others_accepted": round(errors.false_accepts(same_from), 4),
            "own_not_accepted": round(errors.false_rejects(same_from), 4),
            "own_taken_for_another": round(errors.false_rejects(other_below), 4),
            "others_told": round(1 - errors.false_accepts(other_below), 4),
            "own_trials": len(errors.same),
            "others_trials": len(errors.others),
            "pairs_of_talkers": errors.pairs_of_talkers,
        }
        for kind, errors in kinds.items()
    }
    told["equal_error_unlearned"] = round(Errors.of(raw).equal_error(), 4)
    talkers = sorted(set(measured.talkers))
    told |= {"talkers": len(talkers), "left_out_at_a_time": LEFT_OUT, "draws": DRAWS}
    return {
        "same_from": round(same_from, 3),
        "other_below": round(other_below, 3),
        "figures": told,
    }


def space_write(folder: Path, space: Space, facts: dict[str, Any]) -> None:
    """Write what ShippedFeatures reads."""
    content = save_arrays(
        {
            "mean": space.mean,
            "straighten": space.straighten.astype(np.float16),
        }
    )
    with written_aside(folder / SPACE) as file:
        file.write(content)
    told = facts | {"sha256": hashlib.sha256(content).hexdigest()}
    with written_aside(folder / SPACE_FACTS) as file:
        file.write((json.dumps(told, indent=2, sort_keys=True) + "\n").encode())
