"""A record in plain words: what the actor reads, and signs together with the record.

The text is deterministic: sections parted by a blank line, a section's heading on its
first line, one sentence on each line after it. Its SHA-256 stands in the record, so a
changed word here needs a new template version.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from consent.canonical import sha256_hex
from consent.record import WORLDWIDE, GrantRecord, GrantTerms, ShownText

GRANT_TEMPLATE: Final = "lipweb-grant-en-2"
REVOCATION_TEMPLATE: Final = "lipweb-revocation-en-1"
SUSPENSION_TEMPLATE: Final = "lipweb-suspension-en-1"
PASSKEY_TEMPLATE: Final = "lipweb-passkey-confirmation-en-1"
OUTPUT_TEMPLATE: Final = "lipweb-output-approval-en-1"

LANGUAGES: Final = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "et": "Estonian",
    "fi": "Finnish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}
MEDIA_WORDS: Final = {
    "cinema": "cinemas",
    "streaming": "streaming services",
    "broadcast": "television",
    "home-video": "discs and downloads",
    "trailer": "trailers",
    "social": "social networks",
}
SIGNER_WORDS: Final = {
    "guardian": "their guardian",
    "estate": "their estate",
    "representative": "their representative",
}
COSIGNER_WORDS: Final = {
    "agent": "your agent",
    "union": "for your union",
    "other": "whom you are asked together with",
}
_TURNING_SIGNS: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


class Section(NamedTuple):
    """A heading and the sentences under it."""

    heading: str
    lines: tuple[str, ...]


def language_words(tag: str) -> str:
    """Return a language tag for a reader: es-MX is "Spanish (es-MX)"."""
    name = LANGUAGES.get(tag.split("-")[0].lower())
    return f"{name} ({tag})" if name else tag


def day_words(moment: datetime) -> str:
    """Return a UTC moment for a reader: 21 November 2026, 04:30 UTC."""
    moment = moment.astimezone(UTC)
    day = f"{moment.day} {moment:%B %Y}"
    return day if (moment.hour, moment.minute) == (0, 0) else f"{day}, {moment:%H:%M}"


def until_words(moment: datetime) -> str:
    """Return the end of a grant for a reader; midnight is the end of the day before."""
    moment = moment.astimezone(UTC)
    if (moment.hour, moment.minute) == (0, 0):
        return f"the end of {day_words(moment - timedelta(days=1))}"
    return day_words(moment)


def listed(words: tuple[str, ...] | list[str], *, last: str = "and") -> str:
    """Join words as a sentence does: a, b and c."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def grant_sections(record: GrantRecord) -> tuple[Section, ...]:
    """Return a grant in words: what changes for the actor, what exactly is allowed,
    the limits, the way out."""
    return (
        Section("What changes for you", _changes(record)),
        Section("What you allow", _allowed(record)),
        Section("What stays forbidden", _limits(record)),
        Section("What else you should know", _circumstances(record)),
        Section("How you take it back", _way_out(record)),
        Section("Who signs", _signer(record)),
    )


def grant_text(record: GrantRecord) -> str:
    """Return the exact text that is shown, hashed and kept with a grant."""
    return _text(grant_sections(record))


def shown_grant(record: GrantRecord) -> tuple[GrantRecord, str]:
    """Return the record with the hash of its own words in it, and those words."""
    text = grant_text(record)
    shown = ShownText(template=GRANT_TEMPLATE, locale="en", sha256=sha256_hex(text))
    return record.with_text(shown), text


def shown_revocation(record: GrantRecord) -> tuple[ShownText, str]:
    """Return the words of a grant's revocation, and what names them in a record."""
    return _named(REVOCATION_TEMPLATE, revocation_sections(record))


def shown_suspension(record: GrantRecord, *, lifting: bool) -> tuple[ShownText, str]:
    """Return the words of suspending a grant, or of lifting it, and what names them."""
    company, production = _names(record)
    if lifting:
        section = Section(
            "What happens at once",
            (
                f"What you allowed {company} for “{production}” holds again, as you "
                "signed it.",
                "Files that were closed can be opened again. Work that was stopped "
                "does not go on by itself: they have to ask for it anew.",
            ),
        )
        sections: tuple[Section, ...] = (section,)
    else:
        sections = _suspension_sections(company, production)
    return _named(SUSPENSION_TEMPLATE, sections)


def shown_output(record: GrantRecord, output_sha256: str) -> tuple[ShownText, str]:
    """Return the words of approving one finished file, and what names them."""
    company, production = _names(record)
    lines = (
        f"You have seen this version of “{production}” and agree that {company} "
        "hands it out, within what you signed.",
        "This is about one file only. A changed one has to be shown to you again.",
        f"The file's fingerprint (SHA-256) is {output_sha256}.",
    )
    return _named(OUTPUT_TEMPLATE, (Section("What you approve", lines),))


def shown_passkey(fingerprint: str) -> tuple[ShownText, str]:
    """Return the words of confirming a further passkey, and what names them."""
    lines = (
        f"The passkey with the fingerprint {fingerprint} is yours too.",
        "From now on it can sign and withdraw for you.",
    )
    return _named(PASSKEY_TEMPLATE, (Section("What you confirm", lines),))


def _named(template: str, sections: tuple[Section, ...]) -> tuple[ShownText, str]:
    text = _text(sections)
    return ShownText(template=template, locale="en", sha256=sha256_hex(text)), text


def _suspension_sections(company: str, production: str) -> tuple[Section, ...]:
    return (
        Section(
            "What happens at once",
            (
                f"What you allowed {company} for “{production}” rests until you lift "
                "this.",
                "Work that waits is cancelled. Work that is running is stopped.",
                "Files that were made are locked for as long as it lasts.",
                "Whatever was learned from your face is kept, but may not be used.",
            ),
        ),
        Section(
            "What cannot be done",
            (
                "Copies that were already handed out cannot be called back.",
                "It does not make the grant last longer: its last day stays.",
            ),
        ),
    )


def sections_of(text: str) -> tuple[Section, ...]:
    """Read shown text back into its sections, for display."""
    blocks = [block.split("\n") for block in text.split("\n\n") if block]
    return tuple(Section(block[0], tuple(block[1:])) for block in blocks)


def revocation_sections(record: GrantRecord) -> tuple[Section, ...]:
    """Return in words what revoking a grant does."""
    company, production = _names(record)
    effects = (
        f"You take back what you allowed {company} for “{production}”.",
        "Work that waits is cancelled. Work that is running is stopped.",
        "Files that were made are locked: nobody can download them any more.",
        "Whatever was learned from your face under this grant must be deleted.",
    )
    limits = (
        "Copies that were already handed out cannot be called back. Whoever looks "
        "them up reads that your consent was withdrawn.",
        "It cannot be undone. To go on, you would have to be asked again.",
    )
    return (
        Section("What happens at once", effects),
        Section("What cannot be done", limits),
    )


def _text(sections: tuple[Section, ...]) -> str:
    return "\n\n".join("\n".join((part.heading, *part.lines)) for part in sections)


def _names(record: GrantRecord) -> tuple[str, str]:
    return _one_line(record.grantee.company), _one_line(record.grantee.production)


def _one_line(words: str) -> str:
    # A typed name must not be able to look like a sentence of ours, by a line break,
    # or to turn ours around, by a sign that changes the direction of writing.
    return " ".join(words.translate(_TURNING_SIGNS).split())


def _scene_words(terms: GrantTerms) -> str:
    if terms.scenes is None:
        return "in every scene"
    titles = [f"“{_one_line(scene.title)}”" for scene in terms.scenes]
    return f"only in the {'scene' if len(titles) == 1 else 'scenes'} {listed(titles)}"


def _where_words(terms: GrantTerms) -> str:
    media = listed([MEDIA_WORDS[medium] for medium in terms.media])
    if WORLDWIDE in terms.territories:
        return f"It may be shown in {media}, worldwide."
    return f"It may be shown in {media}, in these countries: " + (
        f"{listed(terms.territories)}."
    )


def _changes(record: GrantRecord) -> tuple[str, ...]:
    terms = record.terms
    company, production = _names(record)
    lines = ["Until you sign, nothing may be done with your face."]
    if terms.inference:
        count = len(terms.languages)
        tongues = "1 language" if count == 1 else f"{count} languages"
        lines.append(
            f"Once you sign, people will see you speak in “{production}” with a mouth "
            f"made by a computer, in {tongues} you may never have spoken."
        )
    if terms.training:
        lines.append(
            "Once you sign, a computer keeps what it has learned of how your mouth "
            f"looks and moves, for as long as {company} may use it."
        )
    if terms.output_approval:
        lines.append("Each finished version comes to you first. You decide on it.")
    return tuple(lines)


def _allowed(record: GrantRecord) -> tuple[str, ...]:
    terms = record.terms
    company, production = _names(record)
    lines = []
    if terms.inference:
        tongues = listed([language_words(tag) for tag in terms.languages])
        lines.append(
            f"{company} may change the movement of your mouth and jaw "
            f"{_scene_words(terms)} of “{production}”, so that your lips match "
            f"dialogue spoken in {tongues}."
        )
        lines.append(_where_words(terms))
    if terms.training:
        lines.append(
            f"{company} may let a computer model learn from your face "
            f"{_scene_words(terms)} of “{production}”, for this production only."
        )
    lines.append(
        f"This holds from {day_words(terms.starts_at)} to "
        f"{until_words(terms.ends_at)} (UTC)."
    )
    return tuple(lines)


def _limits(record: GrantRecord) -> tuple[str, ...]:
    terms = record.terms
    company, _ = _names(record)
    lines = [
        f"No other production and no other company may use it: {company} cannot pass "
        "it on."
        if not record.grantee.assignable
        else f"{company} may pass these rights on to another company."
    ]
    if not terms.inference:
        lines.append("Your mouth may not be changed in any picture.")
    if not terms.training:
        lines.append("No model may be trained on your face.")
    lines.append(
        "Your voice is not part of this. Nothing may be made that imitates it."
    )
    lines.append("Nothing but your mouth and jaw may be changed.")
    lines += [
        f"Never in connection with: {_one_line(words)}."
        for words in terms.excluded_content
    ]
    return tuple(lines)


def _circumstances(record: GrantRecord) -> tuple[str, ...]:
    terms = record.terms
    lines = [
        "Each result must say that it was altered: a label in the picture, a mark "
        "inside it, and a signed record in the file."
    ]
    if terms.output_approval:
        lines.append("Nothing is handed out before you have approved it.")
    else:
        lines.append("You are not asked again before a finished version is handed out.")
    if terms.compensation_commitment is None:
        lines.append("This record says nothing about payment.")
    else:
        lines.append(
            "Your payment is agreed in a separate document, whose fingerprint begins "
            f"with {terms.compensation_commitment[:16]}."
        )
    if terms.counsel:
        lines.append(f"You were advised by {_one_line(terms.counsel)}.")
    if record.cosigner:
        lines.append(
            f"{_one_line(record.cosigner.name)}, {COSIGNER_WORDS[record.cosigner.role]}"
            ", has to sign these same words too. Until then they allow nothing. To "
            "take them back, your own passkey is enough."
        )
    return tuple(lines)


def _way_out(record: GrantRecord) -> tuple[str, ...]:
    return (
        "You can take this back at any time, here, with your passkey, without giving "
        "a reason.",
        "From then on waiting work is cancelled, running work is stopped, finished "
        "files are locked, and whatever was learned from your face must be deleted.",
        "You can also suspend it: the same happens, but nothing is deleted, and you "
        "can lift it again.",
        "Copies that were already handed out cannot be called back. Whoever looks "
        "them up reads that your consent was withdrawn.",
    )


def _signer(record: GrantRecord) -> tuple[str, ...]:
    grantor, mandate = record.grantor, record.grantor.mandate
    legal, stage = _one_line(grantor.legal_name), _one_line(grantor.stage_name)
    known = f"{legal}, known as {stage}" if stage and stage != legal else legal
    if mandate is None:
        return (f"You are {known}, an {grantor.age}, and sign for yourself.",)
    return (
        f"You are {_one_line(mandate.holder)} and sign for {known}, as "
        f"{SIGNER_WORDS[grantor.signs]}. In these words “you” is {stage or legal}.",
        f"Your mandate holds from {day_words(mandate.starts_at)} to "
        f"{until_words(mandate.ends_at)} (UTC). After that nothing may be made on it.",
        "It is shown by a document whose fingerprint begins with "
        f"{mandate.evidence_sha256[:16]}.",
    )
