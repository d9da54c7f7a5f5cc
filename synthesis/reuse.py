"""What decides the pixels of a take, as one hash: equal hash, equal mouths.

Light enough for a web process: the networks are named by their hashes, not loaded.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from synthesis import software_version
from synthesis.dials import Dials, FaceSpan
from synthesis.media.probe import Probe
from synthesis.models import Dub, Line, Render, Track
from synthesis.services.consents import model_in_use
from synthesis.services.measured import landmarks_open

CONTEXT_S = 1.0
"""Sound given to the network before and after a shot, so that it hears what comes."""
GENERAL_WEIGHTS = Path(__file__).parent / "neural" / "weights" / "manifest.json"


def take_key(render: Render, track: Track) -> str:
    """Hash of all that decides the mouths a render makes for a face.

    The actor's grant is among it: what was made on a withdrawn one never comes back.
    """
    face, dials = span_of(track), Dials.from_json(render.controls)
    with landmarks_open(track) as file:
        landmarks = hashlib.file_digest(file, "sha256").hexdigest()
    grant = render.grants.filter(actor=track.actor).first()
    return _hash(
        _heard(render.dub, track)
        | {
            "scene": render.dub.scene.sha256,
            "landmarks": landmarks,
            "left_alone": track.left_alone,
            "as_filmed": dials.as_filmed(face).tolist(),
            "controls": asdict(dials.for_face(face)),
            "tier": render.tier,
            "grant": str(grant.id) if grant else None,
        }
    )


def curve_key(dub: Dub, track: Track) -> str:
    """Hash of all that decides what the networks propose for a face."""
    return _hash(_heard(dub, track))


def span_of(track: Track) -> FaceSpan:
    """A track as the dials know it."""
    return FaceSpan(track.number, track.first_frame, track.end_frame)


def window_s(track: Track, facts: Probe) -> tuple[float, float]:
    """From when to when the network listens for a track, in seconds of the scene."""
    times_s = facts.times_s()
    first, last = times_s[track.first_frame], times_s[track.end_frame - 1]
    return max(0.0, float(first) - CONTEXT_S), float(last) + CONTEXT_S


def line_start_s(line: Line, facts: Probe) -> float:
    """When a line begins, in seconds of the scene."""
    return facts.pts[line.first_frame] * float(facts.time_base)


def _heard(dub: Dub, track: Track) -> dict[str, Any]:
    """The networks, and the sound they are given for a track."""
    facts = Probe.from_json(dub.scene.media_facts)
    start_s, stop_s = window_s(track, facts)
    project = dub.scene.project
    learned = model_in_use(actor=track.actor, project=project)
    lines = [
        [line.sha256, line.first_frame]
        for line in dub.lines.filter(actor=track.actor).order_by("first_frame", "id")
        if line_start_s(line, facts) < stop_s and _end_s(line, facts) > start_s
    ]
    return {
        "software": software_version(),
        "weights": hashlib.sha256(GENERAL_WEIGHTS.read_bytes()).hexdigest(),
        "learned": learned.sha256 if learned else None,
        "frames": [track.first_frame, track.end_frame],
        "lines": lines,
    }


def _end_s(line: Line, facts: Probe) -> float:
    """When a line ends; without an end where its length is not known."""
    length_s = line.sound_facts.get("duration_s", "inf")
    length = float("inf") if length_s == "inf" else float(Fraction(length_s))
    return line_start_s(line, facts) + length


def _hash(what: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
