"""What still lacks before a dub can be rendered, each with the way to put it right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from consent.asked import grants_signed
from consent.errors import ConsentDenied, Failure
from consent.models import Actor, Project, Status
from consent.policy import verify
from consent.sentences import content_words, listed
from synthesis.errors import SynthesisError
from synthesis.models import Dub, Scene, Track
from synthesis.services.consents import use_of
from synthesis.services.faces import sighting_of, sighting_refusal
from synthesis.services.labels import label_verify
from synthesis.services.renders import tracks_to_render


@dataclass(frozen=True)
class Missing:
    """One thing that lacks: the sentence, and a link that leads to its remedy."""

    sentence: str
    link: str = ""
    label: str = ""


def missing_for(dub: Dub) -> list[Missing]:
    """Everything that lacks, in the order in which one would do it. Only shown: the
    services ask all of it again."""
    if dub.scene.state != Scene.State.READY:
        return [Missing("The scene is not analysed yet.")]
    speaking = list(Actor.objects.filter(lines__dub=dub).distinct())
    if not speaking:
        return [Missing("Nobody speaks in this dub yet. Add a line first.")]
    missing = []
    for actor in speaking:
        if not Track.objects.filter(shot__scene=dub.scene, actor=actor).exists():
            missing.append(
                Missing(
                    f"No face in the scene is assigned to {actor.stage_name} yet.",
                    "#faces",
                    "Assign a face",
                )
            )
        missing += consent_missing(dub, actor)
    return missing + faces_missing(dub) + label_missing(dub)


def label_missing(dub: Dub) -> list[Missing]:
    """What keeps the label from being drawn on this dub."""
    try:
        label_verify(dub)
    except SynthesisError as refused:
        link = reverse("synthesis:label", args=[dub.scene.project_id])
        return [Missing(refused.sentence, link, "See the label")]
    return []


def faces_missing(dub: Dub) -> list[Missing]:
    """What the face guard has against the faces that shall move, as far as known."""
    missing = []
    for track in tracks_to_render(dub):
        row = sighting_of(track)
        refusal = sighting_refusal(row, track)
        if refusal is not None and refusal.code != "face-not-compared":
            missing.append(Missing(refusal.sentence, "#faces", "See the faces"))
    return missing


def consent_missing(dub: Dub, actor: Actor) -> list[Missing]:
    """What the policy has against this dub with this actor, at this moment."""
    try:
        verify(use_of(dub, actor))
    except ConsentDenied as denied:
        link = reverse("consent:actors", args=[dub.scene.project_id])
        return [
            Missing(consent_sentence(actor, failure), f"#content-{dub.id}", "Say it")
            if failure.code == "content-not-said"
            else Missing(consent_sentence(actor, failure), link, "See consents")
            for failure in denied.failures
        ]
    return []


def exclusions_told(dub: Dub) -> list[str]:
    """What each speaking actor's signed grants exclude, in words: those of its own
    free words nobody but the people at work can keep."""
    told = []
    for actor in Actor.objects.filter(lines__dub=dub).distinct():
        rows = grants_signed(actor_id=actor.id, project_id=dub.scene.project_id)
        standing = [grant for grant in rows if grant.status == Status.ACTIVE]
        words = [
            content_words(one)
            for grant in standing
            for one in grant.document.terms.excluded_content
        ]
        if words:
            told.append(f"{actor}: never with {listed(list(dict.fromkeys(words)))}.")
    return told


def consent_sentence(actor: Actor, failure: Failure) -> str:
    """The failed term, with whose consent it is where it does not say so itself."""
    named = failure.sentence.startswith(actor.stage_name)
    return failure.sentence if named else f"Consent of {actor}: {failure.sentence}"


def actors_with_consent(project: Project) -> list[dict[str, Any]]:
    """{"actor", "consent"} of the project's actors: how their newest grant stands."""
    rows = []
    for actor in Actor.objects.cast_in(project):
        grant = actor.grants.filter(project=project).order_by("-proposed_at").first()
        words = grant.status.label.lower() if grant else "not asked"
        rows.append({"actor": actor, "consent": words})
    return rows
