"""The renderer's shapes and its promises before any training."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synthesis.faces.align import CANONICAL, CropSpec
from synthesis.neural import masks
from synthesis.neural.discriminator import MouthCritic
from synthesis.neural.renderer import Renderer, RendererConfig, _unshuffled

TINY = RendererConfig(
    width=64, height=32, channels=(8, 8, 8), detail=8, condition=8, px_per_eyes=38.0
)


@pytest.mark.parametrize(
    "config",
    [
        TINY,
        RendererConfig(width=64, height=64, step=2, channels=(8, 8, 8), detail=8),
    ],
)
def test_a_crop_goes_in_and_a_crop_and_a_face_come_out(config: RendererConfig) -> None:
    height, width = config.height, config.width
    made, face = Renderer(config)(
        torch.rand(2, 3, height, width),
        torch.ones(height, width),
        torch.rand(2, 4, 3, height, width),
        torch.randn(2, 12),
        torch.randn(2, 4, 12),
    )
    assert made.shape == (2, 3, height, width)
    assert face.shape == (2, 1, height, width)


def test_untrained_it_returns_the_mean_of_its_references() -> None:
    references = torch.rand(1, 4, 3, 32, 64)
    made, _ = Renderer(TINY)(
        torch.rand(1, 3, 32, 64),
        torch.ones(32, 64),
        references,
        torch.zeros(1, 12),
        torch.zeros(1, 4, 12),
    )
    assert torch.allclose(made, references.mean(1), atol=1e-5)


def test_larger_references_give_a_larger_picture_of_the_same_mouth() -> None:
    torch.manual_seed(2)
    renderer = Renderer(TINY).eval()
    torch.nn.init.normal_(renderer.flow.weight, std=0.02)
    hole = torch.zeros(32, 64)
    hole[8:24, 16:48] = 1
    smooth = torch.nn.functional.interpolate(
        torch.rand(4, 3, 4, 8), (96, 192), mode="bicubic"
    )
    small = torch.nn.functional.interpolate(smooth, (32, 64), mode="area")
    given = torch.rand(1, 3, 32, 64), hole, small[None]
    codes = torch.rand(1, 12), torch.rand(1, 4, 12)
    drawn, face = renderer(*given, *codes)
    larger, same = renderer(*given, *codes, smooth[None])
    assert larger.shape == (1, 3, 96, 192)
    assert torch.equal(face, same)
    shrunk = torch.nn.functional.interpolate(larger, (32, 64), mode="area")
    inside = (slice(None), slice(None), slice(9, 23), slice(17, 47))
    assert (shrunk - drawn)[inside].abs().mean() < 0.02


def test_what_the_hole_hides_cannot_be_seen() -> None:
    torch.manual_seed(1)
    renderer = Renderer(TINY).eval()
    torch.nn.init.normal_(renderer.finish.weight)
    hole = torch.zeros(32, 64)
    hole[8:24, 16:48] = 1
    inputs = hole, torch.rand(1, 4, 3, 32, 64), torch.rand(1, 12), torch.rand(1, 4, 12)
    target = torch.rand(1, 3, 32, 64)
    other = torch.where(hole > 0, torch.rand(1, 3, 32, 64), target)
    assert torch.equal(renderer(target, *inputs)[0], renderer(other, *inputs)[0])


def test_the_critic_judges_patches() -> None:
    verdict, features = MouthCritic()(torch.rand(2, 2, 3, 48, 64))
    assert verdict.shape == (2, 1, 3, 4)
    assert len(features) == 3


@pytest.mark.parametrize("spec", [CropSpec(), CropSpec(288, 256, 172.0)])
def test_the_mask_is_soft_inside_and_nothing_outside_the_hole(spec: CropSpec) -> None:
    hole, soft = masks.hole(spec), masks.soft_hole(spec)
    assert soft[hole == 0].max() == 0
    assert soft.max() == 1
    left, top, right, bottom = masks.box_px(masks.HOLE, spec)
    assert soft[top, left:right].max() < 0.1
    assert soft[(top + bottom) // 2, (left + right) // 2] == 1


def test_the_matte_ends_at_the_jaw() -> None:
    spec = CropSpec()
    points = spec.pixels(CANONICAL)
    matte = masks.face_matte(points, spec)
    mouth, chin = points[14].astype(int), points[152].astype(int)
    assert matte[mouth[1], mouth[0]] == 255
    assert matte[min(chin[1] + 12, spec.height - 1), chin[0]] < 20
    assert matte[-1, 0] == 0


def test_the_mouth_box_lies_in_the_hole() -> None:
    spec = CropSpec()
    left, top, right, bottom = masks.box_px(masks.MOUTH, spec)
    assert masks.hole(spec)[top:bottom, left:right].all()


def telling(config: RendererConfig) -> Renderer:
    """A renderer whose every layer has its say in the picture."""
    torch.manual_seed(3)
    renderer = Renderer(config).eval()
    for layer in (renderer.flow, renderer.finish):
        torch.nn.init.normal_(layer.weight, std=0.1)
    return renderer


@pytest.mark.parametrize("step", [1, 2])
def test_inside_the_hole_the_result_is_the_same_for_less_work(step: int) -> None:
    size = 128
    config = RendererConfig(
        width=size, height=size, step=step, channels=(8, 8, 8), detail=8, condition=8
    )
    renderer = telling(config)
    hole = torch.zeros(size, size)
    hole[45:70, 50:81] = 1
    given = (
        torch.rand(1, 3, size, size), hole, torch.rand(1, 4, 3, size, size),
        torch.randn(1, 12), torch.randn(1, 4, 12),
    )  # fmt: skip
    with torch.inference_mode():
        whole, spared = renderer(*given), renderer(*given, inside=True)
    near = np.s_[..., 41:74, 46:85]
    for everywhere, there in zip(whole, spared, strict=True):
        assert there.shape == everywhere.shape
        assert torch.allclose(there[near], everywhere[near], atol=1e-5)
        assert not there[..., :8, :].any()
        assert everywhere[..., :8, :].any()


def test_pictures_fold_as_pixel_unshuffle_does_however_they_lie() -> None:
    first = torch.rand(2, 8, 12, 3).movedim(-1, 1)
    second = torch.rand(2, 1, 8, 12)
    folded = _unshuffled(first, second)
    expected = torch.nn.functional.pixel_unshuffle(torch.cat([first, second], 1), 4)
    assert torch.equal(folded, expected)
    assert folded.is_contiguous(memory_format=torch.channels_last)
