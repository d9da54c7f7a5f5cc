"""Why a run was stopped by consent, in the words of a badge."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

STOPPED_BY: Final = {
    "revoked": "consent-withdrawn",
    "suspended": "consent-suspended",
    "expired": "consent-expired",
}
"""Codes of the policy's failures, and the error_code of what they stop."""

_WORDS: Final[dict[str, Promise]] = {
    "consent-withdrawn": _("Consent withdrawn"),
    "consent-suspended": _("Consent suspended"),
    "consent-expired": _("Consent expired"),
}


def stopped_words(error_code: str) -> str:
    """Return what stopped a run whose state is WITHDRAWN: any of the terms of a consent
    may have ceased to cover it, and only one of them is a withdrawal."""
    return str(_WORDS.get(error_code, _("Not covered by consent")))
