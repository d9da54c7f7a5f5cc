"""What the scene's templates are given."""

from __future__ import annotations

from typing import Any

from consent.models import Role
from consent.sentences import CONTENT_WORDS, kinds_words
from synthesis.models import Dub, Render, Scene, Track
from synthesis.performance.files import FORMATS
from synthesis.review.standing import standing_of
from synthesis.scenes.deliveries import delivery_shown, format_badge
from synthesis.scenes.face_words import guard_told
from synthesis.scenes.facts import Clock, facts_in_words
from synthesis.scenes.label_words import label_remarks
from synthesis.scenes.mouth_words import (
    dials_in_words,
    left_alone_in_words,
    render_left_alone,
)
from synthesis.scenes.readiness import (
    actors_with_consent,
    exclusions_told,
    missing_for,
)
from synthesis.services.labels import label_policy

PERFORMANCE = tuple((form, words) for form, (_, _, words) in FORMATS.items())
"""What the performance of a finished render can be downloaded as."""


def scene_shown(scene: Scene, roles: frozenset[str]) -> dict[str, Any]:
    """All of a scene's page, for a member with these roles."""
    page: dict[str, Any] = {
        "scene": scene,
        "project": scene.project,
        "can_produce": Role.PRODUCER in roles,
        "facts": facts_in_words(scene),
    }
    if scene.state != Scene.State.READY:
        return page
    clock = Clock.of(scene)
    tracks = Track.objects.filter(shot__scene=scene).select_related("actor", "shot")
    return page | {
        "clock": clock,
        "shots": shots_shown(scene, clock),
        "breaks": [clock.label(frame) for frame in scene.breaks],
        "label_stays": label_policy(scene.project).opening_s is None,
        "faces": [track_shown(track, clock) for track in tracks],
        "actors": actors_with_consent(scene.project),
        "busy": Render.objects.live().filter(dub__scene=scene).exists(),
        "dubs": [dub_shown(dub, clock) for dub in scene.dubs.all()],
    }


def shots_shown(scene: Scene, clock: Clock) -> list[dict[str, Any]]:
    """Each shot with the time codes of its first and last frame."""
    return [
        {
            "shot": shot,
            "number": shot.index + 1,
            "frames": shot.end_frame - shot.first_frame,
            "first": clock.label(shot.first_frame),
            "last": clock.label(shot.end_frame - 1),
        }
        for shot in scene.shots.all()
    ]


def track_shown(track: Track, clock: Clock) -> dict[str, Any]:
    """A face with the time codes between which it is seen."""
    return {
        "track": track,
        "shot_number": track.shot.index + 1,
        "frames": track.end_frame - track.first_frame,
        "first": clock.label(track.first_frame),
        "last": clock.label(track.end_frame - 1),
        "guard": guard_told(track),
        "left_alone": left_alone_in_words(track.number, track.left_alone, clock),
    }


def dub_shown(dub: Dub, clock: Clock) -> dict[str, Any]:
    """A dub with its lines, what it lacks, and its renders, newest first."""
    rows = dub.renders.order_by("-version").select_related("deliverable")
    renders = list(rows.prefetch_related("track_renders__track"))
    return {
        "dub": dub,
        "lines": [
            {"line": line, "start": clock.label(line.first_frame)}
            for line in dub.lines.select_related("actor")
        ],
        "dials": dials_in_words(dub.dials, clock),
        "delivery": delivery_shown(dub),
        "missing": missing_for(dub),
        "holds": kinds_words(dub.content or ()) or "none of what can be excluded",
        "excluded": exclusions_told(dub),
        "kinds": [
            {"tag": tag, "words": words, "held": tag in (dub.content or ())}
            for tag, words in CONTENT_WORDS.items()
        ],
        "renders": [render_told(render, clock) for render in renders],
        "busy": any(render.state in Render.LIVE for render in renders),
    }


def render_shown(render: Render) -> dict[str, Any]:
    """A render, the file it ended in if it did, and how that stands."""
    deliverable = getattr(render, "deliverable", None)
    return {
        "render": render,
        "live": render.state in Render.LIVE,
        "deliverable": deliverable,
        "standing": standing_of(deliverable) if deliverable else "",
        "performance": PERFORMANCE if deliverable else (),
    }


def render_told(render: Render, clock: Clock) -> dict[str, Any]:
    """A render as shown, with what was asked of the mouths and what was left alone."""
    shown = render_shown(render)
    made = shown["deliverable"]
    return shown | {
        "label_remarks": label_remarks(made.label, clock) if made else [],
        "format": format_badge(render),
        "dials": dials_in_words(render.controls, clock),
        "left_alone": render_left_alone(render, clock),
    }
