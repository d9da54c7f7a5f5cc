"""The 15 Oculus visemes as weights a frame, told from the shape of the mouth.

A viseme is a mouth position some sounds share (Meta, "Viseme Reference": sil PP FF TH
DD kk CH SS nn RR aa E ih oh ou). The lip code knows lips and jaw, not the tongue: TH,
DD, kk, nn and RR differ from one another by the tongue alone, look alike here, and
share their weight evenly. NOTE says so in every file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthesis.performance.arkit import JAW_FULL, ROUND_FULL
from synthesis.performance.shapes import (
    LOWER_EDGE,
    OUTER_CORNERS,
    UPPER_EDGE,
    MouthMotion,
)

NAMES = (
    "sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR",
    "aa", "E", "ih", "oh", "ou",
)  # fmt: skip
TONGUE_ONLY = ("TH", "DD", "kk", "nn", "RR")
NOTE = (
    "Derived from the shape of lips and jaw, not from the sound. TH, DD, kk, nn and RR"
    " differ by the tongue alone: they cannot be told apart and share one weight."
)

TYPICAL: dict[str, tuple[float, float, float, float]] = {
    "sil": (0.00, 0.00, 0.00, 0.0),
    "PP": (0.00, 0.00, 0.00, 1.0),
    "FF": (0.08, 0.00, 0.05, 0.6),
    "tongue": (0.25, 0.00, 0.10, 0.0),
    "CH": (0.20, 0.60, 0.00, 0.0),
    "SS": (0.12, 0.00, 0.35, 0.0),
    "aa": (0.80, 0.00, 0.10, 0.0),
    "E": (0.50, 0.00, 0.40, 0.0),
    "ih": (0.30, 0.00, 0.50, 0.0),
    "oh": (0.55, 0.60, 0.00, 0.0),
    "ou": (0.20, 1.00, 0.00, 0.0),
}
"""How far (opened, rounded, spread, lips pressed together), 0..1, each usually is: the
order of phonetic descriptions of English, set by hand."""
NEAR = 0.22
"""A mouth this far from a typical shape still has e^-1/2 of its weight."""
OPEN_FULL = 0.3
"""Gap of the lips, in eye distances, of a wide open mouth in speech."""
SPREAD_FULL = 0.09
THIN_FULL = 0.012
CLOSED_GAP = 0.02


def ovr_visemes(motion: MouthMotion) -> NDArray[np.float64]:
    """Return (n, 15), columns as NAMES, each row 0..1 with sum 1."""
    seen = _seen(motion)
    typical = np.array(list(TYPICAL.values()))
    distance = ((seen[:, None] - typical) ** 2).sum(2)
    near = np.exp(-0.5 * (distance - distance.min(1, keepdims=True)) / NEAR**2)
    share = near / near.sum(1, keepdims=True)
    weights = np.zeros((len(seen), len(NAMES)))
    for column, name in enumerate(TYPICAL):
        if name == "tongue":
            for alike in TONGUE_ONLY:
                weights[:, NAMES.index(alike)] = share[:, column] / len(TONGUE_ONLY)
        else:
            weights[:, NAMES.index(name)] = share[:, column]
    return weights


def _seen(motion: MouthMotion) -> NDArray[np.float64]:
    """Return (n, 4), 0..1: opened, rounded, spread, pressed."""
    wider = motion.right(OUTER_CORNERS[1]) - motion.right(OUTER_CORNERS[0])
    thinner = motion.down(*UPPER_EDGE) - motion.down(*LOWER_EDGE)
    closed = 1 - np.clip(motion.gap / CLOSED_GAP, 0, 1)
    drop = motion.down(*LOWER_EDGE) / JAW_FULL
    seen = [
        np.maximum(motion.gap / OPEN_FULL, drop / 2),
        -motion.inner_width / ROUND_FULL,
        wider / SPREAD_FULL,
        closed * thinner / THIN_FULL,
    ]
    return np.asarray(np.clip(np.stack(seen, 1), 0, 1), np.float64)
