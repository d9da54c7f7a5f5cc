"""What must be right about the installation for anybody to sign."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register


@register()
def passkeys_can_work(**options: Any) -> list[CheckMessage]:
    """Browsers offer passkeys on https and on localhost alone, never for an IP."""
    safe = settings.SITE_URL.startswith("https://") or settings.SITE_HOST == "localhost"
    is_name = any(letter.isalpha() for letter in settings.SITE_HOST)
    if safe and is_name:
        return []
    return [
        Warning(
            f"Browsers offer no passkeys at {settings.SITE_URL}: actors cannot sign.",
            hint="Set SITE_URL to an https:// address with a host name, or to "
            "http://localhost with its port.",
            id="consent.W001",
        )
    ]
