"""What is known of a scene, in the words its page uses."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from consent.sentences import language_words
from synthesis.errors import SynthesisError
from synthesis.media.probe import Probe
from synthesis.media.timecode import frame_to_timecode, timecode_to_frame
from synthesis.models import Scene
from synthesis.words import size_in_words


@dataclass(frozen=True)
class Clock:
    """Frames and time codes of one scene. first is the label of frame 0, if the file
    carries one; its separator says whether labels are dropped. times_s is the moment
    of each frame where the rate varies, and empty where it does not."""

    rate: Fraction
    frame_count: int
    first: str | None = None
    times_s: tuple[float, ...] = ()

    @classmethod
    def of(cls, scene: Scene) -> Clock:
        """Raises SynthesisError while nothing is known of the scene's file."""
        if not scene.media_facts:
            raise SynthesisError("scene-not-ready", "The scene is not analysed yet.")
        facts = Probe.from_json(scene.media_facts)
        varying = facts.times_s().round(6).tolist() if facts.variable_rate else ()
        return cls(
            rate=facts.rate,
            frame_count=facts.frame_count,
            first=facts.timecode or None,
            times_s=tuple(varying),
        )

    def label(self, frame: int) -> str:
        """SMPTE time code of a frame."""
        return frame_to_timecode(frame, self.rate, first=self.first)

    def frame(self, text: str) -> int:
        """The frame meant by '', '250' or '00:00:10:00'. Raises TimecodeInvalid."""
        wanted = text.strip()
        if wanted.isdecimal() or not wanted:
            return int(wanted or 0)
        return timecode_to_frame(wanted, self.rate, first=self.first)

    @property
    def first_label(self) -> str:
        return self.label(0)

    def for_player(self) -> dict[str, Any]:
        """What player.js needs to count as this clock does. first: frames from
        00:00:00:00 to the label of frame 0."""
        return {
            "rate": [self.rate.numerator, self.rate.denominator],
            "frames": self.frame_count,
            "first": timecode_to_frame(self.first, self.rate) if self.first else 0,
            "drop": ";" in (self.first or ""),
            "times_s": list(self.times_s),
        }

    @property
    def rate_in_words(self) -> str:
        """'25', '23.976': as people in post-production say it."""
        return f"{float(self.rate):.3f}".rstrip("0").rstrip(".")


def facts_in_words(scene: Scene) -> list[tuple[str, str]]:
    """(name, value) rows about the file as uploaded."""
    rows = [
        ("File", f"{scene.original_name}, {size_in_words(scene.size_bytes)}"),
        ("Language", language_words(scene.language)),
    ]
    if not scene.media_facts:
        return rows
    facts = Probe.from_json(scene.media_facts)
    clock = Clock.of(scene)
    last = clock.label(max(clock.frame_count - 1, 0))
    rate = f"{clock.rate_in_words} frames a second"
    rows += [
        ("Picture", f"{facts.width} × {facts.height} px, {facts.codec}"),
        ("Rate", rate + (", varying" if facts.variable_rate else "")),
        ("Length", f"{clock.frame_count} frames"),
        ("Time code", f"{clock.label(0)} to {last}"),
        ("Sound", sounds_in_words(facts)),
    ]
    if facts.broken:
        rows.append(("Damaged", f"{len(facts.broken)} frames could not be read"))
    return rows


def sounds_in_words(facts: Probe) -> str:
    """'stereo at 48 kHz (aac)', one for each stream; 'none' for a silent file."""
    words = [
        f"{s.layout} at {s.rate_hz / 1000:g} kHz ({s.codec})" for s in facts.sounds
    ]
    return ", ".join(words) or "none"
