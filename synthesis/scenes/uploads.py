"""Files on their way in: chunk by chunk from upload.js, or whole from a plain form."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from consent.models import Project
from synthesis import seen
from synthesis.errors import MediaRefused, SynthesisError
from synthesis.models import Upload
from synthesis.seen import MemberRequest
from synthesis.services.uploads import upload_abort, upload_append, upload_begin

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

CHUNK_BYTES = 4 << 20
CHUNK_MAX_BYTES = 8 << 20


@login_required
@require_POST
def begin(request: MemberRequest, project_id: UUID) -> JsonResponse:
    """JSON {"name", "size_bytes"} in; the upload's address and chunk size out."""
    project = seen.project(request, project_id)
    try:
        asked = json.loads(request.body)
        name, size_bytes = str(asked["name"]), int(asked["size_bytes"])
    except (ValueError, KeyError, TypeError) as e:
        raise MediaRefused(
            "bad-request", "The upload must name the file and its size in bytes."
        ) from e
    upload = upload_begin(
        project=project, name=name, size_bytes=size_bytes, acting_user=request.user
    )
    answer = {
        "id": str(upload.id),
        "url": reverse("synthesis:upload", args=[upload.id]),
        "chunk_bytes": CHUNK_BYTES,
        "offset_bytes": upload.received_bytes,
    }
    return JsonResponse(answer, status=201)


@login_required
@require_http_methods(["GET", "HEAD", "PATCH", "DELETE"])
def upload(request: MemberRequest, upload_id: UUID) -> HttpResponse:
    """Asks where an upload stands, sends its next chunk, or gives it up."""
    found = seen.upload(request, upload_id)
    if request.method == "DELETE":
        upload_abort(upload=found, acting_user=request.user)
        return HttpResponse(status=204)
    if request.method == "PATCH":
        return append(request, found)
    return offset_answer(found)


def append(request: MemberRequest, found: Upload) -> JsonResponse:
    """One chunk at the offset named by the Upload-Offset header; 409 with the true
    offset if the server stands elsewhere."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    if not 0 < length <= CHUNK_MAX_BYTES:
        sentence = f"A chunk has between 1 and {CHUNK_MAX_BYTES} bytes."
        return JsonResponse({"code": "bad-chunk", "sentence": sentence}, status=413)
    try:
        offset_bytes = int(request.headers.get("Upload-Offset", ""))
    except ValueError as e:
        raise MediaRefused(
            "bad-request", "A chunk must say where it belongs (Upload-Offset)."
        ) from e
    try:
        upload_append(
            upload=found,
            offset_bytes=offset_bytes,
            chunk=request.body,
            acting_user=request.user,
        )
    except SynthesisError as e:
        if e.code != "wrong-offset":
            raise
        return offset_answer(found, status=409)
    return offset_answer(found)


def offset_answer(upload: Upload, status: int = 200) -> JsonResponse:
    upload.refresh_from_db(fields=["received_bytes"])
    offset = {"offset_bytes": upload.received_bytes, "size_bytes": upload.size_bytes}
    response = JsonResponse(offset, status=status)
    response["Upload-Offset"] = str(upload.received_bytes)
    response["Cache-Control"] = "no-store"
    return response


def upload_of_form(
    request: MemberRequest, project: Project, upload_id: UUID | None
) -> Upload:
    """The upload a form speaks of: one sent in chunks before, or the file in the form
    itself, which then goes in by the same door. Raises MediaRefused."""
    if upload_id is not None:
        sent = seen.upload(request, upload_id)
        if sent.project_id == project.id:
            return sent
    file = request.FILES.get("file")
    if file is None:
        raise MediaRefused("no-file", "Choose a file first.")
    return upload_whole(file, project, request.user)


def upload_whole(
    file: UploadedFile[bytes], project: Project, acting_user: AbstractBaseUser
) -> Upload:
    """Sends a plain form's file through the services, chunk by chunk."""
    upload = upload_begin(
        project=project,
        name=PurePath(file.name or "file").name,
        size_bytes=file.size or 0,
        acting_user=acting_user,
    )
    offset_bytes = 0
    for chunk in file.chunks(CHUNK_BYTES):
        offset_bytes = upload_append(
            upload=upload,
            offset_bytes=offset_bytes,
            chunk=chunk,
            acting_user=acting_user,
        )
    return upload
