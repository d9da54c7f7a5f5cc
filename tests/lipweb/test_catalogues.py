"""Nothing an actor reads is left untranslated, and the compiled catalogue is true."""

from __future__ import annotations

import re
import string
from pathlib import Path

import polib
import pytest

from lipweb.catalogues import (
    CATALOGUES,
    Catalogue,
    Message,
    messages_of,
    messages_of_code,
    messages_of_template,
)
from lipweb.language import PRODUCERS_PAGES
from tests.conftest import REPOSITORY

each_catalogue = pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda c: c.name)
PLACES = re.compile(r"%\(\w+\)[sd]")


def entries(catalogue: Catalogue) -> polib.POFile:
    return polib.pofile(str(catalogue.po_file("de")))


@each_catalogue
def test_every_message_has_a_german_one(catalogue: Catalogue) -> None:
    known = {Message(e.msgid, e.msgid_plural): e for e in entries(catalogue)}
    said = messages_of(catalogue)
    assert set(said) - set(known) == set(), "run: manage.py catalogues"
    assert set(known) - set(said) == set(), "run: manage.py catalogues"
    lacking = [e.msgid for e in known.values() if not e.translated() or e.fuzzy]
    assert lacking == []


@each_catalogue
def test_the_compiled_catalogue_is_what_the_other_says(catalogue: Catalogue) -> None:
    compiled = catalogue.po_file("de").with_suffix(".mo").read_bytes()
    assert compiled == entries(catalogue).to_binary(), "run: manage.py catalogues"


@each_catalogue
def test_german_has_the_same_places_for_values(catalogue: Catalogue) -> None:
    for entry in entries(catalogue):
        pairs = [(entry.msgid, entry.msgstr or entry.msgstr_plural.get(0, ""))]
        if entry.msgid_plural:
            pairs.append((entry.msgid_plural, entry.msgstr_plural[1]))
        for english, german in pairs:
            places = PLACES.findall(english)
            assert sorted(PLACES.findall(german)) == sorted(places), english
            assert (english[-1] in ".?!") == (german[-1] in ".?!"), english


@each_catalogue
def test_german_addresses_people_politely(catalogue: Catalogue) -> None:
    for entry in entries(catalogue):
        assert not re.search(r"\b(du|dir|dich|dein\w*)\b", entry.msgstr), entry.msgid


def test_messages_are_found_in_code_of_each_kind() -> None:
    code = (
        "_('a' 'b', x=1)\nself.gettext_noop('c')\ntongue.ngettext('d', 'e', 2)\n"
        "raise NotAllowed('f')\nConsentError('code', 'g')\nrequire(x, 'h')\n_(name)\n"
    )
    found = set(messages_of_code(code, "consent/x.py"))
    one = {Message(text) for text in ("ab", "c", "f", "g", "h")}
    assert found == one | {Message("d", "e")}
    # synthesis' errors carry a code first.
    found = set(messages_of_code("NotAllowed('code', 'i')", "x.py", ("NotAllowed",)))
    assert found == {Message("i")}
    # What only an auditor reads stays in English, unless it is marked.
    assert set(messages_of_code("LedgerBroken('x')", "consent/merkle.py")) == set()


def test_messages_are_found_in_templates_of_each_kind() -> None:
    template = (
        "{% load i18n %}{% translate 'a' %}{% include 'x' with y=_(\"b\") %}"
        "{% blocktranslate with c=d %}it's {{ c }}{% endblocktranslate %}"
        "{% blocktranslate count n=m %}{{ n }} e{% plural %}{{ n }} es"
        "{% endblocktranslate %}{# not #}"
    )
    found = set(messages_of_template(template, "x.html"))
    assert found == {
        Message("a"),
        Message("b"),
        Message("it's %(c)s"),
        Message("%(n)s e", "%(n)s es"),
    }


# What people read in a template must be marked, or it stays English.
PRODUCERS = {
    *("actors.html", "_casting.html", "mandate.html", "propose.html"),
    *("people.html", "member_remove.html", "project_new.html", "project_names.html"),
}
SHARED = (
    *("base.html", "_top.html", "_field.html", "refusal.html", "login.html"),
    *("password.html", "password_sent.html", "password_new.html", "password.txt"),
)
SHOWN = [
    *(p for p in (REPOSITORY / "templates/consent").iterdir()),
    *(p for p in (REPOSITORY / "templates/synthesis/faces").iterdir()),
    *(p for p in (REPOSITORY / "templates/synthesis/verification").iterdir()),
    *(REPOSITORY / "templates" / name for name in SHARED),
]
TECHNICAL = ("python -m consent.verify", "FILE.json", "RECEIPT.json", "lipweb")


def unmarked(source: str) -> str:
    """What is left of a template without tags, values, and what is translated."""
    for gone in (
        r"{%\s*comment.*?endcomment\s*%}",
        r"{%\s*blocktranslate.*?endblocktranslate\s*%}",
        r"{%\s*block page_class.*?endblock\s*%}",
        r"<svg.*?</svg>",
        r"{[%{#].*?[#}%]}",
    ):
        source = re.sub(gone, "", source, flags=re.DOTALL)
    spoken = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', source)
    text = re.sub(r"<[^>]*>", " ", source) + " ".join(spoken)
    for word in TECHNICAL:
        text = text.replace(word, "")
    return "".join(letter for letter in text if letter in string.ascii_letters)


@pytest.mark.parametrize("path", SHOWN, ids=lambda path: path.name)
def test_no_text_of_an_actors_page_is_left_unmarked(path: Path) -> None:
    if path.name not in PRODUCERS:
        assert unmarked(path.read_text()) == ""


def test_pages_left_in_english_are_the_producers() -> None:
    named = {f"consent:{path.split('.')[0]}" for path in PRODUCERS if path[0] != "_"}
    assert named == set(PRODUCERS_PAGES)
