"""A supervisor's dials over the network's curve: ranges, blends, points."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from synthesis.engines.base import OPENING, WIDTH, Controls, KeyPoint, Stretch
from synthesis.engines.dialled import dialled, drawn, nearness
from tests.conftest import REPOSITORY

COUNT, AXES = 60, 12
CURVE = np.sin(np.arange(COUNT) / 3.0) + 1


def sounding(offset_frames: float) -> NDArray[np.float32]:
    """What a network would ask for: CURVE on every axis, moved later."""
    at = np.arange(COUNT) - offset_frames
    curve = np.interp(at, np.arange(COUNT), CURVE)
    return np.repeat(curve[:, None], AXES, axis=1).astype(np.float32)


def opening(controls: Controls) -> NDArray[np.float64]:
    return dialled(sounding, controls, COUNT)[:, OPENING].astype(np.float64)


def test_neutral_dials_change_nothing() -> None:
    assert np.allclose(opening(Controls()), CURVE)


def test_offset_and_intensity_hold_for_the_whole_shot() -> None:
    moved = opening(Controls(offset_frames=3, intensity=0.5))
    assert np.allclose(moved[3:], CURVE[:-3] / 2, atol=1e-6)


def test_a_range_is_met_in_full_inside_and_blends_over_four_frames_outside() -> None:
    made = opening(Controls(stretches=(Stretch(20, 30, 0.0, 0.0),)))
    assert np.allclose(made[20:30], 0)
    share = made / CURVE
    assert np.allclose(share[15:20], [1, 0.8, 0.6, 0.4, 0.2])
    assert np.allclose(share[30:35], [0.2, 0.4, 0.6, 0.8, 1])
    assert np.allclose(share[:15], 1)
    assert np.allclose(share[35:], 1)


def test_a_range_has_an_offset_of_its_own() -> None:
    made = opening(Controls(offset_frames=1, stretches=(Stretch(20, 30, 5, 1.0),)))
    assert np.allclose(made[20:30], CURVE[15:25], atol=1e-6)
    assert np.allclose(made[40:], CURVE[39:-1], atol=1e-6)


def test_two_ranges_that_meet_cross_over_without_a_dip() -> None:
    both = (Stretch(10, 30, 0, 0.5), Stretch(30, 50, 0, 0.5))
    assert np.allclose(opening(Controls(stretches=both))[10:50], CURVE[10:50] / 2)


def test_a_range_that_reaches_the_cut_has_no_blend_there() -> None:
    assert nearness(0, 10, 20)[0] == 1
    assert nearness(10, 20, 20)[-1] == 1


def test_a_drawn_point_is_met_exactly_and_only_on_its_own_axis() -> None:
    made = dialled(
        sounding, Controls(points=(KeyPoint(25, WIDTH, -2.0),), intensity=0.5), COUNT
    )
    assert made[25, WIDTH] == pytest.approx(-2.0)
    assert np.allclose(made[:, OPENING], CURVE / 2, atol=1e-6)
    changed = np.flatnonzero(~np.isclose(made[:, WIDTH], CURVE / 2, atol=1e-6))
    assert changed.min() >= 21
    assert changed.max() <= 29


def test_points_near_each_other_are_joined_without_overshoot() -> None:
    points = [KeyPoint(10, 0, 0.0), KeyPoint(16, 0, 3.0), KeyPoint(22, 0, 3.0)]
    values, weights = drawn(points, COUNT)
    assert values[[10, 16, 22]].tolist() == [0, 3, 3]
    assert (np.diff(values[10:23]) >= -1e-9).all()
    assert values[16:23].max() <= 3
    assert (weights[10:23] == 1).all()


def test_between_points_far_apart_the_sound_has_its_way() -> None:
    points = (KeyPoint(10, 0, 3.0), KeyPoint(40, 0, 3.0))
    made = opening(Controls(points=points))
    assert np.allclose(made[15:36], CURVE[15:36], atol=1e-6)
    assert made[[10, 40]].tolist() == [3, 3]


def test_the_order_of_points_does_not_matter() -> None:
    points = (KeyPoint(10, 0, 1.0), KeyPoint(14, 0, 2.0), KeyPoint(12, 0, 0.0))
    one, two = Controls(points=points), Controls(points=points[::-1])
    assert np.array_equal(opening(one), opening(two))


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_the_page_foretells_what_the_server_computes() -> None:
    controls = Controls(
        2.5,
        0.8,
        (Stretch(5, 12, -3.0, 1.2), Stretch(12, 20, 0.0, 0.4)),
        tuple(KeyPoint(f, 0, v) for f, v in [(30, 0.5), (34, 2), (41, -1), (55, 1)]),
    )
    foretold = _in_node(controls)
    assert np.allclose(foretold, opening(controls), atol=1e-4)


def _in_node(controls: Controls) -> list[float]:
    wish: dict[str, Any] = {
        "offset": controls.offset_frames,
        "intensity": controls.intensity,
        "ranges": [
            {
                "first": s.first_frame,
                "end": s.end_frame,
                "offset": s.offset_frames,
                "intensity": s.intensity,
            }
            for s in controls.stretches
        ],
        "points": [asdict(point) for point in controls.points],
        "blend": 4,
        "join": 12,
    }
    program = (
        'import { dialled } from "./static/synthesis/dialled.js";'
        f"console.log(JSON.stringify(dialled({CURVE.tolist()},"
        f" {json.dumps(wish)})));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", program],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    values: list[float] = json.loads(done.stdout)
    return values
