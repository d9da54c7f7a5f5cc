"""The ledger in public: checkpoints and proofs, hashes only. No login needed."""

from __future__ import annotations

from typing import Final

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from consent.encoding import base64_text
from consent.errors import LedgerBroken
from consent.models import LedgerCheckpoint, LedgerEntry
from consent.services.checkpoints import (
    checkpoint_covering,
    checkpoint_current,
    checkpoint_newest,
    ledger_key,
)
from consent.services.ledger import ledger_consistency_proof, ledger_inclusion_proof

PLAIN: Final = "text/plain; charset=utf-8"
PAGE: Final = 200


@require_GET
def key(request: HttpRequest) -> HttpResponse:
    """The public key that checkpoints are signed with, as a C2SP note key."""
    return HttpResponse(ledger_key().text + "\n", content_type=PLAIN)


@require_GET
def checkpoint(request: HttpRequest, size: int | None = None) -> HttpResponse:
    """The newest checkpoint, or the one of this size, as a signed note."""
    if size is not None:
        note = get_object_or_404(LedgerCheckpoint, size=size).note
        return HttpResponse(note, content_type=PLAIN)
    newest = checkpoint_current()
    if newest is None:
        raise Http404("nothing was signed yet")
    response = HttpResponse(newest.note, content_type=PLAIN)
    response["Cache-Control"] = "no-cache"
    return response


@require_GET
def checkpoints(request: HttpRequest) -> JsonResponse:
    """Every checkpoint, the newest first, a page at a time: next names the address
    of the one after it."""
    rows = LedgerCheckpoint.objects.order_by("-size")
    before = _number(request, "before", None)
    if before is not None:
        rows = rows.filter(size__lt=before)
    page = list(rows[: PAGE + 1])
    notes = [{"size": row.size, "note": row.note} for row in page[:PAGE]]
    rest = f"{request.path}?before={notes[-1]['size']}" if len(page) > PAGE else None
    return JsonResponse({"key": ledger_key().text, "checkpoints": notes, "next": rest})


@require_GET
def consistency(request: HttpRequest) -> JsonResponse:
    """Proof that the ledger of ?to entries (those signed for) begins with ?from."""
    newest = checkpoint_newest()
    first = _number(request, "from", None)
    second = _number(request, "to", newest.size if newest else None)
    if first is None or second is None:
        raise LedgerBroken("Say from which size to which: ?from=10&to=20.")
    proof = ledger_consistency_proof(first=first, second=second)
    nodes = [base64_text(node) for node in proof]
    return JsonResponse({"from": first, "to": second, "proof": nodes})


@require_GET
def entry_proof(request: HttpRequest, index: int) -> JsonResponse:
    """Proof that an entry stands in a signed ledger: its hash, never its content."""
    entry = get_object_or_404(LedgerEntry, index=index)
    signed = checkpoint_covering(entry=index)
    _, proof = ledger_inclusion_proof(entry, size=signed.size)
    return JsonResponse(
        {
            "entry": index,
            "leaf_hash": base64_text(bytes(entry.leaf_hash)),
            "proof": [base64_text(node) for node in proof],
            "checkpoint": signed.note,
        }
    )


def _number(request: HttpRequest, name: str, otherwise: int | None) -> int | None:
    text = request.GET.get(name, "")
    if not text:
        return otherwise
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise LedgerBroken("A size in the address is not a number.")
    return int(text)
