"""The choice of a format, and what is in a finished file, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consent.sentences import language_words
from synthesis.delivery import Delivery, Sound, not_kept
from synthesis.errors import SynthesisError
from synthesis.media.formats import (
    MASTERS,
    Format,
    format_verify,
    formats_here,
    size_estimate,
)
from synthesis.media.languages import bcp_47
from synthesis.media.probe import Probe
from synthesis.models import Deliverable, Dub, Render
from synthesis.words import size_in_words

FORMAT_WORDS = {
    Format.H264: "For review and the web: H.264 in MP4",
    Format.H264_MOV: "H.264 in QuickTime (MOV)",
    Format.HEVC: "For Apple and streaming: HEVC in MP4",
    Format.PRORES: "Master for the edit: ProRes 422 HQ",
    Format.DNXHR: "Master for the edit: DNxHR HQX",
}
SOUND_WORDS = {
    Sound.AS_IT_CAME: "As it came, nothing lost",
    Sound.AAC: "Smaller: AAC",
}
_CODEC_WORDS = {
    "h264": "H.264",
    "hevc": "HEVC",
    "prores": "ProRes 422 HQ",
    "dnxhd": "DNxHR HQX",
    "aac": "AAC",
    "ac3": "Dolby Digital",
    "eac3": "Dolby Digital Plus",
    "alac": "Apple Lossless",
    "flac": "FLAC",
}


def delivery_asked(dub: Dub, posted: Mapping[str, Any]) -> Delivery | None:
    """What the form beside the render button says; None for a form without it.
    Raises SynthesisError bad-format."""
    if "format" not in posted:
        return None
    fields = {
        "format": posted["format"],
        "sound": posted.get("sound", Sound.AS_IT_CAME),
    }
    return Delivery.from_json(fields | {"scene_sounds": "scene_sounds" in posted})


def delivery_shown(dub: Dub) -> dict[str, Any]:
    """The choices of a dub, what each would make, and what none of them keeps."""
    facts = Probe.from_json(dub.scene.media_facts)
    chosen = Delivery.usual(dub.delivery, facts)
    return {
        "formats": [_offered(one, facts, chosen.format) for one in formats_here()],
        "sounds": [
            {"value": str(one), "words": words, "chosen": one == chosen.sound}
            for one, words in SOUND_WORDS.items()
        ],
        "further_sounds": [_track_words(vars(one)) for one in facts.sounds[1:]],
        "scene_sounds": chosen.scene_sounds,
        "not_kept": not_kept(facts, Delivery()),
        "words": FORMAT_WORDS[chosen.format],
    }


def _offered(one: Format, facts: Probe, chosen: Format) -> dict[str, Any]:
    try:
        format_verify(one, facts)
        refused = ""
    except SynthesisError as refusal:
        refused = refusal.sentence
    size = size_in_words(size_estimate(one, facts))
    large = "large files, " if one in MASTERS else ""
    return {
        "value": str(one),
        "words": FORMAT_WORDS[one],
        "size": f"{large}about {size}",
        "refused": refused,
        "chosen": one == chosen,
    }


def file_in_words(deliverable: Deliverable) -> list[tuple[str, list[str]]]:
    """(name, lines) rows about what a finished file holds."""
    held = deliverable.media
    if not held:
        return []
    sampling = {"422": "4:2:2", "444": "4:4:4"}.get(held["pixels"][3:6], "4:2:0")
    picture = f"{_codec_words(held['codec'])}, {held['bits']} bits, {sampling}"
    rows = [
        ("Picture", [f"{picture}, in {deliverable.suffix.upper()}"]),
        ("Sound", [_track_words(one) for one in held["sounds"]] or ["none"]),
    ]
    if held["subtitles"]:
        rows.append(("Subtitles", [_named(one) for one in held["subtitles"]]))
    rows.append(("Time code", [held["timecode"] or "none in the scene"]))
    if held["not_kept"]:
        rows.append(("Not kept", held["not_kept"]))
    return rows


def viewing_copy_words(deliverable: Deliverable) -> str:
    """What the file is that a viewing copy stands for, '' where browsers play it."""
    if deliverable.playable is deliverable:
        return ""
    return f"{_codec_words(deliverable.media['codec'])} {deliverable.suffix.upper()}"


def format_badge(render: Render) -> str:
    """The format of a version in a word or two, '' for the usual one and for drafts."""
    asked = Delivery.from_json(render.delivery).format
    if render.tier == Render.Tier.DRAFT or asked == Format.H264:
        return ""
    return FORMAT_WORDS[asked].partition(": ")[2] or FORMAT_WORDS[asked]


def _track_words(sound: Mapping[str, Any]) -> str:
    """'Spanish, 5.1 at 48 kHz (FLAC)'."""
    technical = f"{sound['layout']} at {sound['rate_hz'] / 1000:g} kHz"
    return f"{_named(sound)}, {technical} ({_codec_words(sound['codec'])})"


def _named(track: Mapping[str, Any]) -> str:
    tag = bcp_47(track["language"])
    words = [language_words(tag)] if tag else []
    if track["title"]:
        words.append(f"“{track['title']}”")
    return " ".join(words) or "language not said"


def _codec_words(codec: str) -> str:
    return "PCM" if codec.startswith("pcm_") else _CODEC_WORDS.get(codec, codec)
