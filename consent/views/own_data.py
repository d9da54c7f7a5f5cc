"""What is kept about an actor: taking it away, and deleting what is of their face."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import (
    HttpRequest,
    HttpResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from consent.models import LedgerEntry, Status
from consent.receipt import EntryPart
from consent.services.checkpoints import checkpoint_covering, ledger_key
from consent.services.export import export_make
from consent.services.face_data import (
    DELETED,
    deleted_of,
    face_data_forget,
    face_data_of,
)
from consent.services.ledger import ledger_inclusion_proof
from consent.views.grants import asker
from consent.views.own import own_actor


@login_required
@require_http_methods(["GET", "POST"])
def own_data(request: HttpRequest) -> HttpResponseBase:
    """What the file holds; a POST downloads it."""
    actor = own_actor(request)
    if request.method == "GET":
        return render(request, "consent/own_data.html", {"actor": actor})
    blocks = export_make(actor=actor, acting_user=asker(request))
    response = StreamingHttpResponse(blocks, content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="my-consent.zip"'
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_http_methods(["GET", "POST"])
def face_data(request: HttpRequest) -> HttpResponse:
    """What is kept of the actor's face; a POST with the tick deletes it all."""
    actor = own_actor(request)
    missed = False
    if request.method == "POST":
        if request.POST.get("sure") == "yes":
            entry = face_data_forget(actor=actor, acting_user=asker(request))
            messages.success(request, _("Deleted."))
            return redirect("consent:face_deleted", index=entry.index)
        missed = True
    kept = face_data_of(actor)
    grants = actor.grants.select_related("project", "following").prefetch_related(
        "revocations", "suspensions"
    )
    context = {
        "kept": kept,
        "is_something_kept": any(one.count for one in kept),
        "missed": missed,
        "standing_grants": [one for one in grants if one.status == Status.ACTIVE],
    }
    status = 422 if missed else 200
    return render(request, "consent/face_data.html", context, status=status)


def own_deletion(request: HttpRequest, index: int) -> LedgerEntry:
    rows = LedgerEntry.objects.about(str(own_actor(request).id))
    return get_object_or_404(rows, kind=DELETED, index=index)


@login_required
@require_GET
def face_deleted(request: HttpRequest, index: int) -> HttpResponse:
    """The receipt of a deletion, to be read."""
    entry = own_deletion(request, index)
    context = {"entry": entry, "deleted": deleted_of(entry)}
    return render(request, "consent/face_deleted.html", context)


@login_required
@require_GET
def face_deleted_proof(request: HttpRequest, index: int) -> HttpResponse:
    """The same as a file that proves it: the log's entry, its proof, a checkpoint."""
    entry = own_deletion(request, index)
    checkpoint = checkpoint_covering(entry=entry.index)
    _size, proof = ledger_inclusion_proof(entry, size=checkpoint.size)
    part = EntryPart(content=bytes(entry.content), proof=tuple(proof))
    answer: dict[str, Any] = {
        "entry": part.document(),
        "checkpoint": checkpoint.note,
        "ledger_key": ledger_key().text,
    }
    response = HttpResponse(json.dumps(answer, indent=1), "application/json")
    name = f"face-data-deleted-{entry.index}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
