"""The evaluator: does this mouth say this sound, and at which moment?

It only judges. Nothing is trained against it, and it shares nothing with the sync
expert of neural.control: it looks at pixels where that one is given lip codes, hears
cepstra at 50 Hz instead of a log-mel at 100 Hz, is recurrent instead of convolutional
in time, and learned from other clips under another seed.

Each embedding is made of a short window by itself, so that none can know how far it
lies from the start of a clip: with one run over a whole clip, "both have just begun"
would give the offset away.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from synthesis.errors import SynthesisError
from synthesis.faces.align import CropSpec
from synthesis.neural import masks
from synthesis.neural.mel import RATE_HZ, resampled

SPEC = CropSpec()
"""Crops are judged at this size only."""
MARGIN_PX = 6
"""Around the mouth box, for views that are shifted in training."""
VIEW = (32, 48)
"""Height and width of what the network looks at."""
CEPSTRA_RATE_HZ = 50
HOP = RATE_HZ // CEPSTRA_RATE_HZ
FFT = 512
BANDS = 40
CEPSTRA = 13
DEPTH_DB = 60.0
DELTA_FRAMES = 5
REACH_FRAMES = 15
"""Offsets looked at to either side."""
LEAST_OVERLAP_FRAMES = 8
WINDOW_S = 3.0
"""Length of picture by which the evaluator is validated."""


class JudgeError(SynthesisError):
    """The evaluator cannot judge what it was given."""


@dataclass(frozen=True)
class EvaluatorConfig:
    """Everything that fixes the shapes of the weights."""

    channels: tuple[int, int, int] = (24, 48, 64)
    """Of the three convolutions that look at one picture."""
    width: int = 96
    """Of both recurrent layers."""
    embedding: int = 64
    seen: int = 4
    """Frames to either side of the one whose embedding is made."""
    heard: int = 10
    """Steps of cepstra to either side: 0.2 s."""


class MouthEncoder(nn.Module):
    """Views (B, T, 2, h, w) -> (B, T - 2 seen, embedding)."""

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        c0, c1, c2 = config.channels
        self.window = 2 * config.seen + 1
        self.look = nn.Sequential(
            nn.Conv2d(2, c0, 5, stride=2, padding=2), nn.GroupNorm(4, c0), nn.ReLU(),
            nn.Conv2d(c0, c1, 3, stride=2, padding=1), nn.GroupNorm(4, c1), nn.ReLU(),
            nn.Conv2d(c1, c2, 3, stride=2, padding=1), nn.GroupNorm(4, c2), nn.ReLU(),
            nn.Flatten(), nn.Dropout(0.3),
            nn.Linear(c2 * VIEW[0] * VIEW[1] // 64, config.width), nn.ReLU(),
        )  # fmt: skip
        self.follow = nn.GRU(config.width, config.width, batch_first=True)
        self.out = nn.Linear(config.width, config.embedding)

    def forward(self, views: Tensor) -> Tensor:
        batch, count = views.shape[:2]
        each = self.look(views.flatten(0, 1)).view(batch, count, -1)
        windows = each.unfold(1, self.window, 1).transpose(2, 3)  # (B, T', window, C)
        _, last = self.follow(windows.flatten(0, 1))
        seen: Tensor = F.normalize(self.out(last[0]), dim=1)
        return seen.view(batch, count - self.window + 1, -1)


class VoiceEncoder(nn.Module):
    """Windows of cepstra (N, 2 heard + 1, 3 CEPSTRA) -> (N, embedding)."""

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.follow = nn.GRU(
            3 * CEPSTRA, config.width, batch_first=True, bidirectional=True
        )
        self.dropout = nn.Dropout(0.2)
        self.out = nn.Linear(2 * config.width, config.embedding)

    def forward(self, windows: Tensor) -> Tensor:
        _, last = self.follow(windows)  # (2, N, width)
        both = self.dropout(last.transpose(0, 1).flatten(1))
        heard: Tensor = F.normalize(self.out(both), dim=1)
        return heard


class Evaluator(nn.Module):
    """Both encoders; embeddings have length 1, so a product is a similarity."""

    def __init__(self, config: EvaluatorConfig) -> None:
        super().__init__()
        self.config = config
        self.mouth = MouthEncoder(config)
        self.voice = VoiceEncoder(config)


@dataclass(frozen=True)
class Sync:
    """What the evaluator found.

    offset_frames: above 0 the picture is later than the sound. confidence: the best
    similarity less the median over offsets. similarity: (2 reach + 1,), mean cosine
    at offsets -reach..reach, over the frames that overlap.
    """

    offset_frames: int
    confidence: float
    similarity: NDArray[np.float64]


@dataclass(frozen=True)
class Placement:
    """A real window moved by a known offset, and where the evaluator put it."""

    true_frames: int
    found_frames: int

    @property
    def right(self) -> bool:
        """Return whether it was placed within one frame."""
        return abs(self.true_frames - self.found_frames) <= 1


def judge_sync(
    evaluator: Evaluator,
    crops: NDArray[np.uint8],
    sound: NDArray[np.float32],
    times_s: NDArray[np.floating],
    *,
    reach: int = REACH_FRAMES,
) -> Sync:
    """Find by how many frames the picture is later than the sound.

    crops: RGB uint8 (n, 96, 112, 3) of CropSpec() on one face without a cut. sound:
    mono (samples,) at 16 kHz, -1..1. times_s: (n,), where in the sound each frame
    stands. Confidence after SyncNet (Chung & Zisserman 2016, section 3). Raises
    JudgeError ("too-short") where an offset would leave hardly a frame to compare.
    """
    return compared(*embeddings(evaluator, crops, sound, times_s), reach=reach)


def agreement(
    evaluator: Evaluator,
    crops: NDArray[np.uint8],
    sound: NDArray[np.float32],
    times_s: NDArray[np.floating],
) -> float:
    """Return the mean similarity -1..1 of picture and sound as they stand."""
    return _similarity(*embeddings(evaluator, crops, sound, times_s), 0)


def placements(
    evaluator: Evaluator,
    crops: NDArray[np.uint8],
    sound: NDArray[np.float32],
    times_s: NDArray[np.floating],
    rng: np.random.Generator,
    *,
    trials: int = 4,
) -> list[Placement]:
    """Move each 3 s window of a real clip by random known offsets and look for them.

    The offsets are even over -15..15 frames. A clip of less than 3 s is one window;
    the rest of a longer one is left. Raises JudgeError ("too-short").
    """
    frame_s = float(np.median(np.diff(times_s)))
    size = min(len(crops), round(WINDOW_S / frame_s))
    found = []
    for start in range(0, len(crops) - size + 1, size):
        window = slice(start, start + size)
        for true in rng.integers(-REACH_FRAMES, REACH_FRAMES + 1, trials).tolist():
            moved = times_s[window] + true * frame_s
            sync = judge_sync(evaluator, crops[window], sound, moved)
            found.append(Placement(true, sync.offset_frames))
    return found


@torch.no_grad()
def embeddings(
    evaluator: Evaluator,
    crops: NDArray[np.uint8],
    sound: NDArray[np.float32],
    times_s: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what is seen and heard, (n, embedding) each, NaN where the clip ends.

    Arguments as of judge_sync.
    """
    config = evaluator.config
    count = len(crops)
    seen = np.full((count, config.embedding), np.nan)
    heard = seen.copy()
    if count > 2 * config.seen:
        pictures = torch.from_numpy(mouth_pictures(crops)).float()[None] / 255
        inner = evaluator.mouth(views(pictures, straight(1)))[0]
        seen[config.seen : count - config.seen] = inner.numpy()
    inside = within(times_s, len(sound) / RATE_HZ, config)
    if inside.any():
        windows = voice_windows(cepstra(mel_db(sound)), times_s[inside], config)
        heard[inside] = evaluator.voice(torch.from_numpy(windows)).numpy()
    return seen, heard


def compared(
    seen: NDArray[np.float64], heard: NDArray[np.float64], *, reach: int = REACH_FRAMES
) -> Sync:
    """Find the offset at which embeddings (n, width), NaN where unknown, agree best.

    Raises JudgeError ("too-short").
    """
    offsets = range(-reach, reach + 1)
    similarity = np.array([_similarity(seen, heard, k) for k in offsets])
    best = int(similarity.argmax())
    confidence = float(similarity[best] - np.median(similarity))
    return Sync(best - reach, confidence, similarity)


def _similarity(
    seen: NDArray[np.float64], heard: NDArray[np.float64], offset: int
) -> float:
    """Return the mean product of seen[i] and heard[i - offset] where both are."""
    late, early = max(offset, 0), max(-offset, 0)
    count = len(seen)
    products = (seen[late : count - early] * heard[early : count - late]).sum(1)
    products = products[~np.isnan(products)]
    if len(products) < LEAST_OVERLAP_FRAMES:
        raise JudgeError(
            "too-short",
            f"Picture and sound share {len(products)} frames at an offset of {offset}: "
            "too few to judge. Take a longer stretch of speech.",
        )
    return float(products.mean())


def mouth_pictures(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut the mouth with a margin, grey (n, h, w), from RGB crops (n, 96, 112, 3)."""
    if crops.shape[1:] != (SPEC.height, SPEC.width, 3):
        raise ValueError(f"crops of {SPEC} expected, not {crops.shape[1:]}")
    left, top, right, bottom = masks.box_px(masks.MOUTH, SPEC)
    rows = slice(top - MARGIN_PX, bottom + MARGIN_PX)
    columns = slice(left - MARGIN_PX, right + MARGIN_PX)
    grey = [cv2.cvtColor(c[rows, columns], cv2.COLOR_RGB2GRAY) for c in crops]
    return np.stack(grey).astype(np.uint8, copy=False)


def straight(batch: int) -> Tensor:
    """Return the (B, h, w, 2) grid that takes the margin off and nothing else."""
    left, top, right, bottom = masks.box_px(masks.MOUTH, SPEC)
    height, width = bottom - top, right - left
    across = torch.linspace(-1, 1, VIEW[1]) * width / (width + 2 * MARGIN_PX)
    down = torch.linspace(-1, 1, VIEW[0]) * height / (height + 2 * MARGIN_PX)
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1)
    return grid.expand(batch, *grid.shape)


def views(pictures: Tensor, grid: Tensor) -> Tensor:
    """Turn grey pictures (B, T, H, W), 0..1, into views (B, T, 2, h, w).

    grid: (B, h, w, 2), where to look, -1..1, the same for all frames of a clip. The
    first channel is the picture against its surroundings, free of light and skin; the
    second is what of it departs from the clip's mean, free of whose mouth it is.
    """
    seen = F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    around = F.avg_pool2d(seen, 15, 1, 7, count_include_pad=False)
    flat = seen - around
    power = F.avg_pool2d(flat * flat, 15, 1, 7, count_include_pad=False)
    local = flat / (power.mean(1, keepdim=True).sqrt() + 0.02)
    return torch.stack([local, local - local.mean(1, keepdim=True)], 2)


def mel_db(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (steps, BANDS) at 50 Hz: decibels under the loudest, at least -60."""
    import librosa

    padded = np.pad(sound, (0, max(0, FFT - len(sound))))
    power = librosa.feature.melspectrogram(
        y=padded, sr=RATE_HZ, n_fft=FFT, hop_length=HOP, n_mels=BANDS, fmax=7600
    )
    level = librosa.power_to_db(power, ref=np.max, top_db=DEPTH_DB)
    return np.asarray(level.T, np.float32)


def cepstra(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (steps, 3 CEPSTRA): MFCC, their slope and its slope, each normalised."""
    import librosa

    still = librosa.feature.mfcc(S=level.T, n_mfcc=CEPSTRA)
    slopes = [
        librosa.feature.delta(still, width=DELTA_FRAMES, order=order, mode="nearest")
        for order in (1, 2)
    ]
    rows = np.concatenate([still, *slopes]).T
    spread = np.maximum(rows.std(0), 0.5)
    return np.asarray((rows - rows.mean(0)) / spread, np.float32)


def within(
    times_s: NDArray[np.floating], length_s: float, config: EvaluatorConfig
) -> NDArray[np.bool_]:
    """Return (n,): whether the window around each moment lies inside the sound."""
    around_s = (config.heard + DELTA_FRAMES // 2) / CEPSTRA_RATE_HZ + FFT / 2 / RATE_HZ
    inside: NDArray[np.bool_] = (times_s >= around_s) & (times_s <= length_s - around_s)
    return inside


def voice_windows(
    rows: NDArray[np.float32], times_s: NDArray[np.floating], config: EvaluatorConfig
) -> NDArray[np.float32]:
    """Return (n, 2 heard + 1, 3 CEPSTRA): cepstra around each moment."""
    steps = np.arange(-config.heard, config.heard + 1)
    at = times_s[:, None] * CEPSTRA_RATE_HZ + steps
    windows = resampled(rows, at.ravel()).reshape(*at.shape, -1)
    return np.asarray(windows, np.float32)
