"""The languages in which an actor reads, signs and is answered.

A Tongue reads the compiled catalogue that Django's pages use too, so that whoever
checks a record without Django gets the very words that were shown. What is written in
code is English and is its own message id.
"""

from __future__ import annotations

import gettext
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from consent.errors import RecordRefused

LOCALES: Final = {"en": "English", "de": "Deutsch"}
"""Every language a record can be read and signed in, by its own name."""
CATALOGUES: Final = Path(__file__).resolve().parent / "locale"


def gettext_noop(message: str) -> str:
    """Mark a message for the catalogue where it is only kept, and said later."""
    return message


MONTHS: Final = (
    gettext_noop("January"),
    gettext_noop("February"),
    gettext_noop("March"),
    gettext_noop("April"),
    gettext_noop("May"),
    gettext_noop("June"),
    gettext_noop("July"),
    gettext_noop("August"),
    gettext_noop("September"),
    gettext_noop("October"),
    gettext_noop("November"),
    gettext_noop("December"),
)


class Tongue:
    """One language: its messages, days and lists. Called like gettext, usually as _,
    with the values that the message's %(name)s stand for."""

    def __init__(self, locale: str) -> None:
        """Raises RecordRefused for a locale that is not among LOCALES."""
        if locale not in LOCALES:
            raise RecordRefused(f"The language {locale!r} is not known here.")
        self.locale = locale
        self._catalogue = gettext.NullTranslations()
        if locale != "en":
            self._catalogue = gettext.translation("django", CATALOGUES, [locale])

    def __call__(self, message: str, **values: Any) -> str:
        said = self._catalogue.gettext(message)
        return said % values if values else said

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Return the message for a number, which it holds as %(count)d."""
        return self._catalogue.ngettext(one, many, count) % {"count": count}

    def day(self, moment: datetime) -> str:
        """Return a moment in UTC: 21 November 2026, with its time unless midnight."""
        _, moment = self, moment.astimezone(UTC)
        month = _(MONTHS[moment.month - 1])
        parts = {"day": moment.day, "month": month, "year": moment.year}
        if _is_midnight(moment):
            return _("%(day)d %(month)s %(year)d", **parts)
        hour = f"{moment:%H:%M}"
        return _("%(day)d %(month)s %(year)d, %(hour)s", **parts, hour=hour)

    def until(self, moment: datetime) -> str:
        """Return the end of a span, to follow "to"; midnight is the end of the day
        before."""
        _ = self
        if _is_midnight(moment.astimezone(UTC)):
            return _("the end of %(day)s", day=self.day(moment - timedelta(days=1)))
        # A message of its own, since other languages need a word between.
        return _("%(moment)s", moment=self.day(moment))

    def listed(self, words: Sequence[str]) -> str:
        """Join words as a sentence does: a, b and c."""
        if len(words) < 2:
            return "".join(words)
        _, most = self, ", ".join(words[:-1])
        return _("%(most)s and %(last)s", most=most, last=words[-1])

    def quoted(self, words: str) -> str:
        _ = self
        return _("“%(words)s”", words=words)


def _is_midnight(moment: datetime) -> bool:
    return (moment.hour, moment.minute) == (0, 0)


@cache
def tongue_of(locale: str) -> Tongue:
    """Return the tongue of a locale, its catalogue read once."""
    return Tongue(locale)


ENGLISH: Final = tongue_of("en")
