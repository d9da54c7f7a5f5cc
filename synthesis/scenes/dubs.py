"""Language versions of a scene, and their lines."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from synthesis import seen
from synthesis.errors import SynthesisError
from synthesis.models import Dub
from synthesis.scenes.facts import Clock
from synthesis.scenes.forms import ContentForm, DubForm, LineForm, first_sentence
from synthesis.scenes.uploads import upload_of_form
from synthesis.seen import MemberRequest
from synthesis.services.scenes import dub_create, dub_declare, line_add, line_remove
from synthesis.sizelimit import body_at_most


def place_of(dub: Dub) -> str:
    """Address of a dub on its scene's page."""
    return reverse("synthesis:scene", args=[dub.scene_id]) + f"#dub-{dub.id}"


@login_required
@require_POST
def dub_new(request: MemberRequest, scene_id: UUID) -> HttpResponse:
    """Opens a language version."""
    scene = seen.scene(request, scene_id)
    form = DubForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_sentence(form))
        return redirect("synthesis:scene", scene_id)
    language = form.cleaned_data["language"]
    dub = dub_create(scene=scene, language=language, acting_user=request.user)
    return redirect(place_of(dub))


@login_required
@require_POST
def dub_content(request: MemberRequest, dub_id: UUID) -> HttpResponse:
    """Says which kinds of content a dub holds."""
    dub = seen.dub(request, dub_id)
    form = ContentForm(request.POST)
    if form.is_valid():
        content = form.cleaned_data["content"]
        try:
            dub_declare(dub=dub, content=content, acting_user=request.user)
        except SynthesisError as refused:
            if refused.code == "not-allowed":
                raise
            messages.error(request, refused.sentence)
    else:
        messages.error(request, first_sentence(form))
    return redirect(place_of(dub))


@login_required
@body_at_most(lambda: settings.UPLOAD_MAX_BYTES)
@require_POST
def line_new(request: MemberRequest, dub_id: UUID) -> HttpResponse:
    """Adds an actor's dialogue to a dub."""
    dub = seen.dub(request, dub_id)
    project = dub.scene.project
    form = LineForm(request.POST, project=project)
    if not form.is_valid():
        messages.error(request, first_sentence(form))
        return redirect(place_of(dub))
    try:
        first_frame = Clock.of(dub.scene).frame(form.cleaned_data["start"])
        line_add(
            dub=dub,
            actor=form.cleaned_data["actor"],
            upload=upload_of_form(request, project, form.cleaned_data["upload"]),
            first_frame=first_frame,
            acting_user=request.user,
        )
    except SynthesisError as refused:
        if refused.code == "not-allowed":
            raise
        messages.error(request, refused.sentence)
    return redirect(place_of(dub))


@login_required
@require_POST
def line_gone(request: MemberRequest, line_id: UUID) -> HttpResponse:
    """Takes a line out of its dub."""
    line = seen.line(request, line_id)
    line_remove(line=line, acting_user=request.user)
    return redirect(place_of(line.dub))
