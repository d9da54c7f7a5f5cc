"""Receipts to take away."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from consent.readers import reading_locale
from consent.receipt import Receipt
from consent.receipt_pdf import record_pdf
from consent.services.actors import agent_name
from consent.services.receipts import grant_receipt, receipt_as_pdf
from consent.views.grants import asker, visible_grant
from consent.views.own import own_actor

KINDS: Final = {"json": "application/json", "pdf": "application/pdf"}


def receipt_answer(receipt: Receipt, *, name: str, form: str) -> HttpResponse:
    """Answer with a receipt as a download, in the form "json" or "pdf"."""
    content = receipt.to_bytes() if form == "json" else receipt_as_pdf(receipt)
    response = HttpResponse(content, content_type=KINDS[form])
    response["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_GET
def receipt(request: HttpRequest, grant_id: UUID, form: str) -> HttpResponse:
    """The receipt of a grant, for its actor and the project's producers."""
    row = visible_grant(request, grant_id)
    made = grant_receipt(grant=row, acting_user=asker(request))
    return receipt_answer(made, name=f"consent-{row.id}", form=form)


@login_required
@require_GET
def question(request: HttpRequest, grant_id: UUID) -> HttpResponse:
    """A question that is not signed, as a PDF to read at leisure."""
    row = visible_grant(request, grant_id)
    if row.signed_at:
        return redirect("consent:receipt", grant_id=row.id, form="pdf")
    content = record_pdf(row.document, reading_locale())
    response = HttpResponse(content, content_type="application/pdf")
    name = f"question-{row.id}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def agent(request: HttpRequest) -> HttpResponse:
    """Keep who is to get the actor's receipts beside them."""
    actor = own_actor(request)
    email = request.POST.get("email", "")
    agent_name(actor=actor, email=email, acting_user=asker(request))
    said = _("No agent now.")
    if email:
        said = _("Your agent gets every receipt from now on.")
    messages.success(request, said)
    return redirect("consent:home")
