"""manage.py train and evaluate, from footage to weights that an engine loads."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from synthesis.engines.native import NativeEngine
from tests.synthesis.talking import excerpt

pytestmark = pytest.mark.slow


def told(*words: object) -> str:
    out = StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one talking clip, and one that is no video."""
    folder = tmp_path_factory.mktemp("talking") / "robin"
    folder.mkdir()
    excerpt(folder / "hello.mp4", 2.4, start_s=0.8)
    (folder / "broken.mp4").write_bytes(b"no video at all")
    return folder


def test_every_stage_runs_resumes_and_publishes_what_an_engine_loads(
    footage: Path, tmp_path: Path
) -> None:
    data, run, own = tmp_path / "data", tmp_path / "run", tmp_path / "own"
    lines = told("train", "prepare", footage, "--out", data)
    assert "hello ok" in lines
    left_out = json.loads((data / "left_out.json").read_text())
    assert list(left_out) == ["robin-broken"]
    # One clip cannot be split: everything is there to train on.
    splits = json.loads((data / "splits.json").read_text())
    splits = {part: [] for part in splits}
    splits |= {"train": ["robin-hello"], "expert": ["robin-hello"]}
    (data / "splits.json").write_text(json.dumps(splits))
    for stage in ("audio", "control", "renderer"):
        told("train", stage, data, "--run", run, "--steps", 2)
    assert "resumed at step 2" in told(
        "train", "control", data, "--run", run, "--steps", 3
    )
    told(
        "train", "adapt", data, "--general", run / "weights", "--run", own,
        "--steps", 2, "--control-steps", 2,
    )  # fmt: skip
    engine = NativeEngine.load(run / "weights", own / "weights")
    assert len(engine.weights_sha256) == 64


def test_training_without_a_usable_clip_says_so(tmp_path: Path) -> None:
    empty = tmp_path / "silent"
    empty.mkdir()
    (empty / "broken.mp4").write_bytes(b"no video at all")
    told("train", "prepare", empty, "--out", tmp_path / "data")
    with pytest.raises(CommandError, match="no prepared clip"):
        told("train", "audio", tmp_path / "data", "--run", tmp_path / "run")
