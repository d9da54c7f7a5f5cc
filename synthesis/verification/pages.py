"""The public page that says of any file what it is. No account, nothing kept."""

from __future__ import annotations

import tempfile
from pathlib import Path, PurePath
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from synthesis.provenance.verdict import Code
from synthesis.ratelimit import Limit
from synthesis.services.verification import file_verify
from synthesis.sizelimit import body_at_most

MAX_BYTES = 512_000_000
FILES = Limit("verify", most=20, window_s=600)
# Of each verdict: how it is coloured, and its shortest form.
SHORT = {
    Code.UNCHANGED: ("ok", "Made here, and unchanged"),
    Code.CHANGED: ("wait", "Made here, but changed since"),
    Code.MISFIT: ("bad", "Our credential on something else"),
    Code.STRIPPED: ("wait", "Made here; its credential is gone"),
    Code.RELABELLED: ("bad", "Made here, under another maker's credential"),
    Code.PASTED: ("bad", "Our mark on another picture"),
    Code.UNRECORDED: ("wait", "Our mark, but no record of the file"),
    Code.FOREIGN: ("", "Not made here"),
    Code.FOREIGN_BROKEN: ("bad", "Not made here, and its credential is broken"),
    Code.NOTHING: ("", "Nothing was found"),
}

# What makers do to files (C2PA spec 2.4, actions); any other is shown as it is called.
STEPS = {
    "c2pa.created": "created",
    "c2pa.opened": "opened",
    "c2pa.placed": "put together",
    "c2pa.dubbed": "dubbed",
    "c2pa.translated": "translated",
    "c2pa.edited": "edited",
    "c2pa.edited.metadata": "description changed",
    "c2pa.converted": "converted",
    "c2pa.transcoded": "re-encoded",
    "c2pa.cropped": "cropped",
    "c2pa.resized": "resized",
    "c2pa.color_adjustments": "colours adjusted",
    "c2pa.drawing": "drawn on",
    "c2pa.repackaged": "repackaged",
    "c2pa.published": "released",
    "c2pa.watermarked": "marked invisibly",
    "c2pa.watermarked.bound": "marked invisibly",
}


@body_at_most(lambda: MAX_BYTES)
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Takes a file and answers with one verdict and what it rests on; as JSON to
    those who ask for it. 429 to an address that asks too often."""
    if request.method != "POST":
        return answer(request, {}, 200)
    if FILES.count(str(request.META.get("REMOTE_ADDR"))) > FILES.most:
        sentence = "Many files came from your address just now. Wait ten minutes."
        return answer(request, {"code": "too-often", "sentence": sentence}, 429)
    file = request.FILES.get("file")
    if not file:
        sentence = "Choose a file that is not empty first."
        return answer(request, {"code": "no-file", "sentence": sentence}, 400)
    name = PurePath(file.name or "").name
    return answer(request, {"result": verified(file), "name": name}, 200)


def verified(file: UploadedFile[bytes]) -> dict[str, Any]:
    """file_verify's answer about an uploaded file. Django deletes its own temporary
    file when the request ends; a small one is written out for the moment."""
    if isinstance(file, TemporaryUploadedFile):
        return file_verify(Path(file.temporary_file_path()))
    with tempfile.NamedTemporaryFile(prefix="verify-") as copy:
        copy.write(file.read())
        copy.flush()
        return file_verify(Path(copy.name))


def answer(request: HttpRequest, found: dict[str, Any], status: int) -> HttpResponse:
    """The page, or its JSON."""
    result = found.get("result")
    if "application/json" in request.headers.get("Accept", "") and found:
        return JsonResponse(result or found, status=status)
    context = {"max_bytes": MAX_BYTES, "refusal": found, **found}
    if result:
        context["tone"], context["short"] = SHORT[Code(result["code"])]
        claimed = result["credential"]["actions"]
        context["steps"] = [STEPS.get(step, step) for step in claimed]
        context["withdrawn"] = any(
            row["status"] != "active" for row in result["consent"]
        )
    template = "synthesis/verification/verify.html"
    return render(request, template, context, status=status)
