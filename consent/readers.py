"""In which language somebody reads here, and is written to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language

from consent.models import NoticeWish
from consent.tongue import LOCALES, Tongue, tongue_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser


def reading_locale() -> str:
    """Return the language of the page that is being made, one of LOCALES."""
    language = get_language() or ""
    return language if language in LOCALES else "en"


def reading_tongue() -> Tongue:
    return tongue_of(reading_locale())


def shown_locale(request: HttpRequest) -> str:
    """Return the language of the words that a form was sent below. It may not be that
    of the next page: another tab can have changed it since."""
    locale = request.POST.get("locale", "")
    return locale if locale in LOCALES else reading_locale()


def language_of(user: AbstractBaseUser | None) -> str:
    """Return the language for writing to a person: what they have chosen, or else
    that in which they last came in."""
    chosen: str = getattr(user, "language", "")
    if chosen not in LOCALES and user is not None:
        wish = NoticeWish.objects.filter(user=user.pk).first()
        chosen = wish.language if wish else ""
    return chosen if chosen in LOCALES else str(settings.LANGUAGE_CODE)
