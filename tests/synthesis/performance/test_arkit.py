"""ARKit's coefficients say what the mouth did."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.neural.lipcode import POINTS, LipCode
from synthesis.performance.arkit import NAMES, arkit_curves
from synthesis.performance.shapes import LOWER_EDGE, LOWER_MIDDLE, MouthMotion
from tests.synthesis.performance.conftest import moved

TRUTH = Path(__file__).parent / "robin_truth.json"


def curve(motion: MouthMotion, name: str) -> float:
    return float(arkit_curves(motion)[0, NAMES.index(name)])


def lowered(jaw: float, lips: float) -> MouthMotion:
    """The lower lip's edge goes down by jaw, its inner rim by lips."""
    edge = {f"p{point}": (0, jaw, 0) for point in LOWER_EDGE}
    return moved(**edge, **{f"p{point}": (0, lips, 0) for point in LOWER_MIDDLE})


def test_the_names_are_apples_fifty_two() -> None:
    assert len(NAMES) == len(set(NAMES)) == 52
    assert NAMES[17] == "jawOpen"
    assert NAMES[-1] == "tongueOut"


def test_a_mouth_at_rest_is_all_zeros(lip_code: LipCode) -> None:
    rest = MouthMotion.of_codes(np.zeros((3, 12)), lip_code)
    assert not arkit_curves(rest).any()


def test_every_value_lies_between_0_and_1_whatever_the_codes(lip_code: LipCode) -> None:
    wild = np.random.default_rng(0).normal(0, 5, (500, 12))
    curves = arkit_curves(MouthMotion.of_codes(wild, lip_code))
    assert curves.shape == (500, 52)
    assert curves.min() >= 0 and curves.max() <= 1


def test_what_lips_do_not_tell_stays_zero(robins_codes: NDArray[np.float32]) -> None:
    from synthesis.performance.kept import lip_code_in_use

    curves = arkit_curves(MouthMotion.of_codes(robins_codes, lip_code_in_use()[0]))
    for number, name in enumerate(NAMES):
        if name.startswith(("eye", "brow", "cheek", "nose", "tongue", "jawForward")):
            assert not curves[:, number].any(), name


def test_an_open_jaw_with_lips_together_is_jaw_open_and_mouth_close() -> None:
    open_wide, held = lowered(0.3, 0.3), lowered(0.3, 0.0)
    assert curve(open_wide, "jawOpen") == curve(held, "jawOpen") > 0.5
    assert curve(open_wide, "mouthClose") < 0.2 < 0.6 < curve(held, "mouthClose")


def test_narrow_lips_pucker_closed_and_funnel_open() -> None:
    narrow = {"p78": (0.04, 0, 0), "p308": (-0.04, 0, 0)}
    drop = {f"p{point}": (0, 0.15, 0) for point in LOWER_MIDDLE}
    assert curve(moved(**narrow), "mouthPucker") == 1
    assert curve(moved(**narrow), "mouthFunnel") == 0
    assert curve(moved(**narrow, **drop), "mouthFunnel") == 1


def test_left_is_the_actors_left_which_is_the_pictures_right() -> None:
    smile = moved(p291=(0.05, -0.05, 0))
    assert curve(smile, "mouthSmileLeft") > 0.5
    assert curve(smile, "mouthSmileRight") == 0
    assert curve(moved(p291=(0.05, 0, 0)), "mouthStretchLeft") > 0.5
    assert curve(moved(p61=(0, 0.05, 0)), "mouthFrownRight") > 0.5


def test_the_lips_of_the_scanned_face_move_where_the_true_weights_say(
    robins_codes: NDArray[np.float32], lip_code: LipCode
) -> None:
    """Robin is computer-generated: the weights that drove the face are known."""
    truth = json.loads(TRUTH.read_text())["weights"]
    curves = arkit_curves(MouthMotion.of_codes(robins_codes, lip_code))

    def r(name: str) -> float:
        column = curves[:, NAMES.index(name)]
        return float(np.corrcoef(column, truth[name])[0, 1])

    assert r("jawOpen") > 0.9
    assert r("mouthPucker") > 0.55
    assert r("mouthFunnel") > 0.55
    assert r("mouthLowerDownLeft") > 0.5
    ratio = curves[:, NAMES.index("jawOpen")].max() / max(truth["jawOpen"])
    assert 0.7 < ratio < 1.4


def test_a_motion_knows_its_points(lip_code: LipCode) -> None:
    codes = np.eye(12)[:1] * 3
    motion = MouthMotion.of_codes(codes, lip_code)
    axis = lip_code.axes[0].reshape(-1, 3) * lip_code.spread[0] * 3
    assert motion.down(14)[0] == pytest.approx(axis[POINTS.index(14), 1])
    assert motion.right(61)[0] == pytest.approx(axis[POINTS.index(61), 0])
    assert motion.gap[0] > 0.1
