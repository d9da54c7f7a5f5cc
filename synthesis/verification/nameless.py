"""Files that come in without ever having a name on the disk.

Whatever becomes of the process that holds it, the system frees such a file with its
last descriptor: nothing can be left lying.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest


def nameless_file() -> IO[bytes]:
    """A file to write and read, in the data folder: /tmp may be memory."""
    return tempfile.TemporaryFile(dir=settings.DATA_DIR)


def path_of(file: IO[bytes]) -> Path:
    """What opens a nameless file anew, in this process and those it is passed to."""
    return Path(f"/proc/self/fd/{file.fileno()}")


class NamelessUpload(FileUploadHandler):
    """Writes the one file of a form to a nameless one, and stops at `most` bytes."""

    chunk_size = 1 << 20

    def __init__(self, request: HttpRequest, most: int) -> None:
        super().__init__(request)
        self.most = most
        self.refusal = ""
        """"too-large" or "no-room" where the file was not taken."""
        self._file: IO[bytes] | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins; a second one is not taken."""
        super().new_file(*args, **kwargs)
        if self._file is not None:
            raise StopUpload(connection_reset=False)
        self._file = nameless_file()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keep a piece; the rest of a refused upload is heard out and forgotten."""
        assert self._file is not None  # noqa: S101 - new_file came first
        if start + len(raw_data) > self.most:
            self._refuse("too-large")
        try:
            self._file.write(raw_data)
        except OSError:
            self._refuse("no-room")

    def file_complete(self, file_size: int) -> UploadedFile[bytes] | None:
        """The file is there."""
        assert self._file is not None  # noqa: S101 - new_file came first
        try:
            self._file.flush()
        except OSError:
            self._refuse("no-room")
        self._file.seek(0)
        return UploadedFile(self._file, self.file_name, self.content_type, file_size)

    def upload_interrupted(self) -> None:
        """Whoever sent it hung up, or was stopped."""
        if self._file is not None:
            self._file.close()

    def _refuse(self, why: str) -> None:
        self.refusal = why
        raise StopUpload(connection_reset=False)
