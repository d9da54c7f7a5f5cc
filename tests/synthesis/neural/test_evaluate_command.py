"""manage.py evaluate on a folder as people have them: good clips and bad ones."""

from __future__ import annotations

import json
import shutil
from io import StringIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from django.core.management import CommandError, call_command

from synthesis.engines.contenders import lineup
from synthesis.engines.native import NativeEngine
from synthesis.management.commands.evaluate import actor_folders, control_steps
from synthesis.neural import evaluate
from synthesis.neural.actor_clips import ActorFolders, learn_actor
from synthesis.neural.weights import GENERAL, WeightFolder
from tests.synthesis.talking import excerpt

pytestmark = pytest.mark.slow
OWN, CROSS = evaluate.OWN, evaluate.CROSS


def told(*words: object) -> str:
    out = StringIO()
    call_command(*map(str, words), stdout=out)
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two clips to judge, a third to adapt to, and two that cannot be used."""
    path = tmp_path_factory.mktemp("clips") / "robin"
    path.mkdir()
    excerpt(path / "a.mp4", 1.2, start_s=0.8)
    excerpt(path / "b.mp4", 1.2, start_s=3.0)
    excerpt(path / "mute.mp4", 1.2, gain=None)
    (path / "torn.mp4").write_bytes(b"no film at all")
    own = path.parent / "own"
    own.mkdir()
    excerpt(own / "c.mp4", 1.6, start_s=4.2)
    shutil.copy(path / "a.mp4", own / "a-again.mp4")
    return path


@pytest.fixture(scope="module")
def adapted(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Judged with weights adapted in two steps: said lines, figures, the sheet."""
    out = tmp_path_factory.mktemp("out")
    lines = told(
        "evaluate", folder, "--adapt", folder.parent / "own", "--adapt-steps", 2,
        "--adapt-control-steps", 0, "--json", out / "figures.json",
        "--sheet-clips", 1,
    )  # fmt: skip
    sheet = cv2.imread(str(out / "figures.png"))
    return lines, json.loads((out / "figures.json").read_text()), sheet


def test_clips_that_cannot_be_judged_are_named_with_their_reasons(adapted: Any) -> None:
    lines, content, _ = adapted
    left_out = content["about"]["left_out"]
    assert sorted(left_out) == ["robin/mute.mp4", "robin/torn.mp4"]
    assert "no sound" in left_out["robin/mute.mp4"]
    assert "robin/torn.mp4: left out." in lines
    assert content["about"]["clips_judged"] == 2


def test_every_row_is_judged_under_both_sounds(adapted: Any) -> None:
    _, content, _ = adapted
    own, cross = content["mean"][OWN], content["mean"][CROSS]
    assert {"real", "lipweb", "retrieval", "lipweb not adapted"} <= set(cross)
    assert {"lipweb true codes", "retrieval true codes"} <= set(own) - set(cross)
    sounds = {c["clip"]: c["sound"] for c in content["clips"] if c["heard"] == CROSS}
    assert sounds == {"robin-a": "robin-b", "robin-b": "robin-a"}


def test_the_figures_are_of_the_frames_that_came_out(adapted: Any) -> None:
    _, content, _ = adapted
    own = content["mean"][OWN]
    assert own["real"]["psnr"] == 99.0
    assert 15 < own["lipweb"]["psnr"] < own["lipweb true codes"]["psnr"] < 45
    assert own["lipweb true codes"]["opening_r"] > 0.7
    for rows in content["mean"].values():
        assert all(row["strayed"] == 0 for row in rows.values())


def test_a_clip_to_judge_is_never_adapted_to(adapted: Any) -> None:
    lines, content, _ = adapted
    assert content["about"]["adapted_to"] == ["c.mp4"]
    assert "Learning from 1 of the actor's own clips." in lines


def test_adaptation_is_judged_beside_its_absence(adapted: Any) -> None:
    _, content, _ = adapted
    names = {t["name"]: t for t in content["targets"]}
    assert names["talker adapted to: renderer over retrieval, dB"]["value"] is not None
    plain, learned = (
        content["mean"][OWN][f"lipweb{word}"]["psnr"] for word in ("", " not adapted")
    )
    assert plain != learned


def test_what_is_missing_from_the_weights_is_said(adapted: Any) -> None:
    lines, content, _ = adapted
    for what, why in lineup(GENERAL, (None, None)).missing.items():
        assert content["about"]["missing"][what] == why
        assert f"Without {what}: {why}" in lines


def test_the_sheet_is_a_picture_with_something_on_it(adapted: Any) -> None:
    *_, sheet = adapted
    assert sheet.shape[1] > 1000
    # Two pages: seven or more rows, and four or more.
    assert sheet.shape[0] > 11 * 100
    assert np.ptp(sheet[:, 300:].astype(int)) > 150


def test_stopping_keeps_what_was_judged(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, judged = evaluate.Bench.clip, []

    def once(*words: Any) -> Any:
        if judged:
            raise KeyboardInterrupt
        judged.append(True)
        return judge(*words)

    monkeypatch.setattr(evaluate.Bench, "clip", once)
    target = tmp_path / "figures.json"
    with pytest.raises(CommandError, match="judged so far") as caught:
        told("evaluate", folder, "--json", target, "--sheet-clips", 0, "--seconds", 0.8)
    assert caught.value.returncode == 130
    about = json.loads(target.read_text())["about"]
    assert (about["interrupted"], about["clips_judged"]) == (True, 1)


def test_a_folder_with_nothing_to_judge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no clip to judge"):
        told("evaluate", tmp_path)
    (tmp_path / "torn.mp4").write_bytes(b"no film")
    with pytest.raises(CommandError, match="no clip to judge"):
        told("evaluate", tmp_path)


def test_an_adapt_folder_of_nothing_but_judged_clips_is_refused(folder: Path) -> None:
    with pytest.raises(CommandError, match="no clip but those to judge"):
        told("evaluate", folder / "a.mp4", "--adapt", folder / "a.mp4")


def test_the_control_network_alone_can_be_adapted(folder: Path, tmp_path: Path) -> None:
    out = ActorFolders(tmp_path)
    own = [folder.parent / "own" / "c.mp4"]
    list(learn_actor(own, GENERAL, out, steps=0, control_steps=1, seed=1))
    learned, general = WeightFolder(out.adapted), WeightFolder(GENERAL)
    assert "renderer" not in learned
    assert "references" in learned
    assert learned.sha256("control") != general.sha256("control")
    # What it is told to draw for a sound is another; what draws it is not.
    before, after = (
        NativeEngine.load(actor=out.plain),
        NativeEngine.load(actor=out.adapted),
    )
    assert before.weights_sha256 != after.weights_sha256
    folders = actor_folders(None, out, own=True)
    assert folders == (out.adapted, out.plain)


def test_without_the_renderer_the_control_network_is_left_alone_unless_asked() -> None:
    asked = [(300, None), (0, None), (0, 9), (300, 0)]
    told = [
        control_steps({"adapt_steps": steps, "adapt_control_steps": control})
        for steps, control in asked
    ]
    assert told == [60, 0, 9, 0]
