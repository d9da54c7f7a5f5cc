"""ARKit's 52 blend shape coefficients, computed from the shape of lips and jaw.

Each formula reads off the mouth what Apple's documentation says the coefficient means
(ARFaceAnchor.BlendShapeLocation). The scales below say how far a mouth moves at a
coefficient of 1, in eye distances; they were fitted on the computer-generated actor
Robin, whose true coefficients are known. Coefficients that lips and jaw do not tell of
(eyes, brows, cheeks, nose, tongue, the jaw's depth) stay 0.

How far they can be trusted: correlation with Robin's true coefficients in a scene that
no scale but mouthLowerDown's was fitted on: jawOpen .94, mouthPucker .68, mouthFunnel
.66, mouthLowerDown .6, mouthSmile .4 to .8, mouthStretch .35 to .65, mouthUpperUp .1 to
.3; mouthClose, mouthPress and mouthRoll about 0: landmarks hardly see a pressed lip.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthesis.performance.shapes import (
    CHIN,
    LOWER_EDGE,
    LOWER_SIDES,
    OUTER_CORNERS,
    UPPER_EDGE,
    UPPER_SIDES,
    MouthMotion,
)

NAMES = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft",
    "eyeLookUpLeft", "eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight",
    "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight",
    "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "tongueOut",
)  # fmt: skip
"""In the order of Apple's documentation. Left is the actor's left."""

JAW_FULL = 0.42
"""Drop of the lower lip's outer edge with the jaw wide open."""
GAP_FULL = 0.36
ROUND_FULL = 0.075
"""How much narrower the opening is in a full pucker."""
OPEN_ROUND_GAP = 0.12
"""Lips this far apart and rounded are a funnel, not a pucker."""
CORNER_FULL = 0.06
CORNER_FOLLOWS_JAW = 0.33
"""The mesh's corners sink by this share of the jaw's drop: no frown."""
SIDE_FULL = 0.12
UPPER_FULL = 0.06
LOWER_FULL = 0.3
LOWER_FOLLOWS_CHIN = 1.0
"""The lower lip rides on the jaw; what it falls beyond the chin is its own."""
THIN_FULL = 0.02
CLOSED_GAP = 0.02


def arkit_curves(motion: MouthMotion) -> NDArray[np.float64]:
    """Return (n, 52), 0..1, columns as NAMES, for n frames of a mouth."""
    curves = np.zeros((len(motion.moved), len(NAMES)))
    for name, values in _mouth(motion).items():
        curves[:, NAMES.index(name)] = np.clip(values, 0, 1)
    return curves


def _mouth(motion: MouthMotion) -> dict[str, NDArray[np.float64]]:
    drop = motion.down(*LOWER_EDGE)
    jaw_open = np.clip(drop / JAW_FULL, 0, 1)
    apart = np.clip(motion.gap / GAP_FULL, 0, 1)
    rounded = np.clip(-motion.inner_width / ROUND_FULL, 0, 1)
    open_share = np.clip(motion.gap / OPEN_ROUND_GAP, 0, 1)
    jaw_side = motion.right(*CHIN)
    lips_side = motion.right(*UPPER_EDGE, *LOWER_EDGE) - jaw_side
    return {
        "jawOpen": jaw_open,
        "mouthClose": jaw_open - apart,
        "mouthFunnel": rounded * open_share,
        "mouthPucker": rounded * (1 - open_share / 2),
        "jawLeft": jaw_side / SIDE_FULL,
        "jawRight": -jaw_side / SIDE_FULL,
        "mouthLeft": lips_side / SIDE_FULL,
        "mouthRight": -lips_side / SIDE_FULL,
        **_corners(motion, drop, jaw_side),
        **_lips(motion, drop),
    }


def _corners(
    motion: MouthMotion, drop: NDArray[np.float64], side: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Outwards and up is a smile, outwards alone a stretch, down a frown."""
    found = {}
    for name, corner, outwards in zip(
        ("Right", "Left"), OUTER_CORNERS, (-1, 1), strict=True
    ):
        out = np.clip(outwards * (motion.right(corner) - side), 0, None) / CORNER_FULL
        rise = (CORNER_FOLLOWS_JAW * drop - motion.down(corner)) / CORNER_FULL
        upwards = np.clip(rise, 0, 1)
        found["mouthSmile" + name] = out * upwards
        found["mouthStretch" + name] = out * (1 - upwards)
        found["mouthFrown" + name] = -rise
    return found


def _lips(
    motion: MouthMotion, drop: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """What the lips do beyond the jaw; closed lips that grow thin press or roll."""
    closed = 1 - np.clip(motion.gap / CLOSED_GAP, 0, 1)
    thin_upper = motion.down(*UPPER_EDGE) - motion.down(13)
    thin_lower = motion.down(14) - motion.down(*LOWER_EDGE)
    found = {
        "mouthRollUpper": closed * thin_upper / THIN_FULL,
        "mouthRollLower": closed * thin_lower / THIN_FULL,
    }
    for name, upper, lower in zip(
        ("Right", "Left"), UPPER_SIDES, LOWER_SIDES, strict=True
    ):
        found["mouthPress" + name] = closed * (thin_upper + thin_lower) / THIN_FULL / 2
        found["mouthUpperUp" + name] = -motion.down(*upper) / UPPER_FULL
        fallen = motion.down(*lower) - LOWER_FOLLOWS_CHIN * motion.down(*CHIN)
        found["mouthLowerDown" + name] = fallen / LOWER_FULL
    return found
