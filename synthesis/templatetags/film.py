"""Filters that put numbers and codes into words."""

from __future__ import annotations

from django import template

from consent.sentences import MEDIA_WORDS, language_words
from synthesis.words import seconds_in_words, size_in_words

register = template.Library()
register.filter("size", size_in_words)
register.filter("seconds", seconds_in_words)
register.filter("language", language_words)


@register.filter
def medium(code: str) -> str:
    return MEDIA_WORDS.get(code, code)
