"""Prepared data travels small and comes back fit to train on."""

from __future__ import annotations

import json
import zipfile
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command

from synthesis.faces.align import CropSpec
from synthesis.neural.articulation import Spoken
from synthesis.neural.dataset import coded, read_spec, read_splits
from synthesis.neural.lipcode import learn_lip_code, mouth_shapes, rest_shape
from synthesis.neural.mel import RATE_HZ
from synthesis.neural.packing import KEPT, pack, unpack
from synthesis.neural.prepare import load_clip, load_sound, load_words, prepare
from synthesis.neural.training import TrainingError
from tests.synthesis.talking import excerpt

SPEC = CropSpec()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a prepared folder of two talkers, one clip each."""
    folder = tmp_path_factory.mktemp("footage")
    film = excerpt(folder / "film.mp4", 2.4, start_s=0.8)
    for talker in ("robin", "hal"):
        (folder / talker).mkdir()
        # An empty box more: the same film twice would be left out.
        more = film.read_bytes() + b"\0\0\0\x08free" * len(talker)
        (folder / talker / "hello.mp4").write_bytes(more)
    film.unlink()
    (folder / "robin" / "hello.align").write_text("0 25000 bin\n")
    out = tmp_path_factory.mktemp("prepared")
    list(prepare([folder], out, SPEC))
    return out


@pytest.fixture(scope="module")
def returned(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same folder, packed and unpacked by the command."""
    folder = tmp_path_factory.mktemp("journey")
    told = StringIO()
    call_command(
        "train", "pack", prepared, "--out", folder / "grid.pack", "--limit-mb", "1",
        stdout=told,
    )  # fmt: skip
    assert "2 clips" in told.getvalue()
    raw_bytes = sum(p.stat().st_size for p in (prepared / "clips").iterdir())
    assert (folder / "grid.pack").stat().st_size < raw_bytes / 10
    call_command(
        "train", "unpack", folder / "grid.pack", "--out", folder / "out", stdout=told
    )
    return folder / "out"


def test_splits_and_crop_size_come_back(prepared: Path, returned: Path) -> None:
    assert read_splits(returned) == read_splits(prepared)
    assert read_spec(returned) == SPEC


def test_pictures_come_back_almost_alike(prepared: Path, returned: Path) -> None:
    sent, came = (load_clip(p, "robin-hello").crops for p in (prepared, returned))
    assert came.shape == sent.shape and came.dtype == np.uint8
    error = (np.asarray(sent, float) - came) ** 2
    assert 10 * np.log10(255**2 / error.mean()) > 40


def test_sound_and_times_come_back(prepared: Path, returned: Path) -> None:
    sent, came = (load_clip(p, "robin-hello") for p in (prepared, returned))
    assert np.abs(sent.mel - came.mel).max() < 0.006
    assert np.array_equal(sent.times_s, came.times_s)
    assert np.allclose(sent.to_frame, came.to_frame)
    assert came.talker == "robin"
    kept, heard = (load_sound(p, "robin-hello") for p in (prepared, returned))
    assert np.array_equal(kept, heard) and len(kept) > 2 * RATE_HZ


def test_words_come_back_where_there_were_any(returned: Path) -> None:
    assert load_words(returned, "robin-hello") == [Spoken("bin", 0.0, 1.0)]
    assert load_words(returned, "hal-hello") is None


def test_codes_and_poses_come_back(prepared: Path, returned: Path) -> None:
    sent, came = (load_clip(p, "robin-hello") for p in (prepared, returned))
    assert np.abs(sent.landmarks[:, KEPT] - came.landmarks[:, KEPT]).max() < 0.02
    shapes = mouth_shapes(sent.landmarks)
    code = learn_lip_code([shapes - rest_shape(shapes)])
    before, after = coded(sent, code, SPEC), coded(came, code, SPEC)
    assert np.abs(before.codes[:, :6] - after.codes[:, :6]).max() < 0.2
    assert np.abs(before.turns - after.turns).max() < 0.1


def test_points_that_did_not_travel_are_no_numbers(returned: Path) -> None:
    landmarks = load_clip(returned, "robin-hello").landmarks
    left = np.setdiff1d(np.arange(468), KEPT)
    assert np.isnan(landmarks[:, left]).all()
    assert not np.isnan(landmarks[:, KEPT]).any()


def test_a_small_limit_takes_fewer_clips_and_names_only_those(
    prepared: Path, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    list(pack(prepared, whole, limit_bytes=10**7))
    limit = whole.stat().st_size * 2 // 3
    lines = list(pack(prepared, tmp_path / "half", limit_bytes=limit))
    assert lines[-1].startswith("1 clips")
    list(unpack(tmp_path / "half", tmp_path / "out"))
    inside = [n for names in read_splits(tmp_path / "out").values() for n in names]
    assert len(set(inside)) == 1
    assert (tmp_path / "out" / "clips" / f"{inside[0]}.npz").exists()


def test_a_limit_below_one_clip_is_refused_and_leaves_no_file(
    prepared: Path, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match="Not one"):
        list(pack(prepared, tmp_path / "none", limit_bytes=100))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_pack_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"no pack at all")
    with pytest.raises(TrainingError, match="no pack"):
        list(unpack(tmp_path / "x", tmp_path / "out"))


def test_a_pack_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "evil", "w") as archive:
        archive.writestr("../../evil.npz", b"")
        archive.writestr("crop.json", json.dumps({}))
    with pytest.raises(TrainingError, match="outside"):
        list(unpack(tmp_path / "evil", tmp_path / "out"))
    assert not list(tmp_path.parent.glob("evil.npz"))
