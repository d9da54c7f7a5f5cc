"""A project's label page, its preview, and a scene's breaks."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import cv2
import numpy as np
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from consent.models import Project, Role
from synthesis import seen
from synthesis.errors import SynthesisError
from synthesis.models import Dub, LabelPolicy
from synthesis.provenance.label import CORNERS, Sign
from synthesis.provenance.label.wording import primary
from synthesis.scenes.facts import Clock
from synthesis.scenes.label_forms import label_forms, policy_wished
from synthesis.seen import MemberRequest
from synthesis.services.access import require_role
from synthesis.services.labels import (
    fonts_at_hand,
    label_policy,
    label_policy_set,
    label_wording_check,
    scene_breaks_set,
    wording_for,
)

PREVIEW = (640, 360)
GROUNDS = {"black": 16, "grey": 110, "white": 235}
"""Luma of the sample pictures."""


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def label(request: MemberRequest, project_id: UUID) -> HttpResponse:
    """Shows the label and what can be chosen; keeps what a producer sends, or shows how
    it would look."""
    found = seen.project(request, project_id)
    policy = label_policy(found)
    sent = request.POST if request.method == "POST" else None
    if sent is not None:
        require_role(project=found, user=request.user, role=Role.PRODUCER)
    form, wordings = label_forms(policy, _languages(found, policy), sent)
    context = {"project": found, "policy": policy, "form": form, "wordings": wordings}
    if sent is None:
        context["preview"] = _preview(found, policy, request.GET.get("shown", ""))
    elif form.is_valid() and wordings.is_valid():
        wished = policy_wished(form, wordings)
        if sent.get("do") == "save":
            return _kept(request, found, wished)
        context["preview"] = _tried(found, policy, wished, form.cleaned_data["shown"])
    return _page(request, context, asked=sent is not None)


@login_required
@require_safe
def preview(request: MemberRequest, project_id: UUID) -> HttpResponse:
    """A PNG of the label as it would look: query text, language, corner, ground."""
    seen.project(request, project_id)
    text, language = request.GET.get("text", ""), request.GET.get("language", "en")
    corner = request.GET.get("corner", "")
    sign = _sign(text, language)
    drawn = sign.drawn(next((c for c in CORNERS if c == corner), CORNERS[0]))
    level = GROUNDS.get(request.GET.get("ground", ""), GROUNDS["grey"])
    y = np.full((sign.height, sign.width), level, np.uint8)
    u, v = (np.full((sign.height // 2, sign.width // 2), 128, np.uint8) for _ in "uv")
    drawn.apply(y, u, v)
    grey = np.clip((y.astype(np.float32) - 16) * (255 / 219), 0, 255).astype(np.uint8)
    png = cv2.imencode(".png", grey)[1].tobytes()
    return HttpResponse(
        png,
        content_type="image/png",
        headers={"Cache-Control": "private, max-age=600"},
    )


@login_required
@require_POST
def breaks(request: MemberRequest, scene_id: UUID) -> HttpResponse:
    """Says where a scene goes on after a break."""
    found = seen.scene(request, scene_id)
    try:
        clock = Clock.of(found)
        typed = request.POST.get("breaks", "")[:10_000].split()
        frames = [clock.frame(one) for one in typed]
        scene_breaks_set(scene=found, frames=frames, acting_user=request.user)
        messages.success(request, "Kept. The next render follows it.")
    except SynthesisError as refused:
        if refused.code == "not-allowed":
            raise
        messages.error(request, refused.sentence)
    return redirect(reverse("synthesis:scene", args=[scene_id]) + "#breaks")


def _sign(text: str, language: str) -> Sign:
    words = label_wording_check(text, language)
    return Sign(*PREVIEW, text=words, fonts=fonts_at_hand())


def _tried(
    project: Project, kept: LabelPolicy, wished: dict[str, Any], shown: str
) -> dict[str, Any]:
    """A preview of what is not kept yet: in the language shown, or in the one whose
    words were changed."""
    words = {tag: text for tag, text in wished["wordings"].items() if text}
    changed = [
        tag
        for tag, text in wished["wordings"].items()
        if text != kept.wordings.get(tag.lower(), "")
    ]
    trial = LabelPolicy(
        project=project,
        corner=wished["corner"],
        wordings={tag.lower(): text for tag, text in words.items()},
    )
    one = shown if shown in changed or not changed else changed[0]
    return _preview(project, trial, one)


def _kept(
    request: MemberRequest, project: Project, wished: dict[str, Any]
) -> HttpResponse:
    label_policy_set(project=project, acting_user=request.user, **wished)
    messages.success(request, "Kept. Files that are made from now on follow it.")
    return redirect("synthesis:label", project.id)


def _page(
    request: MemberRequest, context: dict[str, Any], *, asked: bool
) -> HttpResponse:
    """The page, or for htmx its preview alone; what was sent wrong shows beside it."""
    refused = asked and "preview" not in context
    if request.htmx:
        return render(request, "synthesis/labels/_preview.html", context)
    roles = seen.roles(request, context["project"])
    context["can_produce"] = Role.PRODUCER in roles
    template = "synthesis/labels/label.html"
    return render(request, template, context, status=422 if refused else 200)


def _languages(project: Project, policy: LabelPolicy) -> list[str]:
    """Those that the project's dubs are in, and those that have words of their own."""
    dubs = Dub.objects.filter(scene__project=project)
    found = {one.lower(): one for one in policy.wordings}
    found |= {one.lower(): one for one in dubs.values_list("language", flat=True)}
    return sorted(found.values()) or ["en"]


def _preview(project: Project, policy: LabelPolicy, shown: str) -> dict[str, Any]:
    """Three pictures of the label in one language, or why there are none."""
    languages = _languages(project, policy)
    language = next((one for one in languages if one == shown), languages[0])
    wording = wording_for(policy, language)
    place = reverse("synthesis:label_preview", args=[project.id])
    refused = ""
    try:
        _sign(wording.text, language).drawn(CORNERS[0])
    except SynthesisError as error:
        refused = error.sentence
    asked = {
        "text": wording.text,
        "language": wording.language,
        "corner": policy.corner,
    }
    return {
        "language": language,
        "wording": wording,
        "refused": refused,
        "in_english": not wording.own and primary(language) != wording.language,
        "pictures": [
            {
                "ground": ground,
                "src": f"{place}?{urlencode(asked | {'ground': ground})}",
            }
            for ground in GROUNDS
        ],
    }
