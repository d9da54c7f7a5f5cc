"""Asking for a render, watching it, and taking the wish back."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_POST, require_safe

from consent.models import Role
from synthesis import seen
from synthesis.models import Dub, Render
from synthesis.scenes.deliveries import delivery_asked
from synthesis.scenes.dubs import place_of
from synthesis.scenes.facts import Clock
from synthesis.scenes.shown import render_told, scene_shown
from synthesis.seen import MemberRequest
from synthesis.services.performances import performance_export
from synthesis.services.renders import render_cancel, render_look_after, render_queue


@login_required
@require_POST
def render_new(request: MemberRequest, dub_id: UUID) -> HttpResponse:
    """Queues a render of the dub as it stands, with the dials kept for it, in the
    format chosen beside the button."""
    dub = seen.dub(request, dub_id)
    tier = request.POST.get("tier", Render.Tier.FINAL)
    render_queue(
        dub=dub,
        acting_user=request.user,
        tier=tier,
        delivery=delivery_asked(dub, request.POST),
    )
    return scene_answer(request, dub)


@login_required
@require_safe
def progress(request: MemberRequest, render_id: UUID) -> HttpResponse:
    """One render's row, asked for each second while it lives. When it has ended the
    scene around it is told: faces and lines may be changed again."""
    found = seen.render(request, render_id)
    render_look_after(found)
    project = found.dub.scene.project
    item = render_told(found, Clock.of(found.dub.scene))
    can_produce = Role.PRODUCER in seen.roles(request, project)
    context = {"item": item, "can_produce": can_produce, "project": project}
    response = render(request, "synthesis/scenes/_render.html", context)
    if not item["live"]:
        response["HX-Trigger"] = "render-ended"
    return response


@login_required
@require_POST
def cancel(request: MemberRequest, render_id: UUID) -> HttpResponse:
    """Stops a waiting or running render."""
    found = seen.render(request, render_id)
    render_cancel(render=found, acting_user=request.user)
    return scene_answer(request, found.dub)


@login_required
@require_POST
def performance(request: MemberRequest, render_id: UUID, form: str) -> HttpResponse:
    """The actor's performance as a file. By POST: every download is written down."""
    found = seen.render(request, render_id)
    file = performance_export(render=found, form=form, acting_user=request.user)
    response = HttpResponse(file.content, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, file.name) or ""
    response["Cache-Control"] = "private, no-store"
    return response


def scene_answer(request: MemberRequest, dub: Dub) -> HttpResponse:
    """The scene's body for htmx, since a render holds faces and lines still; the dub's
    place on the page for a plain form."""
    if not request.htmx:
        return redirect(place_of(dub))
    context = scene_shown(dub.scene, seen.roles(request, dub.scene.project))
    return render(request, "synthesis/scenes/_scene.html", context)
