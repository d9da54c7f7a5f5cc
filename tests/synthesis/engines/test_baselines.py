"""The baselines draw something else than the native engine, in the very same place."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synthesis.engines.base import Controls, ShotFace
from synthesis.engines.baselines import RetrievalEngine, UNetEngine
from synthesis.engines.native import NativeEngine
from synthesis.neural.baseline import BaselineConfig, MaskedUNet
from synthesis.neural.weights import GENERAL, WeightsError, publish
from tests.synthesis.engines.test_native import shot


@pytest.fixture(scope="module")
def face() -> ShotFace:
    """A second and a half of Robin: references far enough from every frame."""
    whole = shot(30, 36)
    frames = list(whole.frames())
    return replace(whole, frames=lambda: iter(frames))


@pytest.fixture(scope="module")
def with_unet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The general weights, and a small U-Net nobody trained."""
    folder = tmp_path_factory.mktemp("weights")
    shutil.copytree(GENERAL, folder, dirs_exist_ok=True)
    torch.manual_seed(1)
    network = MaskedUNet(BaselineConfig(channels=(8, 8, 8), voice=8))
    publish(folder, "baseline", network.state_dict(), network.config)
    return folder


def test_retrieval_lies_where_the_native_mouth_does_with_other_pixels(
    face: ShotFace,
) -> None:
    ours = list(NativeEngine.load().mouths(face, Controls()))
    pasted = list(RetrievalEngine.load().mouths(face, Controls()))
    assert len(pasted) == len(ours) == 36
    for a, b in zip(ours, pasted, strict=True):
        assert a is not None
        assert b is not None
        assert np.array_equal(a.to_frame, b.to_frame)
        inside = b.rgba[..., 3] > 250
        assert (a.rgba[..., 3][inside] > 250).all()
        assert not np.array_equal(a.rgba[inside], b.rgba[inside])


def test_retrieval_of_the_filmed_codes_pastes_another_frame_of_the_actor(
    face: ShotFace,
) -> None:
    engine = RetrievalEngine.load()
    ours = NativeEngine.load()
    codes = ours.lip_codes(face, Controls())
    still, moving = (
        list(engine.mouths(face, Controls(codes=c)))
        for c in (np.zeros_like(codes), codes)
    )
    pairs = zip(still, moving, strict=True)
    apart = [np.abs(a.rgba.astype(int) - b.rgba).mean() for a, b in pairs if a and b]
    assert max(apart) > 0.5


def test_without_the_clips_own_pictures_all_references_are_the_actors_stored_ones(
    face: ShotFace,
) -> None:
    robin = GENERAL / "robin"
    product, other = (
        RetrievalEngine.load(actor=robin),
        RetrievalEngine.load(actor=robin),
    )
    other.scene_pictures = False
    asked = np.zeros((36, 12), np.float32)
    both = [list(e.mouths(face, Controls(codes=asked))) for e in (product, other)]
    assert all(p is not None for p in both[1])
    assert any(
        not np.array_equal(a.rgba, b.rgba)
        for a, b in zip(*both, strict=True)
        if a and b
    )


def test_the_unet_hears_the_sound_and_looks_at_no_code(
    face: ShotFace, with_unet: Path
) -> None:
    engine = UNetEngine.load(with_unet)

    def drawn(face: ShotFace, controls: Controls) -> np.ndarray:
        return np.stack([p.rgba for p in engine.mouths(face, controls) if p])

    plain = drawn(face, Controls())
    assert plain.shape == (36, 96, 112, 4)
    codes = np.ones((36, 12), np.float32)
    assert np.array_equal(drawn(face, Controls(codes=codes)), plain)
    backwards = replace(face, sound=face.sound[::-1].copy())
    assert not np.array_equal(drawn(backwards, Controls()), plain)


def test_frames_without_a_face_do_not_shift_what_the_unet_hears(
    face: ShotFace, with_unet: Path
) -> None:
    engine = UNetEngine.load(with_unet)
    landmarks = face.landmarks.copy()
    landmarks[10:12] = np.nan
    whole = list(engine.mouths(face, Controls()))
    torn = list(engine.mouths(replace(face, landmarks=landmarks), Controls()))
    assert [k for k, p in enumerate(torn) if p is None] == [10, 11]
    last, same = whole[-1], torn[-1]
    assert last is not None
    assert same is not None
    inside = (last.rgba[..., 3] > 250) & (same.rgba[..., 3] > 250)
    apart = np.abs(last.rgba[..., :3].astype(int) - same.rgba[..., :3])[inside]
    assert np.median(apart) <= 2


def test_weights_without_a_unet_are_refused(tmp_path: Path) -> None:
    shutil.copytree(GENERAL, tmp_path, dirs_exist_ok=True)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace("baseline.safetensors", "x"))
    with pytest.raises(WeightsError) as caught:
        UNetEngine.load(tmp_path)
    assert caught.value.code == "weights-missing"
