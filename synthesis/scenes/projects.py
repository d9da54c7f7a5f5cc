"""A project's page: its scenes, and the door for new ones."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from consent.models import Project, Role
from synthesis import seen
from synthesis.errors import SynthesisError
from synthesis.models import Dub
from synthesis.scenes.forms import SceneForm, first_sentence
from synthesis.scenes.shown import render_shown
from synthesis.scenes.uploads import upload_of_form
from synthesis.seen import MemberRequest
from synthesis.services.scenes import scene_create
from synthesis.sizelimit import body_at_most


@login_required
@require_safe
def project(request: MemberRequest, project_id: UUID) -> HttpResponse:
    """Scenes with where they and their newest renders stand."""
    found = seen.project(request, project_id)
    roles = seen.roles(request, found)
    context = {
        "project": found,
        "scenes": scenes_listed(found),
        "can_produce": Role.PRODUCER in roles,
        "upload_max_bytes": settings.UPLOAD_MAX_BYTES,
    }
    return render(request, "synthesis/scenes/project.html", context)


def scenes_listed(project: Project) -> list[dict[str, Any]]:
    """{"scene", "dubs": [{"dub", "newest": render_shown or None}]}, newest first."""
    scenes = project.scenes.prefetch_related("dubs__renders__deliverable")
    return [
        {"scene": scene, "dubs": [newest_version(dub) for dub in scene.dubs.all()]}
        for scene in scenes
    ]


def newest_version(dub: Dub) -> dict[str, Any]:
    newest = max(dub.renders.all(), key=lambda render: render.version, default=None)
    return {"dub": dub, "newest": render_shown(newest) if newest else None}


@login_required
@body_at_most(lambda: settings.UPLOAD_MAX_BYTES)
@require_POST
def scene_new(request: MemberRequest, project_id: UUID) -> HttpResponse:
    """Makes a scene of an upload and goes to its page."""
    found = seen.project(request, project_id)
    form = SceneForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_sentence(form))
        return redirect("synthesis:project", project_id)
    try:
        upload = upload_of_form(request, found, form.cleaned_data["upload"])
        scene = scene_create(
            upload=upload,
            title=form.cleaned_data["title"],
            language=form.cleaned_data["language"],
            acting_user=request.user,
        )
    except SynthesisError as refused:
        if refused.code == "not-allowed":
            raise
        messages.error(request, refused.sentence)
        return redirect("synthesis:project", project_id)
    return redirect("synthesis:scene", scene.id)
