"""A record in plain words: what the actor reads, and signs together with the record.

The text is deterministic in each language: sections parted by a blank line, a section's
heading on its first line, one sentence on each line after it. Its locale and SHA-256
stand in the record, so a changed word, here or in a catalogue, needs a new template
version. No Django.
"""

from consent.sentences.grant import (
    GRANT_TEMPLATE,
    grant_sections,
    grant_text,
    shown_grant,
)
from consent.sentences.later import (
    OUTPUT_TEMPLATE,
    PASSKEY_TEMPLATE,
    RETIREMENT_TEMPLATE,
    REVOCATION_TEMPLATE,
    SUSPENSION_TEMPLATE,
    shown_output,
    shown_passkey,
    shown_retirement,
    shown_revocation,
    shown_suspension,
)
from consent.sentences.words import (
    CONTENT_WORDS,
    LANGUAGES,
    MEDIA_WORDS,
    Section,
    content_words,
    day_words,
    kinds_words,
    language_words,
    listed,
    media_words,
    one_line,
    scene_words,
    sections_of,
    text_of,
    until_words,
)

__all__ = [
    "CONTENT_WORDS",
    "GRANT_TEMPLATE",
    "LANGUAGES",
    "MEDIA_WORDS",
    "OUTPUT_TEMPLATE",
    "PASSKEY_TEMPLATE",
    "RETIREMENT_TEMPLATE",
    "REVOCATION_TEMPLATE",
    "SUSPENSION_TEMPLATE",
    "Section",
    "content_words",
    "day_words",
    "grant_sections",
    "grant_text",
    "kinds_words",
    "language_words",
    "listed",
    "media_words",
    "one_line",
    "scene_words",
    "sections_of",
    "shown_grant",
    "shown_output",
    "shown_passkey",
    "shown_retirement",
    "shown_revocation",
    "shown_suspension",
    "text_of",
    "until_words",
]
