"""A time-stamp authority that may be slow, down or wrong, and stops nothing.

The native library asks an authority (RFC 3161) itself, waits for it without end, and
gives the signature up when it fails. So it is shown a relay on this machine instead,
which gives up in time and remembers that it had to.
"""

from __future__ import annotations

import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Self

LONGEST_WAIT_S = 10.0
_LARGEST_REQUEST, _LARGEST_ANSWER = 64 << 10, 1 << 20
_QUERY, _REPLY = "application/timestamp-query", "application/timestamp-reply"


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The operator named one authority; it may not send us to another place."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


class TimestampRelay(HTTPServer):
    """Passes time-stamp requests on to `authority` (an http or https address) for as
    long as the block lasts. A context manager."""

    def __init__(self, authority: str, *, wait_s: float = LONGEST_WAIT_S) -> None:
        if not authority.startswith(("http://", "https://")):
            raise ValueError("a time-stamp authority has an http or https address")
        self.authority, self.wait_s = authority, wait_s
        self._opener = urllib.request.build_opener(_NoRedirect)
        super().__init__(("127.0.0.1", 0), _Passage)

    @property
    def address(self) -> str:
        """Where the library finds it."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hung up is no event: signing goes on without a time-stamp."""

    def passed_on(self, query: bytes) -> bytes:
        """The authority's answer. Raises OSError where there is none in time."""
        until = time.monotonic() + self.wait_s
        request = urllib.request.Request(  # noqa: S310 - checked in __init__
            self.authority, query, {"Content-Type": _QUERY, "Accept": _REPLY}
        )
        with self._opener.open(request, timeout=self.wait_s) as answer:
            content = b""
            while block := answer.read1(16 << 10):
                content += block
                if time.monotonic() > until or len(content) > _LARGEST_ANSWER:
                    raise TimeoutError("the authority's answer does not end")
        return content


class _Passage(BaseHTTPRequestHandler):
    server: TimestampRelay
    timeout = LONGEST_WAIT_S

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        try:
            if length > _LARGEST_REQUEST:
                raise OSError("no time-stamp request is so long")
            content = self.server.passed_on(self.rfile.read(length))
        except OSError:
            self.send_error(502)
            return
        self.send_response(200)
        self.send_header("Content-Type", _REPLY)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: the house's log says when a time-stamp was not had."""
