"""What is known of a scene, in the words its page uses."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from synthesis.errors import SynthesisError
from synthesis.media.timecode import frame_to_timecode, timecode_to_frame
from synthesis.models import Scene
from synthesis.words import size_in_words


@dataclass(frozen=True)
class Clock:
    """Frames and time codes of one scene. first is the label of frame 0, if the file
    carries one; its separator says whether labels are dropped."""

    rate: Fraction
    frame_count: int
    first: str | None

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
    def rate_in_words(self) -> str:
        """'25', '23.976': as people in post-production say it."""
        return f"{float(self.rate):.3f}".rstrip("0").rstrip(".")


def clock_of(scene: Scene) -> Clock:
    """The scene's clock. Raises SynthesisError while nothing is known of its file."""
    facts: dict[str, Any] = scene.media_facts
    if not facts.get("rate"):
        raise SynthesisError("scene-not-ready", "The scene is not analysed yet.")
    return Clock(
        rate=Fraction(facts["rate"]),
        frame_count=int(facts["frame_count"]),
        first=facts.get("first_timecode") or None,
    )


def facts_in_words(scene: Scene) -> list[tuple[str, str]]:
    """(name, value) rows about the file as uploaded; those not known are left out."""
    facts: dict[str, Any] = scene.media_facts
    rows = [("File", scene.original_name), ("Size", size_in_words(scene.size_bytes))]
    if not facts.get("rate"):
        return rows
    clock = clock_of(scene)
    last = clock.label(max(clock.frame_count - 1, 0))
    rows += [
        ("Picture", f"{facts['width']} × {facts['height']} px"),
        ("Rate", f"{clock.rate_in_words} frames a second"),
        ("Length", f"{clock.frame_count} frames"),
        ("Time code", f"{clock.label(0)} to {last}"),
    ]
    return rows
