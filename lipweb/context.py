"""What every template may use."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from lipweb.language import languages_offered
from lipweb.standing import Standing


def site(request: HttpRequest) -> dict[str, Any]:
    """here: the page's own path, for marking the current place in the menu.
    standing: what the person may do, see lipweb.standing.
    languages: the other languages this page can be read in."""
    # An error page may be made before the middleware has found out who asks.
    user = getattr(request, "user", None) or AnonymousUser()
    return {
        "here": request.path,
        "standing": Standing(user),
        "languages": languages_offered(request) if hasattr(request, "user") else [],
    }
