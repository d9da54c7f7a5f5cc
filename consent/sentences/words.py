"""Words that records and pages share: languages, media, how text is put together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from consent.canonical import sha256_hex
from consent.record import GrantRecord, GrantTerms, ShownText
from consent.tongue import ENGLISH, Tongue, gettext_noop

LANGUAGES: Final = {
    "ar": gettext_noop("Arabic"),
    "bg": gettext_noop("Bulgarian"),
    "cs": gettext_noop("Czech"),
    "da": gettext_noop("Danish"),
    "de": gettext_noop("German"),
    "el": gettext_noop("Greek"),
    "en": gettext_noop("English"),
    "es": gettext_noop("Spanish"),
    "et": gettext_noop("Estonian"),
    "fi": gettext_noop("Finnish"),
    "fr": gettext_noop("French"),
    "he": gettext_noop("Hebrew"),
    "hi": gettext_noop("Hindi"),
    "hr": gettext_noop("Croatian"),
    "hu": gettext_noop("Hungarian"),
    "id": gettext_noop("Indonesian"),
    "it": gettext_noop("Italian"),
    "ja": gettext_noop("Japanese"),
    "ko": gettext_noop("Korean"),
    "nl": gettext_noop("Dutch"),
    "no": gettext_noop("Norwegian"),
    "pl": gettext_noop("Polish"),
    "pt": gettext_noop("Portuguese"),
    "ro": gettext_noop("Romanian"),
    "ru": gettext_noop("Russian"),
    "sv": gettext_noop("Swedish"),
    "th": gettext_noop("Thai"),
    "tr": gettext_noop("Turkish"),
    "uk": gettext_noop("Ukrainian"),
    "vi": gettext_noop("Vietnamese"),
    "zh": gettext_noop("Chinese"),
}
MEDIA_WORDS: Final = {
    "cinema": gettext_noop("cinemas"),
    "streaming": gettext_noop("streaming services"),
    "broadcast": gettext_noop("television"),
    "home-video": gettext_noop("discs and downloads"),
    "trailer": gettext_noop("trailers"),
    "social": gettext_noop("social networks"),
}
CONTENT_WORDS: Final = {
    "nudity": gettext_noop("nudity"),
    "sex": gettext_noop("sex"),
    "violence": gettext_noop("violence"),
    "politics": gettext_noop("politics"),
    "religion": gettext_noop("religion"),
    "advertising": gettext_noop("advertising"),
    "smoking": gettext_noop("smoking"),
    "alcohol": gettext_noop("alcohol"),
    "drugs": gettext_noop("drugs"),
}
_TURNING_SIGNS: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


class Section(NamedTuple):
    """A heading and the sentences under it."""

    heading: str
    lines: tuple[str, ...]


def language_words(tag: str, _: Tongue = ENGLISH) -> str:
    """Return a language tag for a reader: es-MX is "Spanish (es-MX)"."""
    name = LANGUAGES.get(tag.split("-")[0].lower())
    return f"{_(name)} ({tag})" if name else tag


def media_words(media: Sequence[str], _: Tongue = ENGLISH) -> str:
    """Return media for a reader: cinemas and trailers."""
    return _.listed([_(MEDIA_WORDS[medium]) for medium in media])


def content_words(words: str, _: Tongue = ENGLISH) -> str:
    """Return one excluded content for a reader: its name, or the words as typed."""
    known = CONTENT_WORDS.get(words.strip().casefold())
    return _(known) if known else one_line(words)


def kinds_words(kinds: Collection[str], _: Tongue = ENGLISH) -> str:
    """Return kinds of content for a reader, in the record's order: sex and drugs."""
    return _.listed([_(word) for kind, word in CONTENT_WORDS.items() if kind in kinds])


def scene_words(terms: GrantTerms, _: Tongue = ENGLISH) -> str:
    """Return which scenes terms cover: in every scene, or only in those named."""
    if terms.scenes is None:
        return _("in every scene")
    titles = [_.quoted(one_line(scene.title)) for scene in terms.scenes]
    if len(titles) == 1:
        return _("only in the scene %(title)s", title=titles[0])
    return _("only in the scenes %(titles)s", titles=_.listed(titles))


def day_words(moment: datetime, _: Tongue = ENGLISH) -> str:
    """Return a UTC moment for a reader: 21 November 2026, 04:30."""
    return _.day(moment)


def until_words(moment: datetime, _: Tongue = ENGLISH) -> str:
    """Return the end of a grant for a reader; midnight is the end of the day before."""
    return _.until(moment)


def listed(words: Sequence[str], _: Tongue = ENGLISH) -> str:
    """Join words as a sentence does: a, b and c."""
    return _.listed(words)


def one_line(words: str) -> str:
    """Return typed words as they may stand in a sentence of ours.

    A typed name must not be able to look like a sentence of its own, by a line break,
    or to turn ours around, by a sign that changes the direction of writing."""
    return " ".join(words.translate(_TURNING_SIGNS).split())


def names(record: GrantRecord) -> dict[str, str]:
    """Return company and production as sentences name them."""
    return {
        "company": one_line(record.grantee.company),
        "production": one_line(record.grantee.production),
    }


def text_of(sections: Sequence[Section]) -> str:
    """Return sections as the one text that is hashed and kept."""
    return "\n\n".join("\n".join((part.heading, *part.lines)) for part in sections)


def sections_of(text: str) -> tuple[Section, ...]:
    """Read shown text back into its sections, for display."""
    blocks = [block.split("\n") for block in text.split("\n\n") if block]
    return tuple(Section(block[0], tuple(block[1:])) for block in blocks)


def named(
    template: str, _: Tongue, sections: Sequence[Section]
) -> tuple[ShownText, str]:
    """Return sections as text, and what names that text in a record."""
    text = text_of(sections)
    digest = sha256_hex(text)
    return ShownText(template=template, locale=_.locale, sha256=digest), text
