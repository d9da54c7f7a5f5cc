"""The words of every notice, by its kind. A notice keeps kind and facts only, so that
each reader reads it in their own language. No models.

Facts are names, and for what ends the moment: ends_at, ISO 8601 with the offset of the
house's time zone. A kind whose words need a fact names it as %(fact)s.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _


class Words(NamedTuple):
    """A title, which is a mail's subject too, and what it means for the reader."""

    title: str
    sentence: str


TO_ACTOR: Final = {
    "asked": Words(
        _("%(company)s asks for your consent in %(project)s"),
        _("Nothing is allowed unless you sign."),
    ),
    "own-signed": Words(
        _("You have signed your consent for %(project)s"),
        _("You can withdraw it at any time on its page. The receipt comes by mail."),
    ),
    "own-revoked": Words(
        _("You have withdrawn your consent for %(project)s"),
        _(
            "Work was stopped and files are locked. Copies that were handed out before"
            " cannot be called back. The receipt comes by mail."
        ),
    ),
    "own-suspended": Words(
        _("You have suspended your consent for %(project)s"),
        _(
            "Nothing may be made and no file may leave until you lift it. The receipt"
            " comes by mail."
        ),
    ),
    "own-lifted": Words(
        _("You have lifted the suspension for %(project)s"),
        _("Your consent holds again, as you signed it. The receipt comes by mail."),
    ),
    "own-co-signed": Words(
        _("Your consent for %(project)s was co-signed"),
        _("It holds now. The receipt comes by mail."),
    ),
    "own-ending": Words(
        _("Your consent for %(project)s ends on %(day)s"),
        _(
            "After that nothing more may be made with your face there. You need not do"
            " anything. (The day is reckoned in %(zone)s.)"
        ),
    ),
    "use-made": Words(
        _("%(project)s made a file with your face: %(file)s"),
        _("It has not been handed out."),
    ),
    "use-shown": Words(
        _("%(file)s was watched by %(person)s"),
        _("In %(project)s, to judge it."),
    ),
    "use-approved": Words(
        _("%(file)s was approved by %(person)s"),
        _("For %(project)s. Your own yes, where you asked for it, is still needed."),
    ),
    "use-downloaded": Words(
        _("%(file)s was downloaded by %(person)s"),
        _(
            "From now on a copy of it is outside this site, for what you allowed in"
            " %(project)s."
        ),
    ),
    "use-movement": Words(
        _("The movement of your mouth in %(file)s was downloaded by %(person)s"),
        _("As numbers, without a picture, for what you allowed in %(project)s."),
    ),
    "face-waits": Words(
        _("Is this you? A face in “%(place)s” waits for your word"),
        _(
            "%(project)s says that it is yours. Nothing is made with it before you have"
            " said whether it is."
        ),
    ),
    "face-proposed": Words(
        _("May your face be remembered from “%(place)s”?"),
        _(
            "It was recognised as yours. %(project)s asks whether later faces may be"
            " compared with this one, too."
        ),
    ),
    "own-exported": Words(
        _("Everything kept about you was downloaded"),
        _("If it was not you, change your password and tell the production."),
    ),
    "own-face-deleted": Words(
        _("What was measured from your face is deleted"),
        _("Deleted: %(what)s. What you signed and the log of it are kept."),
    ),
}
TO_PRODUCERS: Final = {
    "signed": Words(
        _("%(project)s: consent signed"),
        _("%(actor)s has signed. Read which terms: they may have narrowed them."),
    ),
    "co-signed": Words(
        _("%(project)s: consent co-signed"),
        _("The co-signer of %(actor)s has signed too. The consent holds now."),
    ),
    "declined": Words(
        _("%(project)s: consent declined"),
        _("%(actor)s has declined. Nothing was allowed."),
    ),
    "returned": Words(
        _("%(project)s: consent returned"),
        _("%(actor)s has sent the question back and says what should change."),
    ),
    "revoked": Words(
        _("%(project)s: consent revoked"),
        _("%(actor)s has withdrawn consent. Work was stopped, files are locked."),
    ),
    "suspended": Words(
        _("%(project)s: consent suspended"),
        _("%(actor)s has suspended consent. Work was stopped, files are locked."),
    ),
    "lifted": Words(
        _("%(project)s: suspension lifted"),
        _("%(actor)s has lifted the suspension. The grant holds again."),
    ),
    "ending": Words(
        _("%(project)s: the consent of %(actor)s ends on %(day)s"),
        _(
            "After that nothing more can be made or downloaded on it. If you need more"
            " time, ask anew. (The day is reckoned in %(zone)s.)"
        ),
    ),
    "output-approved": Words(
        _("%(actor)s has approved %(file)s"),
        _("As far as they are asked, this very file may be handed out."),
    ),
    "output-returned": Words(
        _("%(actor)s has sent back %(file)s"),
        _("It stays locked. They wrote: “%(reason)s”"),
    ),
    "face-deleted": Words(
        _("%(project)s: %(actor)s had their face data deleted"),
        _(
            "What was measured and learned from their face is gone. Scenes with them"
            " cannot be rendered again as they are; their consent itself is unchanged."
        ),
    ),
}
WORDS: Final[Mapping[str, Words]] = {**TO_ACTOR, **TO_PRODUCERS}


def title_of(kind: str, facts: Mapping[str, Any]) -> str:
    """Return the notice's title in the language that is active."""
    return gettext(WORDS[kind].title) % _worded(facts)


def sentence_of(kind: str, facts: Mapping[str, Any]) -> str:
    """Return what the notice means for its reader, in the active language."""
    return gettext(WORDS[kind].sentence) % _worded(facts)


def last_day_words(ends_at: datetime) -> str:
    """Return the last day on which a consent holds in words, with the time of day if
    it does not end with the day. ends_at is local: its own offset says which day."""
    last = ends_at - timedelta(microseconds=1)
    if last.date() == ends_at.date():
        return date_format(ends_at, "j F Y, H:i", use_l10n=False)
    return date_format(last, "j F Y", use_l10n=False)


def _worded(facts: Mapping[str, Any]) -> dict[str, Any]:
    if "ends_at" not in facts:
        return dict(facts)
    return {**facts, "day": last_day_words(datetime.fromisoformat(facts["ends_at"]))}
