"""What a producer asks of a deliverable: its format, its sound, what comes with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from synthesis.errors import SynthesisError
from synthesis.media.formats import Format, draft_format
from synthesis.media.languages import iso_639_2
from synthesis.media.probe import Probe, SoundStream
from synthesis.media.sound import scene_origin_s
from synthesis.media.soundtrack import SoundTrack
from synthesis.media.subtitles import SubtitleTrack

_KINDS = {
    "hdmv_pgs_subtitle": "Blu-ray pictures",
    "dvd_subtitle": "DVD pictures",
    "dvb_subtitle": "broadcast pictures",
    "eia_608": "closed captions",
}


class Sound(StrEnum):
    """How the sound goes into the file."""

    AS_IT_CAME = "as-it-came"
    AAC = "aac"


@dataclass(frozen=True)
class Delivery:
    """scene_sounds: lay the scene's second and further sound tracks after the dub's."""

    format: Format = Format.H264
    sound: Sound = Sound.AS_IT_CAME
    scene_sounds: bool = True

    def to_json(self) -> dict[str, Any]:
        return {
            "format": str(self.format),
            "sound": str(self.sound),
            "scene_sounds": self.scene_sounds,
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Self:
        """What to_json wrote, or a part of it. Raises SynthesisError bad-format."""
        try:
            return cls(
                Format(fields.get("format", Format.H264)),
                Sound(fields.get("sound", Sound.AS_IT_CAME)),
                bool(fields.get("scene_sounds", True)),
            )
        except ValueError as error:
            raise SynthesisError(
                "bad-format", "Choose one of the formats and sounds that are offered."
            ) from error

    @classmethod
    def usual(cls, fields: dict[str, Any], scene: Probe) -> Self:
        """What a dub's fields say; where they say nothing, H.264, or HEVC for HDR."""
        first = {"format": draft_format(scene)}
        return cls.from_json(first | fields)

    def of_tier(self, scene: Probe, *, draft: bool) -> Delivery:
        """What a render of that tier is written as: a draft is only for looking."""
        if not draft:
            return self
        return replace(self, format=draft_format(scene))


def dub_tracks(
    path: Path, sounds: Sequence[SoundStream], language: str, **placed: Any
) -> list[SoundTrack]:
    """The tracks of a dub's file. Its first is in the dub's language, whatever the file
    says; placed: as SoundTrack takes it."""
    first = iso_639_2(language)
    return [
        SoundTrack(
            path,
            sound.number,
            language=sound.language if sound.number else first,
            title=sound.title,
            **placed,
        )
        for sound in sounds
    ]


def scene_tracks(path: Path, scene: Probe) -> list[SoundTrack]:
    """The scene's sound tracks without the first, which the dub takes the place of."""
    return [
        SoundTrack(
            path,
            sound.number,
            origin_s=scene_origin_s(scene),
            language=sound.language,
            title=sound.title,
        )
        for sound in scene.sounds[1:]
    ]


def scene_subtitles(path: Path, scene: Probe) -> list[SubtitleTrack]:
    """The scene's text subtitles."""
    return [
        SubtitleTrack(
            path,
            one.number,
            scene_origin_s(scene),
            language=one.language,
            title=one.title,
            first=one.shown,
        )
        for one in scene.subtitles
        if one.is_text
    ]


def not_kept(scene: Probe, delivery: Delivery) -> list[str]:
    """What of the scene will not be in the file, each as a sentence."""
    told = []
    pictures = [one for one in scene.subtitles if not one.is_text]
    if pictures:
        kinds = ", ".join(
            sorted({_KINDS.get(one.codec, one.codec or "unknown") for one in pictures})
        )
        told.append(
            f"{_counted(len(pictures), 'subtitle track')} of the scene "
            f"({kinds}) cannot be written as text and will not be in the file."
        )
    if any(one.codec in ("ass", "ssa") for one in scene.subtitles):
        told.append("Of the ASS subtitles the words are kept, not fonts and places.")
    if scene.light and delivery.format != Format.HEVC:
        told.append(
            "The HDR10 metadata (mastering display, MaxCLL, MaxFALL): only HEVC files"
            " can be given it here."
        )
    left_out = scene.sounds[1:]
    if left_out and not delivery.scene_sounds:
        told.append(
            f"{_counted(len(left_out), 'further sound track')} of the scene "
            "will be left out, as chosen."
        )
    return told


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"
