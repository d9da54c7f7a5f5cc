"""Who is asking, when a reverse proxy stands between."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class RealAddressMiddleware:
    """Puts the visitor's address into REMOTE_ADDR if settings.PROXIES proxies are
    trusted. Without that setting the header is the visitor's own word: ignored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.PROXIES:
            hops = request.headers.get("X-Forwarded-For", "").split(",")
            if len(hops) >= settings.PROXIES and hops[-settings.PROXIES].strip():
                request.META["REMOTE_ADDR"] = hops[-settings.PROXIES].strip()
        return self.get_response(request)
