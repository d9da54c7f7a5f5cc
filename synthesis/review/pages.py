"""The review page of one deliverable, its media, its comments and its decisions."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.views.decorators.http import require_POST, require_safe

from consent.errors import ConsentError
from consent.models import Role
from consent.views.receipts import receipt_answer
from synthesis import seen
from synthesis.errors import SynthesisError
from synthesis.models import Deliverable, Render, ViewingCopy
from synthesis.review.forms import CommentForm, DecisionForm
from synthesis.review.media import serve_stored
from synthesis.review.standing import standing_of
from synthesis.scenes.deliveries import file_in_words, viewing_copy_words
from synthesis.scenes.facts import Clock
from synthesis.scenes.forms import first_sentence
from synthesis.scenes.label_words import label_in_words, label_remarks
from synthesis.scenes.mouth_words import dials_in_words, render_left_alone
from synthesis.seen import MemberRequest
from synthesis.services.audits import audit_bundle_make
from synthesis.services.consents import is_sent_back, release_missing, render_verify
from synthesis.services.manifests import manifest_renew
from synthesis.services.receipts import deliverable_receipt
from synthesis.services.review import (
    comment_add,
    decision_make,
    deliverable_open,
    deliverable_verify,
)


@login_required
@require_safe
def review(request: MemberRequest, deliverable_id: UUID) -> HttpResponse:
    """The player, what was said, and what was decided."""
    found = seen.deliverable(request, deliverable_id)
    context = review_shown(request, found)
    context["at_frame"] = request.GET.get("frame", "0")
    return render(request, "synthesis/review/review.html", context)


def review_shown(request: MemberRequest, found: Deliverable) -> dict[str, Any]:
    """What the review page and its fragments are given. closed is the policy's
    sentence where consent no longer stands, and empty where it does."""
    dub = found.render.dub
    roles = seen.roles(request, dub.scene.project)
    clock = Clock.of(dub.scene)
    try:
        render_verify(found.render)
        closed = ""
    except (ConsentError, SynthesisError) as denied:
        closed = denied.sentence
    comments = found.comments.select_related("author")
    return {
        "deliverable": found,
        "dub": dub,
        "scene": dub.scene,
        "project": dub.scene.project,
        "clock": clock,
        "player": clock.for_player() | {"frames": found.frame_count},
        "last_frame": found.frame_count - 1,
        "comments": [(clock.label(c.frame), c) for c in comments],
        "decisions": found.decisions.select_related("reviewer"),
        "grants": found.render.grants.select_related("actor"),
        "reviewed": standing_of(found),
        "held": file_in_words(found),
        "viewing_copy": viewing_copy_words(found),
        "is_draft": found.render.tier == Render.Tier.DRAFT,
        "dials": dials_in_words(found.render.controls, clock),
        "left_alone": render_left_alone(found.render, clock),
        "label": label_in_words(found.label),
        "label_remarks": label_remarks(found.label, clock),
        "closed": closed,
        "missing": "" if closed else release_missing(found),
        "sent_back": not closed and is_sent_back(found),
        "can_review": Role.REVIEWER in roles,
        "can_produce": Role.PRODUCER in roles,
    }


@login_required
@require_safe
def watched(request: MemberRequest, deliverable_id: UUID) -> HttpResponseBase:
    """The file for the player, a range at a time; the policy is asked each time."""
    found = seen.deliverable(request, deliverable_id)
    return file_answer(request, found, "review", "review.mp4")


@login_required
@require_safe
def watched_by_actor(request: MemberRequest, deliverable_id: UUID) -> HttpResponseBase:
    """The file for the actor who is to approve it; the policy is asked each time."""
    found = seen.deliverable_of_actor(request, deliverable_id)
    return file_answer(request, found, "review", "review.mp4")


@login_required
@require_safe
def download(request: MemberRequest, deliverable_id: UUID) -> HttpResponseBase:
    """The approved file with its newest Content Credential, for a producer to take
    away."""
    found = seen.deliverable(request, deliverable_id)
    dub = found.render.dub
    title = slugify(dub.scene.title) or "scene"
    name = f"{title}_{dub.language}_v{found.render.version}.{found.suffix}"
    return file_answer(request, found, "download", name)


def file_answer(
    request: MemberRequest, found: Deliverable, purpose: str, name: str
) -> HttpResponseBase:
    """The file's bytes, for as long as consent stands: a withdrawal while they go out
    breaks them off. What is taken away carries the newest Content Credential."""
    file = deliverable_open(
        deliverable=found, acting_user=request.user, purpose=purpose
    )
    leaves = purpose == "download"
    newest = manifest_renew(deliverable=found) if leaves else None
    return serve_stored(
        request,
        file,
        tag=newest.manifest_id if newest else _bytes_of(found, leaves).sha256,
        name=name,
        download=leaves,
        appended=bytes(newest.appended) if newest else b"",
        ask=partial(deliverable_verify, deliverable=found, purpose=purpose),
    )


def _bytes_of(found: Deliverable, leaves: bool) -> Deliverable | ViewingCopy:
    return found if leaves else found.playable


@login_required
@require_safe
def receipt(request: MemberRequest, deliverable_id: UUID, form: str) -> HttpResponse:
    """The receipt of the file, for producers and for the actors in it."""
    found = seen.deliverable_with_own_face(request, deliverable_id)
    made = deliverable_receipt(deliverable=found, acting_user=request.user)
    return receipt_answer(made, name=f"file-{found.id}", form=form)


@login_required
@require_POST
def audit_bundle(request: MemberRequest, deliverable_id: UUID) -> HttpResponse:
    """All that is known of the file, to take away and to check offline. The ledger
    says who had it, so it is asked for by POST."""
    found = seen.deliverable_with_own_face(request, deliverable_id)
    content = audit_bundle_make(deliverable=found, acting_user=request.user)
    answer = HttpResponse(content, content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="audit-{found.id}.zip"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@login_required
@require_POST
def comment_new(request: MemberRequest, deliverable_id: UUID) -> HttpResponse:
    """Pins words to a frame."""
    found = seen.deliverable(request, deliverable_id)
    form = CommentForm(request.POST)
    if not form.is_valid():
        raise SynthesisError("bad-form", first_sentence(form))
    comment = comment_add(
        deliverable=found, acting_user=request.user, **form.cleaned_data
    )
    if not request.htmx:
        place = reverse("synthesis:deliverable", args=[found.id])
        return redirect(f"{place}?frame={comment.frame}#comments")
    context = review_shown(request, found) | {"oob_marks": True}
    return render(request, "synthesis/review/_comments.html", context)


@login_required
@require_POST
def decision_new(request: MemberRequest, deliverable_id: UUID) -> HttpResponse:
    """Takes a reviewer's verdict on the bytes they were shown."""
    found = seen.deliverable(request, deliverable_id)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise SynthesisError("bad-form", first_sentence(form))
    decision_make(deliverable=found, acting_user=request.user, **form.cleaned_data)
    if not request.htmx:
        place = reverse("synthesis:deliverable", args=[found.id])
        return redirect(f"{place}#decision")
    context = review_shown(request, found) | {"oob_standing": True}
    return render(request, "synthesis/review/_decision.html", context)
