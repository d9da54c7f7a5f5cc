"""The one place where synthesis puts its question to the consent policy."""

from __future__ import annotations

from django.utils import timezone

from consent.models import Actor, Grant, Project
from consent.policy import Use, verify, verify_grant
from consent.record import SceneRef
from consent.seams import Made
from consent.sentences import language_words
from synthesis.errors import NotAllowed
from synthesis.models import Dub, Render, Scene


def dub_verify(dub: Dub) -> list[Grant]:
    """Return the grants that this dub may be rendered on now, one an actor who speaks
    in it. Raises ConsentDenied with every failed term in words. Nothing is cached."""
    actors = Actor.objects.filter(lines__dub=dub).distinct().order_by("id")
    grants = [verify(use_of(dub, actor)) for actor in actors]
    if not grants:
        raise NotAllowed("no-lines", "Nobody speaks in this dub yet. Add a line first.")
    return grants


def render_verify(render: Render) -> list[Grant]:
    """Return the grants the render was queued on, if each still allows it now. A grant
    withdrawn since closes the render for good, whatever was signed later."""
    grants = list(render.grants.select_related("actor").order_by("id"))
    for grant in grants:
        verify_grant(grant, use_of(render.dub, grant.actor))
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
    )


def scenes_of(project: Project) -> list[SceneRef]:
    """The project's scenes, for a producer who asks an actor for single ones."""
    scenes = Scene.objects.filter(project=project, state=Scene.State.READY)
    return [SceneRef(title=scene.title, sha256=scene.sha256) for scene in scenes]


def made_with(actor: Actor) -> list[Made]:
    """Everything made or begun with an actor's face, newest first, for the actor."""
    renders = Render.objects.filter(grants__actor=actor).distinct()
    return [
        Made(
            title=f"{render.dub.scene.title} in {language_words(render.dub.language)},"
            f" version {render.version}, for {render.dub.scene.project}",
            state=render.get_state_display(),
            at=render.requested_at,
        )
        for render in renders.select_related("dub__scene__project")
    ]
