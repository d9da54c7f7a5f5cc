"""The model card says what the manifest and the figures say, and no more."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from synthesis.neural.card import CardError, evaluation_read, model_card
from synthesis.neural.stages import training_facts
from synthesis.neural.weights import WeightFolder, publish

FIGURES: dict[str, Any] = {
    "about": {"clips": 12, "seed": 3},
    "legend": {"psnr": "PSNR dB", "sharpness": "sharpness against real"},
    "targets": [
        {"name": "whole chain", "value": 30.514, "at_least": 32.5, "reached": False},
        {"name": "outside", "value": 0, "at_least": None, "reached": True},
    ],
    "mean": {
        "own sound": {
            "lipweb": {"psnr": 30.514, "sharpness": 0.8123},
            "real": {"psnr": None, "sharpness": 1.0},
        },
        "other sound": {},
    },
    "clips": [{"clip": "bbaf2n", "psnr": 29.0}],
}


def prepared(folder: Path, **parts: list[str]) -> Path:
    folder.mkdir()
    splits = {"train": [], "val": [], "test": [], "unseen": [], "held_out": []} | parts
    (folder / "splits.json").write_text(json.dumps(splits))
    return folder


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights of one training on two folders, and an actor's below them."""
    data = [
        prepared(tmp_path / "a", train=["x", "y"], val=["z"], held_out=["s3"]),
        prepared(tmp_path / "b", train=["q"], unseen=["r"], held_out=["s4"]),
    ]
    folder = tmp_path / "weights"
    facts = training_facts(data, steps=4200, seed=7)
    publish(folder, "control", {"w": np.ones(3, np.float32)}, training=facts)
    publish(folder, "lip_code", {"axes": np.ones(3, np.float32)})
    publish(folder / "robin", "references", {"crops": np.ones(3, np.float32)})
    return folder


def line_of(card: str, start: str) -> list[str]:
    (line,) = [line for line in card.splitlines() if line.startswith(f"| {start}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_hashes_and_training_come_from_the_manifest(weights: Path) -> None:
    card = model_card(weights, {})
    sha256 = WeightFolder(weights).sha256("control")
    assert sha256[:16] in card
    assert WeightFolder(weights / "robin").sha256("references")[:16] in card
    _, history = [line for line in card.splitlines() if "control.safet" in line]
    cells = [cell.strip() for cell in history.strip("|").split("|")]
    assert cells[1:] == ["4200", "7", "train", "3", "1", "0", "1", "s3, s4"]
    assert (
        "Not recorded: `lip_code.safetensors`, `robin/references.safetensors`." in card
    )


def test_figures_are_shown_as_measured_and_missing_ones_as_missing(
    weights: Path,
) -> None:
    card = model_card(weights, {"seen talkers": FIGURES})
    assert "### seen talkers" in card
    assert line_of(card, "whole chain") == ["whole chain", "30.5", "32.5", "no"]
    assert line_of(card, "PSNR dB") == ["PSNR dB", "30.5", "-"]
    assert line_of(card, "sharpness against real") == [
        "sharpness against real", "0.812", "1"
    ]  # fmt: skip
    assert "bbaf2n" not in card


@pytest.mark.parametrize(
    "content",
    [
        {"methods": {"lipweb": {"psnr": 31.5}, "retrieval": {"psnr": 28.25}}},
        {"mean": {"psnr": 31.5, "other": 28.25}},
        {"a": {"b": {"c": {"psnr": 31.5, "r": 28.25}}}},
    ],
)
def test_tables_of_other_shapes_are_shown_too(
    weights: Path, content: dict[str, Any]
) -> None:
    card = model_card(weights, {"x": content})
    assert "31.5" in card
    assert "28.2" in card


def test_unmeasured_weights_are_called_so(weights: Path) -> None:
    assert "not measured yet" in model_card(weights, {})


def test_what_must_be_said_is_said(weights: Path) -> None:
    card = model_card(weights, {})
    for words in ("CC BY 4.0", "Cooke", "What it cannot do", "Who must not be dubbed"):
        assert words in card
    assert "$" not in card


def test_the_command_writes_the_card_beside_the_weights(
    weights: Path, tmp_path: Path
) -> None:
    figures = tmp_path / "test-clips.json"
    figures.write_text(json.dumps(FIGURES))
    out = StringIO()
    call_command("train", "card", "--weights", weights, "--evaluation", figures,
                 stdout=out)  # fmt: skip
    card = (weights / "MODEL_CARD.md").read_text()
    assert "### test-clips" in card
    assert "4200" in card


def test_a_folder_without_weights_and_a_broken_evaluation_are_named(
    weights: Path, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="no readable weight manifest"):
        call_command("train", "card", "--run", tmp_path / "a")
    with pytest.raises(CardError, match="no readable weight manifest"):
        model_card(tmp_path, {})
    broken = tmp_path / "broken.json"
    broken.write_text("[1, 2")
    with pytest.raises(CardError, match=r"broken\.json"):
        evaluation_read(broken)
    broken.write_text("[1, 2]")
    with pytest.raises(CardError, match="no JSON object"):
        evaluation_read(broken)
