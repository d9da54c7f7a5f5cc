"""What an actor reads before signing anything about a grant that they gave."""

from __future__ import annotations

from typing import Final

from consent.record import GrantRecord, ShownText
from consent.sentences.words import Section, named, names
from consent.tongue import Tongue, tongue_of

REVOCATION_TEMPLATE: Final = "lipweb-revocation-2"
SUSPENSION_TEMPLATE: Final = "lipweb-suspension-2"
PASSKEY_TEMPLATE: Final = "lipweb-passkey-confirmation-2"
RETIREMENT_TEMPLATE: Final = "lipweb-passkey-retirement-1"
OUTPUT_TEMPLATE: Final = "lipweb-output-approval-2"


def shown_revocation(record: GrantRecord, locale: str = "en") -> tuple[ShownText, str]:
    """Return the words of a grant's revocation, and what names them in a record."""
    _ = tongue_of(locale)
    effects = (
        _(
            "You take back what you allowed %(company)s for “%(production)s”.",
            **names(record),
        ),
        _("Work that waits is cancelled. Work that is running is stopped."),
        _("Files that were made are locked: nobody can download them any more."),
        _("Whatever was learned from your face under this grant must be deleted."),
    )
    limits = (
        _(
            "Copies that were already handed out cannot be called back. Whoever looks "
            "them up reads that your consent was withdrawn."
        ),
        _("It cannot be undone. To go on, you would have to be asked again."),
    )
    sections = (
        Section(_("What happens at once"), effects),
        Section(_("What cannot be done"), limits),
    )
    return named(REVOCATION_TEMPLATE, _, sections)


def shown_suspension(
    record: GrantRecord, *, lifting: bool, locale: str = "en"
) -> tuple[ShownText, str]:
    """Return the words of suspending a grant, or of lifting it, and what names them."""
    _ = tongue_of(locale)
    sections = _lifting(record, _) if lifting else _suspension(record, _)
    return named(SUSPENSION_TEMPLATE, _, sections)


def _lifting(record: GrantRecord, _: Tongue) -> tuple[Section, ...]:
    lines = (
        _(
            "What you allowed %(company)s for “%(production)s” holds again, as you "
            "signed it.",
            **names(record),
        ),
        _(
            "Files that were closed can be opened again. Work that was stopped does "
            "not go on by itself: they have to ask for it anew."
        ),
    )
    return (Section(_("What happens at once"), lines),)


def _suspension(record: GrantRecord, _: Tongue) -> tuple[Section, ...]:
    effects = (
        _(
            "What you allowed %(company)s for “%(production)s” rests until you lift "
            "this.",
            **names(record),
        ),
        _("Work that waits is cancelled. Work that is running is stopped."),
        _("Files that were made are locked for as long as it lasts."),
        _("Whatever was learned from your face is kept, but may not be used."),
    )
    limits = (
        _("Copies that were already handed out cannot be called back."),
        _("It does not make the grant last longer: its last day stays."),
    )
    return (
        Section(_("What happens at once"), effects),
        Section(_("What cannot be done"), limits),
    )


def shown_output(
    record: GrantRecord, output_sha256: str, locale: str = "en"
) -> tuple[ShownText, str]:
    """Return the words of approving one finished file, and what names them."""
    _ = tongue_of(locale)
    lines = (
        _(
            "You have seen this version of “%(production)s” and agree that %(company)s "
            "hands it out, within what you signed.",
            **names(record),
        ),
        _("This is about one file only. A changed one has to be shown to you again."),
        _("The file's fingerprint (SHA-256) is %(mark)s.", mark=output_sha256),
    )
    return named(OUTPUT_TEMPLATE, _, (Section(_("What you approve"), lines),))


def shown_passkey(fingerprint: str, locale: str = "en") -> tuple[ShownText, str]:
    """Return the words of confirming a further passkey, and what names them."""
    _ = tongue_of(locale)
    lines = (
        _("The passkey with the fingerprint %(mark)s is yours too.", mark=fingerprint),
        _("From now on it can sign and withdraw for you."),
    )
    return named(PASSKEY_TEMPLATE, _, (Section(_("What you confirm"), lines),))


def shown_retirement(fingerprint: str, locale: str = "en") -> tuple[ShownText, str]:
    """Return the words of retiring a passkey, and what names them."""
    _ = tongue_of(locale)
    lines = (
        _(
            "The passkey with the fingerprint %(mark)s is lost, or is not yours.",
            mark=fingerprint,
        ),
        _(
            "From now on nothing that it signs counts. What it signed before stays as "
            "it is; you can withdraw any of it with the passkey that you use now."
        ),
        _("It cannot be undone. The device can be set up again as a new passkey."),
    )
    return named(RETIREMENT_TEMPLATE, _, (Section(_("What you retire"), lines),))
