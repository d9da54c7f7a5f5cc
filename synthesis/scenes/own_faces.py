"""The actor's own pages about their face: what is said to be them, what is kept."""

from __future__ import annotations

import json
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from consent.models import Actor
from consent.readers import reading_locale, shown_locale
from consent.sentences import sections_of
from consent.views.own import own_actor, passkeys_work_at
from synthesis.errors import SynthesisError
from synthesis.models import FaceSighting
from synthesis.review.media import serve_stored
from synthesis.scenes.face_words import can_tell, what_is_said
from synthesis.seen import MemberRequest
from synthesis.services.face_confirmations import (
    confirmation_of,
    confirmation_options,
    confirmation_standing,
    face_confirm,
    face_deny,
)
from synthesis.services.faces import REFERENCE_MAX_BYTES, face_forget, reference_bring
from synthesis.sizelimit import body_at_most


@login_required
@require_GET
def own_faces(request: MemberRequest) -> HttpResponse:
    """Everything that is said to be the actor's face, what waits for them first."""
    actor = own_actor(request)
    rows = [what_is_said(row) for row in _sightings(actor)]
    context = {
        "actor": actor,
        "waiting": [row for row in rows if row.waits],
        "settled": [row for row in rows if not row.waits],
        "enrolments": actor.enrolments.count(),
        "can_tell": can_tell(settings.FACE_MODELS_DIR),
        "largest": REFERENCE_MAX_BYTES >> 20,
    }
    return render(request, "synthesis/faces/faces.html", context)


@login_required
@require_http_methods(["GET", "POST"])
def own_face(request: MemberRequest, sighting_id: UUID) -> HttpResponse:
    """One face and the question whether it is theirs; a POST carries the signature."""
    found = _own(request, sighting_id)
    if request.method == "POST":
        remembers = request.POST.get("remembers") == "yes"
        face_confirm(
            sighting=found,
            remembers=remembers,
            assertion=request.POST.get("response", ""),
            acting_user=request.user,
            locale=shown_locale(request),
        )
        messages.success(request, _confirmed_words(remembers))
        return redirect("synthesis:own_faces")
    context = {
        "said": what_is_said(found),
        "elsewhere": passkeys_work_at(request),
        "words_locale": reading_locale(),
    }
    if found.sheet_sha256 and confirmation_standing(found) is None:
        context["choices"] = [
            _choice(request, found, remembers=True),
            _choice(request, found, remembers=False),
        ]
    return render(request, "synthesis/faces/face.html", context)


@login_required
@require_POST
def own_face_denied(request: MemberRequest, sighting_id: UUID) -> HttpResponse:
    """The actor says that a face is not theirs."""
    face_deny(sighting=_own(request, sighting_id), acting_user=request.user)
    messages.success(request, _("Noted. Nothing is made with this face as yours."))
    return redirect("synthesis:own_faces")


@login_required
@require_GET
def own_face_sheet(request: MemberRequest, sighting_id: UUID) -> HttpResponseBase:
    """The pictures that are asked about."""
    found = _own(request, sighting_id)
    if not found.sheet:
        raise Http404
    return serve_stored(request, found.sheet, tag=found.sheet_sha256, name="face.jpg")


@body_at_most(lambda: REFERENCE_MAX_BYTES)
@login_required
@require_POST
def own_face_brought(request: MemberRequest) -> HttpResponse:
    """Takes a clip of the actor's own face in."""
    file = request.FILES.get("clip")
    if file is None:
        raise SynthesisError("no-file", _("Choose a clip of your face first."))
    sighting = reference_bring(
        actor=own_actor(request), file=file, acting_user=request.user
    )
    messages.success(
        request, _("Thank you. The pictures are being cut from your clip.")
    )
    return redirect("synthesis:own_face", sighting.id)


@login_required
@require_POST
def own_face_forgotten(request: MemberRequest) -> HttpResponse:
    """Deletes what was measured of the actor's face."""
    count = face_forget(actor=own_actor(request), why="asked", acting_user=request.user)
    messages.success(
        request,
        _("Deleted. Your face is not remembered here any more.")
        if count
        else _("Nothing was remembered of your face."),
    )
    return redirect("synthesis:own_faces")


def _confirmed_words(remembers: bool) -> str:
    if not remembers:
        return _("Confirmed, for this face only.")
    return _(
        "Confirmed. Your face is being measured; later shots are compared with it."
    )


def _sightings(actor: Actor) -> list[FaceSighting]:
    rows = FaceSighting.objects.filter(actor=actor).select_related("project", "track")
    return list(rows.order_by("-said_at"))


def _own(request: MemberRequest, sighting_id: UUID) -> FaceSighting:
    rows = FaceSighting.objects.select_related("actor", "project", "track")
    return get_object_or_404(rows, actor__user_id=request.user.pk, pk=sighting_id)


def _choice(
    request: MemberRequest, sighting: FaceSighting, *, remembers: bool
) -> dict[str, object]:
    locale = reading_locale()
    options = confirmation_options(
        sighting=sighting,
        remembers=remembers,
        acting_user=request.user,
        locale=locale,
    )
    text = confirmation_of(sighting, remembers=remembers, locale=locale).shown_text
    return {
        "remembers": remembers,
        "sections": sections_of(text),
        "options": json.dumps(options),
    }
