"""A scene's page: what analysis found, whose faces they are, and the dubs."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from synthesis import seen
from synthesis.errors import SynthesisError
from synthesis.review.media import serve_stored
from synthesis.scenes.face_words import guard_told
from synthesis.scenes.forms import AssignForm, first_sentence
from synthesis.scenes.shown import scene_shown, track_shown
from synthesis.seen import MemberRequest
from synthesis.services.scenes import (
    scene_analyse_again,
    scene_look_after,
    track_assign,
)


@login_required
@require_safe
def scene(request: MemberRequest, scene_id: UUID) -> HttpResponse:
    """The whole page."""
    found = seen.scene(request, scene_id)
    context = scene_shown(found, seen.roles(request, found.project))
    return render(request, "synthesis/scenes/scene.html", context)


@login_required
@require_safe
def progress(request: MemberRequest, scene_id: UUID) -> HttpResponse:
    """The page's body, asked for each second while analysis runs; once it has ended
    the fragment comes back without its trigger and the asking stops."""
    found = seen.scene(request, scene_id)
    scene_look_after(found)
    context = scene_shown(found, seen.roles(request, found.project))
    return render(request, "synthesis/scenes/_scene.html", context)


@login_required
@require_POST
def again(request: MemberRequest, scene_id: UUID) -> HttpResponse:
    """Queues the analysis once more."""
    found = seen.scene(request, scene_id)
    scene_analyse_again(scene=found, acting_user=request.user)
    return redirect("synthesis:scene", scene_id)


@login_required
@require_safe
def original(request: MemberRequest, scene_id: UUID) -> HttpResponseBase:
    """The scene as uploaded, made playable in browsers."""
    found = seen.scene(request, scene_id)
    if not found.proxy:
        raise Http404
    return serve_stored(request, found.proxy, tag=found.sha256, name="original.mp4")


@login_required
@require_safe
def thumbnail(request: MemberRequest, track_id: UUID) -> HttpResponseBase:
    """A still of one face."""
    found = seen.track(request, track_id)
    if not found.thumbnail:
        raise Http404
    return serve_stored(request, found.thumbnail, tag=str(found.id), name="face.jpg")


@login_required
@require_safe
def guard(request: MemberRequest, track_id: UUID) -> HttpResponse:
    """How the face guard stands to a track, asked for while it compares."""
    found = seen.track(request, track_id)
    context = {"face": {"track": found, "guard": guard_told(found)}}
    return render(request, "synthesis/scenes/_guard.html", context)


@login_required
@require_POST
def assign(request: MemberRequest, track_id: UUID) -> HttpResponse:
    """Says whose face a track is. Answers with the track's row and, beside it, what
    each dub still lacks."""
    found = seen.track(request, track_id)
    scene = found.shot.scene
    form = AssignForm(request.POST, project=scene.project)
    if not form.is_valid():
        raise SynthesisError("bad-form", first_sentence(form))
    actor = form.cleaned_data["actor"]
    track_assign(track=found, actor=actor, acting_user=request.user)
    messages.success(
        request,
        f"Face {found.number} is {actor}."
        if actor
        else f"Face {found.number} is free.",
    )
    if not request.htmx:
        return redirect("synthesis:scene", scene.id)
    context = scene_shown(scene, seen.roles(request, scene.project))
    context["face"] = track_shown(found, context["clock"])
    return render(request, "synthesis/scenes/_assigned.html", context)
