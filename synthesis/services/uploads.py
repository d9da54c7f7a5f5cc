"""Files on their way in, chunk by chunk, resumable at the last byte received."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from consent.models import Project, Role
from synthesis.errors import MediaRefused, NotAllowed, SynthesisError
from synthesis.models import Upload
from synthesis.services.access import require_role

KEPT = timedelta(days=7)


def upload_begin(
    *, project: Project, name: str, size_bytes: int, acting_user: AbstractBaseUser
) -> Upload:
    """Open an upload of exactly size_bytes. Raises before any byte travels when the
    file is empty or larger than this installation takes."""
    require_role(project=project, user=acting_user, role=Role.PRODUCER)
    if size_bytes <= 0:
        raise MediaRefused(
            "empty-file",
            "This file is empty (0 bytes). Export it again and upload the new file.",
        )
    if size_bytes > settings.UPLOAD_MAX_BYTES:
        raise MediaRefused(
            "too-large",
            f"This file has {size_bytes / 2**30:.1f} GiB; this installation takes up to"
            f" {settings.UPLOAD_MAX_BYTES / 2**30:.1f} GiB. Send a shorter scene.",
        )
    return Upload.objects.create(
        project=project, user_id=acting_user.pk, name=name[:255], size_bytes=size_bytes
    )


def upload_append(
    *, upload: Upload, offset_bytes: int, chunk: bytes, acting_user: AbstractBaseUser
) -> int:
    """Write the chunk at offset_bytes and return the next offset.

    Raises wrong-offset when it is not the next piece; the sender then asks where to go
    on. The row moves only after the bytes are on disk, and only from that offset, so a
    chunk that arrives twice counts once.
    """
    _require_owner(upload, acting_user)
    end = offset_bytes + len(chunk)
    if end > upload.size_bytes:
        raise SynthesisError(
            "too-many-bytes", "More arrived than was announced. Start the upload again."
        )
    if offset_bytes != upload.received_bytes:
        raise _wrong_offset(upload)
    descriptor = os.open(upload_path(upload), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        os.pwrite(descriptor, chunk, offset_bytes)
    finally:
        os.close(descriptor)
    moved = Upload.objects.filter(id=upload.id, received_bytes=offset_bytes).update(
        received_bytes=end
    )
    if not moved:
        raise _wrong_offset(upload)
    upload.received_bytes = end
    return end


def upload_abort(*, upload: Upload, acting_user: AbstractBaseUser) -> None:
    """Forget the upload and its bytes."""
    _require_owner(upload, acting_user)
    upload_path(upload).unlink(missing_ok=True)
    upload.delete()


def uploads_sweep() -> None:
    """Forget uploads that nobody has gone on with for a week."""
    for upload in Upload.objects.filter(created_at__lt=timezone.now() - KEPT):
        upload_path(upload).unlink(missing_ok=True)
        upload.delete()


def upload_take(*, upload: Upload, acting_user: AbstractBaseUser) -> Path:
    """Close a complete upload and return where its bytes lie; the caller moves them.
    Raises upload-incomplete."""
    _require_owner(upload, acting_user)
    if upload.received_bytes != upload.size_bytes:
        raise SynthesisError(
            "upload-incomplete",
            f"Only {upload.received_bytes} of {upload.size_bytes} bytes have arrived."
            " Let the upload finish first.",
        )
    path = upload_path(upload)
    transaction.on_commit(lambda: Upload.objects.filter(id=upload.id).delete())
    return path


def upload_path(upload: Upload) -> Path:
    """Where the bytes of an unfinished upload lie."""
    folder = Path(settings.DATA_DIR) / "uploads"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / f"{upload.id}.part"


def _require_owner(upload: Upload, user: AbstractBaseUser) -> None:
    if upload.user_id != user.pk:
        raise NotAllowed("not-allowed", "This upload was begun by somebody else.")


def _wrong_offset(upload: Upload) -> SynthesisError:
    upload.refresh_from_db(fields=["received_bytes"])
    return SynthesisError(
        "wrong-offset", f"The next byte expected is {upload.received_bytes}."
    )
