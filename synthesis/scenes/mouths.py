"""The supervisor's page of a dub: offset, intensity, ranges, and a curve to draw."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from consent.errors import ConsentError
from consent.models import Role
from synthesis import seen
from synthesis.dials import POINT, Dials
from synthesis.engines.base import BLEND_FRAMES, JOIN_FRAMES
from synthesis.errors import SynthesisError
from synthesis.models import Deliverable, Dub, Render, Track
from synthesis.scenes.dubs import place_of
from synthesis.scenes.facts import Clock
from synthesis.scenes.mouth_forms import dials_of, forms_of
from synthesis.scenes.mouth_words import left_alone_in_words
from synthesis.seen import MemberRequest
from synthesis.services.access import require_role
from synthesis.services.consents import render_verify
from synthesis.services.dials import (
    are_curves_under_way,
    curves_known,
    dub_curves_ask,
    dub_dials_set,
)
from synthesis.services.renders import render_queue, speaking_faces, tracks_to_render


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def mouths(request: MemberRequest, dub_id: UUID) -> HttpResponse:
    """Shows the controls; keeps what is sent, and renders where that is asked."""
    dub = seen.dub(request, dub_id)
    require_role(project=dub.scene.project, user=request.user, role=Role.PRODUCER)
    clock, tracks = Clock.of(dub.scene), tracks_to_render(dub)
    track = _shown(tracks, request.POST.get("face") or request.GET.get("face"))
    kept = Dials.from_json(dub.dials).only(speaking_faces(dub))
    form, ranges = forms_of(
        kept,
        clock=clock,
        faces=[one.number for one in tracks],
        face=track.number if track else None,
        data=request.POST if request.method == "POST" else None,
    )
    if request.method == "POST" and form.is_valid() and ranges.is_valid():
        try:
            dials = dials_of(kept, form, ranges)
            dub_dials_set(dub=dub, dials=dials, acting_user=request.user)
            return _kept(request, dub)
        except SynthesisError as error:
            form.add_error(None, error.sentence)
    context = _page(dub, clock, tracks, track, kept)
    context |= {"form": form, "ranges": ranges, "at_frame": _frame(request, track)}
    status = 422 if request.method == "POST" else 200
    return render(request, "synthesis/mouths/mouths.html", context, status=status)


@login_required
@require_POST
def curves_new(request: MemberRequest, dub_id: UUID) -> HttpResponse:
    """Has the network's proposals worked out."""
    dub = seen.dub(request, dub_id)
    dub_curves_ask(dub=dub, acting_user=request.user)
    return _proposal(request, dub) if request.htmx else redirect(_place(request, dub))


@login_required
@require_safe
def curves(request: MemberRequest, dub_id: UUID) -> HttpResponse:
    """The proposal for the face shown, asked for each second until it is there."""
    dub = seen.dub(request, dub_id)
    require_role(project=dub.scene.project, user=request.user, role=Role.PRODUCER)
    return _proposal(request, dub)


def _kept(request: MemberRequest, dub: Dub) -> HttpResponse:
    """What follows once the dials are kept: another face, a render, or the page."""
    wish = request.POST.get("do", "save")
    if wish in Render.Tier.values:
        render_queue(dub=dub, acting_user=request.user, tier=wish)
        return redirect(place_of(dub))
    messages.success(request, "Kept. The next render follows it.")
    return redirect(_place(request, dub, wish.removeprefix("face-")))


def _place(request: MemberRequest, dub: Dub, face: str = "") -> str:
    """This page: at the face wished for, or at the face and frame that were shown."""
    place = reverse("synthesis:mouths", args=[dub.id])
    if face.isdecimal():
        return f"{place}?face={face}"
    kept = {name: request.POST.get(name, "") for name in ("face", "frame")}
    return f"{place}?{urlencode({k: v for k, v in kept.items() if v.isdecimal()})}"


def _frame(request: MemberRequest, track: Track | None) -> int:
    """The frame on the stage: the one that was, or the face's first."""
    asked = request.POST.get("frame") or request.GET.get("frame") or ""
    if track is None or not asked.isdecimal() or len(asked) > 9:
        return track.first_frame if track else 0
    return int(asked)


def _shown(tracks: list[Track], number: str | None) -> Track | None:
    """The face whose curve is shown: the one asked for, or the first."""
    asked = [track for track in tracks if str(track.number) == number]
    return next(iter(asked or tracks), None)


def _proposal(request: MemberRequest, dub: Dub) -> HttpResponse:
    track = _shown(
        tracks_to_render(dub), request.POST.get("face") or request.GET.get("face")
    )
    context = {"dub": dub, "track": track} | _proposed(dub, track)
    return render(request, "synthesis/mouths/_proposal.html", context)


def _proposed(dub: Dub, track: Track | None) -> dict[str, Any]:
    curve = curves_known(dub).get(track.number) if track else None
    return {
        "proposed": curve.values if curve else None,
        "proposal_under_way": curve is None and are_curves_under_way(dub),
    }


def _page(
    dub: Dub, clock: Clock, tracks: list[Track], track: Track | None, kept: Dials
) -> dict[str, Any]:
    watched = _watchable(dub)
    page: dict[str, Any] = {
        "dub": dub,
        "scene": dub.scene,
        "project": dub.scene.project,
        "clock": clock,
        "last_frame": clock.frame_count - 1,
        "tracks": tracks,
        "track": track,
        "watched": watched,
        "busy": dub.renders.live().exists(),
    }
    if track is None:
        return page
    page["left_alone"] = left_alone_in_words(track.number, track.left_alone, clock)
    page["first"], page["last"] = (
        clock.label(frame) for frame in (track.first_frame, track.end_frame - 1)
    )
    page["editor"] = {
        "clock": clock.for_player(),
        "first": track.first_frame,
        "end": track.end_frame,
        "ranges": [
            dict(vars(one)) for one in kept.ranges if one.face in (None, track.number)
        ],
        "left_alone": track.left_alone,
        "blend": BLEND_FRAMES,
        "join": JOIN_FRAMES,
        "limits": POINT,
    }
    return page | _proposed(dub, track)


def _watchable(dub: Dub) -> Deliverable | None:
    """The newest file of this dub, as long as it may be watched."""
    newest = (
        Deliverable.objects.filter(render__dub=dub).order_by("-render__version").first()
    )
    if newest is None:
        return None
    try:
        render_verify(newest.render)
    except (ConsentError, SynthesisError):
        return None
    return newest
