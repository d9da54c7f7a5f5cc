"""What `make bench` says of figures, and the memory it sees."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lipweb.bench import peak_memory, scene_lengthen
from lipweb.demo_production import SCENE
from lipweb.management.commands.bench import missed_bounds
from synthesis.models import Render

GOOD = {"seconds": 10, "tier": "final", "factor": 1.5, "peak_mib": 1000}


def test_figures_within_their_bounds_are_all_right() -> None:
    draft = GOOD | {"tier": "draft", "factor": 0.9}
    assert missed_bounds([GOOD, draft], 1.15) == []


@pytest.mark.parametrize(
    ("change", "growth", "said"),
    [
        ({"factor": 2.01}, 1.0, "2.01 times its length"),
        ({"tier": Render.Tier.DRAFT, "factor": 1.2}, 1.0, "1 wanted"),
        ({"peak_mib": 2561}, 1.0, "2561 MiB"),
        ({}, 1.16, "memory grew 1.16 times"),
    ],
)
def test_a_bound_that_was_missed_is_named(
    change: dict[str, Any], growth: float, said: str
) -> None:
    (sentence,) = missed_bounds([GOOD | change], growth)
    assert said in sentence


def test_memory_of_a_child_is_seen_while_it_is_held(
    wait_for: Callable[..., Any],
) -> None:
    hold = "import sys; held = bytearray(300 << 20); sys.stdin.read()"
    with peak_memory(os.getpid(), every_s=0.02) as alone:
        wait_for(lambda: alone.bytes)
    with (
        peak_memory(os.getpid(), every_s=0.02) as peak,
        subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE) as child,
    ):
        wait_for(lambda: peak.bytes - alone.bytes > 250 << 20)
        child.communicate(b"")


def test_a_scene_to_measure_is_never_one_that_was_rendered_before(
    tmp_path: Path,
) -> None:
    for name in ("once", "again"):
        scene_lengthen(SCENE, tmp_path / f"{name}.mp4", seconds=1)
    once, again = (
        (tmp_path / f"{name}.mp4").read_bytes() for name in ("once", "again")
    )
    assert once != again
    assert len(once) == len(again)
