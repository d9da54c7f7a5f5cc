"""Weight files are loaded only as they were published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from synthesis.neural.control import ControlConfig, SoundToLips
from synthesis.neural.weights import GENERAL, WeightFolder, WeightsError, publish

SMALL = ControlConfig(width=16, heard=8, dilations=(1,))
LIMIT = 16 * 2**20


def small_folder(folder: Path) -> WeightFolder:
    torch.manual_seed(1)
    publish(folder, "control", SoundToLips(SMALL).state_dict(), SMALL, style_row=0)
    return WeightFolder(folder)


def test_what_is_published_loads_again(tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    network = folder.control()
    assert network.config == SMALL
    assert not any(p.requires_grad for p in network.parameters())
    assert folder.style_row == 0


def test_a_changed_byte_is_refused(tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    path = tmp_path / "control.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        folder.control()
    assert caught.value.code == "weights-changed"


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    small_folder(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["files"]["control.safetensors"]["config"]["width"] = 32
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(WeightsError) as caught:
        WeightFolder(tmp_path).control()
    assert caught.value.code == "weights-shape"


def test_settings_of_a_later_version_are_refused(tmp_path: Path) -> None:
    small_folder(tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["files"]["control.safetensors"]["config"]["wings"] = 2
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(WeightsError) as caught:
        WeightFolder(tmp_path).control()
    assert caught.value.code == "weights-shape"


def test_a_folder_without_a_manifest_is_no_weight_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        WeightFolder(tmp_path)
    assert caught.value.code == "weights-missing"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    (tmp_path / "control.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"control\.safetensors"):
        folder.control()


@pytest.mark.parametrize("folder", [GENERAL, GENERAL / "robin"])
def test_the_weights_in_the_repository_are_whole_and_small(folder: Path) -> None:
    weights = WeightFolder(folder)
    for name in weights.files:
        assert weights.arrays(Path(name).stem)
        assert (folder / name).stat().st_size < LIMIT


def test_robins_weights_stand_on_the_lip_code_beside_them() -> None:
    base = WeightFolder(GENERAL).sha256("lip_code")
    assert WeightFolder(GENERAL / "robin").base == base


def test_the_lip_code_in_the_repository_is_orthonormal() -> None:
    code = WeightFolder(GENERAL).lip_code()
    assert np.allclose(code.axes @ code.axes.T, np.eye(len(code.axes)), atol=1e-4)
    assert (np.diff(code.spread) <= 0).all()
