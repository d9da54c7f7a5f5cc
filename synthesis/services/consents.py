"""The one place where synthesis puts its question to the consent policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.urls import reverse
from django.utils import timezone

from consent.errors import ConsentDenied
from consent.models import Actor, Grant, Project
from consent.policy import Use, grants_usable, verify, verify_grant
from consent.proof import is_output_approved
from consent.record import SceneRef
from consent.seams import Output
from consent.sentences import language_words
from synthesis.errors import NotAllowed
from synthesis.models import (
    ActorModel,
    Adaptation,
    Deliverable,
    Dub,
    Render,
    Scene,
)


def dub_verify(dub: Dub) -> list[Grant]:
    """Return the grants that this dub may be rendered on now, one an actor who speaks
    in it. Raises ConsentDenied with every failed term in words. Nothing is cached."""
    actors = Actor.objects.filter(lines__dub=dub).distinct().order_by("id")
    grants = [verify(use_of(dub, actor)) for actor in actors]
    if not grants:
        raise NotAllowed("no-lines", "Nobody speaks in this dub yet. Add a line first.")
    return grants


def render_verify(render: Render, *, output_sha256: str = "") -> list[Grant]:
    """Return the grants the render was queued on, if each still allows it now. A grant
    withdrawn since closes the render for good, whatever was signed later.

    output_sha256 is the file's that is to be handed out; a grant that asks for the
    actor's approval then needs it for exactly that file."""
    grants = list(render.grants.select_related("actor").order_by("id"))
    for grant in grants:
        use = use_of(render.dub, grant.actor)
        verify_grant(grant, replace(use, output_sha256=output_sha256))
    if not grants:
        raise NotAllowed("no-grant", "This render stands on no grant.")
    return grants


def use_of(dub: Dub, actor: Actor) -> Use:
    """The use a dub makes of an actor's face, at this moment."""
    project = dub.scene.project
    return Use(
        actor_id=actor.id,
        project_id=project.id,
        scene_sha256=dub.scene.sha256,
        language=dub.language,
        purpose="inference",
        territory=project.territory,
        medium=project.medium,
        moment=timezone.now(),
        content=None if dub.content is None else frozenset(dub.content),
    )


def training_grant(*, project: Project, actor: Actor, sources: Iterable[str]) -> Grant:
    """Return one grant that allows training on every source (SHA-256 of its file) now,
    the newest first. Raises ConsentDenied with every failed term in words."""
    uses = [training_use(project, actor, sha256) for sha256 in sources]
    if not uses:
        raise NotAllowed("no-footage", "Choose what is to be learned from first.")
    for use in uses:
        verify(use)
    for grant in grants_usable(uses[0]):
        if all(grant in grants_usable(use) for use in uses[1:]):
            return grant
    raise NotAllowed(
        "no-one-grant",
        "Each of these is covered by another consent. Learn from those that one"
        " consent covers, or ask for one that covers all.",
    )


def adaptation_verify(adaptation: Adaptation) -> None:
    """Raise ConsentDenied unless the grant the adaptation was queued on still allows
    training on each of its sources."""
    sources = [
        *adaptation.scenes.values_list("sha256", flat=True),
        *adaptation.footage.values_list("sha256", flat=True),
    ]
    if not sources:
        raise NotAllowed("no-footage", "What this was to learn from is gone.")
    for sha256 in sources:
        use = training_use(adaptation.project, adaptation.actor, sha256)
        verify_grant(adaptation.grant, use)


def model_verify(model: ActorModel) -> None:
    """Raise ConsentDenied unless the model's grant still allows training on all that
    it was learned from. One that names no source needs a grant for every scene."""
    for sha256 in [source["sha256"] for source in model.sources] or [""]:
        use = training_use(model.grant.project, model.actor, sha256)
        verify_grant(model.grant, use)


def model_in_use(*, actor: Actor | None, project: Project) -> ActorModel | None:
    """The model of the actor that may be used in the project now: learned for this
    project, on consent that still stands."""
    rows = ActorModel.objects.filter(actor=actor, grant__project=project)
    model = rows.select_related("grant__project", "actor").first()
    if model is None:
        return None
    try:
        model_verify(model)
    except ConsentDenied:
        return None
    return model


def training_use(project: Project, actor: Actor, sha256: str) -> Use:
    """Learning from one file with the actor in it, at this moment."""
    return Use(
        actor_id=actor.id,
        project_id=project.id,
        scene_sha256=sha256,
        language="und",
        purpose="training",
        territory=project.territory,
        medium=project.medium,
        moment=timezone.now(),
    )


def scenes_of(project: Project) -> list[SceneRef]:
    """The project's scenes, for a producer who asks an actor for single ones."""
    scenes = Scene.objects.filter(project=project, state=Scene.State.READY)
    return [SceneRef(title=scene.title, sha256=scene.sha256) for scene in scenes]


def release_missing(deliverable: Deliverable) -> str:
    """Return in words whose approval a file still lacks before it may be handed out,
    or "" where nobody's is missing or consent does not stand at all."""
    missing = []
    for grant in deliverable.render.grants.select_related("actor"):
        wanted = grant.document.terms.output_approval
        if not wanted or is_output_approved(grant, deliverable.sha256):
            continue
        reason = output_returned(grant, deliverable.sha256)
        if reason:
            missing.append(f"{grant.actor} has sent this file back: “{reason}”")
        else:
            missing.append(f"{grant.actor} has not approved this very file yet.")
    return " ".join(missing)


def is_sent_back(deliverable: Deliverable) -> bool:
    """Say whether an actor's last word on a file is that they sent it back."""
    return any(
        output_returned(grant, deliverable.sha256)
        and not is_output_approved(grant, deliverable.sha256)
        for grant in deliverable.render.grants.all()
    )


def output_returned(grant: Grant, sha256: str) -> str:
    """Return why the actor sent a file back, or "" if they did not."""
    sent = grant.output_returns.filter(output_sha256=sha256).first()
    return sent.reason if sent else ""


def outputs_of(actor: Actor) -> list[Output]:
    """The finished files under the actor's grants that ask for their approval, newest
    first. Drafts never leave the house, so nobody is asked about them."""
    rows = Deliverable.objects.filter(
        render__grants__actor=actor,
        render__grants__record__scope__output_approval=True,
        render__tier=Render.Tier.FINAL,
        render__state=Render.State.READY,
    ).distinct()
    rows = rows.select_related("render__dub__scene__project").order_by("-made_at")
    return [
        _output_under(grant, row)
        for row in rows
        for grant in row.render.grants.filter(actor=actor)
        if grant.document.terms.output_approval
    ]


def _output_under(grant: Grant, row: Deliverable) -> Output:
    dub = row.render.dub
    return Output(
        title=f"{dub.scene.title} in {language_words(dub.language)},"
        f" version {row.render.version}",
        sha256=row.sha256,
        grant=grant,
        watch_url=reverse("synthesis:deliverable_for_actor", args=[row.id]),
        at=row.made_at,
        is_approved=is_output_approved(grant, row.sha256),
        page=reverse("synthesis:deliverable", args=[row.id]),
        returned=output_returned(grant, row.sha256),
    )
