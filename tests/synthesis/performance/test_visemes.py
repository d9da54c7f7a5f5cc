"""The 15 visemes, as far as lips tell them apart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.neural.lipcode import LipCode
from synthesis.performance.shapes import LOWER_EDGE, LOWER_MIDDLE, MouthMotion
from synthesis.performance.visemes import NAMES, TONGUE_ONLY, ovr_visemes
from tests.synthesis.performance.conftest import moved


def strongest(motion: MouthMotion) -> str:
    return NAMES[int(ovr_visemes(motion)[0].argmax())]


def opened(gap: float, **more: tuple[float, float, float]) -> MouthMotion:
    down = {f"p{point}": (0.0, gap, 0.0) for point in (*LOWER_MIDDLE, *LOWER_EDGE)}
    return moved(**(down | more))


def test_the_names_come_in_the_order_of_oculus() -> None:
    assert " ".join(NAMES) == "sil PP FF TH DD kk CH SS nn RR aa E ih oh ou"


def test_weights_of_a_frame_add_up_to_1(robins_codes: NDArray[np.float32]) -> None:
    from synthesis.performance.kept import lip_code_in_use

    weights = ovr_visemes(MouthMotion.of_codes(robins_codes, lip_code_in_use()[0]))
    assert weights.shape == (153, 15)
    assert weights.min() >= 0
    assert weights.sum(1) == pytest.approx(1)


def test_a_mouth_at_rest_is_silent(lip_code: LipCode) -> None:
    assert strongest(MouthMotion.of_codes(np.zeros((1, 12)), lip_code)) == "sil"


def test_open_is_aa_and_open_and_round_is_oh_and_a_pucker_is_ou() -> None:
    narrow = {"p78": (0.03, 0.0, 0.0), "p308": (-0.03, 0.0, 0.0)}
    assert strongest(opened(0.27)) == "aa"
    assert strongest(opened(0.17, **narrow)) == "oh"
    tight = {"p78": (0.045, 0.0, 0.0), "p308": (-0.045, 0.0, 0.0)}
    assert strongest(opened(0.05, **tight)) == "ou"


def test_lips_pressed_together_are_p_b_m() -> None:
    upper = {f"p{point}": (0.0, 0.01, 0.0) for point in (0, 37, 267)}
    lower = {f"p{point}": (0.0, -0.01, 0.0) for point in LOWER_EDGE}
    assert strongest(moved(**upper, **lower)) == "PP"


def test_what_only_the_tongue_tells_apart_is_not_told_apart() -> None:
    weights = ovr_visemes(opened(0.08))[0]
    shared = [weights[NAMES.index(name)] for name in TONGUE_ONLY]
    assert shared == pytest.approx([shared[0]] * len(shared))
    assert shared[0] > 0.05
