"""What the templates of an actor's page are given."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from consent.errors import ConsentError
from consent.models import Actor, Project, Role
from synthesis.adapting.work import STEPS
from synthesis.models import ActorModel, Adaptation, Footage, ModelStill, Scene, Track
from synthesis.scenes.face_words import footage_told
from synthesis.services.adaptation import scenes_with, training_missing
from synthesis.services.consents import model_verify

EARLIER = 10
"""Runs listed beside the newest model."""
FIGURES = (
    ("psnr", "Likeness to the filmed mouth (PSNR)", "dB", 1, "higher is closer"),
    (
        "sharpness",
        "Sharpness over the filmed mouth's",
        "",
        2,
        "1 is as sharp as filmed",
    ),
    ("opening_r", "How well the opening follows (r)", "", 2, "1 is in step"),
)


def actor_shown(
    project: Project, actor: Actor, roles: frozenset[str]
) -> dict[str, Any]:
    """All of an actor's page, for a member with these roles."""
    runs = Adaptation.objects.filter(project=project, actor=actor)
    runs = runs.select_related("project", "actor", "grant", "requested_by")
    live = runs.live().first()
    rows = ActorModel.objects.filter(actor=actor, grant__project=project)
    model = rows.select_related("grant__project", "actor", "adaptation").first()
    sources = sources_shown(project, actor)
    return {
        "project": project,
        "actor": actor,
        "can_produce": Role.PRODUCER in roles,
        "item": adaptation_shown(live) if live else None,
        "model": model_shown(model) if model else None,
        "sources": sources,
        "usable": any(_can_learn_from(source) for source in sources),
        "missing": training_missing(project=project, actor=actor, sha256=""),
        "earlier": list(runs.exclude(state__in=Adaptation.LIVE)[:EARLIER]),
        "upload_max_bytes": settings.UPLOAD_MAX_BYTES,
    }


def adaptation_shown(adaptation: Adaptation) -> dict[str, Any]:
    """A run with its steps and where each is."""
    at = adaptation.progress.get("step", 0)
    return {
        "adaptation": adaptation,
        "live": adaptation.state in Adaptation.LIVE,
        "steps": [
            {"words": words, "done": number < at, "current": number == at}
            for number, words in enumerate(STEPS, 1)
        ],
    }


def sources_shown(project: Project, actor: Actor) -> list[dict[str, Any]]:
    """Everything that could be learned from, and what consent has against it."""
    rows: list[tuple[str, Scene | Footage, str]] = []
    for scene in scenes_with(project=project, actor=actor):
        shots = Track.objects.filter(shot__scene=scene, actor=actor).count()
        words = "a scene" if shots == 1 else f"a scene, in {shots} shots"
        rows.append(("scenes", scene, words))
    footage = Footage.objects.filter(project=project, actor=actor)
    for reel in footage.select_related("actor"):
        rows.append(("footage", reel, "uploaded to learn from"))
    return [
        {
            "field": field,
            "row": row,
            "words": words,
            "guard": footage_told(row) if isinstance(row, Footage) else None,
            "missing": training_missing(
                project=project, actor=actor, sha256=row.sha256
            ),
        }
        for field, row, words in rows
    ]


def _can_learn_from(source: dict[str, Any]) -> bool:
    closed = source["guard"] is not None and source["guard"]["closed"]
    return not (source["missing"] or closed)


def model_shown(model: ActorModel) -> dict[str, Any]:
    """A learned model with its figures, stills, and whether consent stands."""
    try:
        model_verify(model)
        closed = ""
    except ConsentError as denied:
        closed = denied.sentence
    return {
        "model": model,
        "made_by": model.adaptation.requested_by if model.adaptation else None,
        "closed": closed,
        "left_out": model.figures.get("left_out", {}),
        "figures": figures_shown(model.figures),
        "stills": stills_shown(model),
    }


def figures_shown(figures: dict[str, Any]) -> list[dict[str, Any]]:
    """A row a figure: before and after, and which is better."""
    if "adapted" not in figures:
        return []
    rows = []
    for key, words, unit, digits, hint in FIGURES:
        before, after = figures["general"][key], figures["adapted"][key]
        off = (abs(before - 1), abs(after - 1))
        better = off[1] <= off[0] if key == "sharpness" else after >= before
        rows.append(
            {
                "words": words,
                "hint": hint,
                "unit": unit,
                "before": f"{before:.{digits}f}",
                "after": f"{after:.{digits}f}",
                "better": better,
            }
        )
    return rows


def stills_shown(model: ActorModel) -> list[dict[str, Any]]:
    """A row a frame: as filmed, before, after."""
    order = list(ModelStill.Kind.values)
    frames: dict[int, list[ModelStill]] = {}
    for still in model.stills.all():
        frames.setdefault(still.frame, []).append(still)
    return [
        {
            "at_s": stills[0].at_s,
            "frame": frame,
            "stills": sorted(stills, key=lambda still: order.index(still.kind)),
        }
        for frame, stills in frames.items()
    ]
