"""How much of a file from outside is taken in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The most that is taken in. Beyond it: a MediaRefused that names the limit."""

    file_bytes: int = 64 << 30
    side_px: int = 8_192
    picture_px: int = 4_096 * 2_304
    duration_s: float = 3_600.0
    frames: int = 250_000
    sound_streams: int = 16
    sound_channels: int = 16
    sound_rate_hz: int = 192_000
    broken_share: float = 0.1
    """More undecodable pictures than this share, and the file is refused."""
