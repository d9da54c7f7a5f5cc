"""The catalogues of messages: what code and templates say, found without GNU gettext.

Each catalogue is a .po file, which people edit, and beside it the .mo file compiled
from it, which is in the repository too: a record must be readable in each language
without any set-up. polib, which writes both, comes with the tests' requirements.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from django.conf import settings
from django.utils.translation.template import templatize


class Message(NamedTuple):
    """One message id, with its plural where it has one."""

    one: str
    many: str = ""


class Catalogue(NamedTuple):
    """What one part of the project says: folders or files of code, and templates.
    refusals: its errors whose second argument is a message, the first being a code."""

    name: str
    code: tuple[str, ...]
    templates: tuple[str, ...]
    refusals: tuple[str, ...] = ()

    def po_file(self, locale: str) -> Path:
        folder = Path(settings.BASE_DIR) / self.name / "locale" / locale
        return folder / "LC_MESSAGES" / "django.po"


CATALOGUES: Final = (
    Catalogue("consent", ("consent/**/*.py",), ("templates/consent/**/*.*",)),
    Catalogue(
        "synthesis",
        (
            "synthesis/faces/portraits.py",
            "synthesis/models/*.py",
            "synthesis/provenance/problems.py",
            "synthesis/provenance/verdict.py",
            "synthesis/recognising.py",
            "synthesis/scenes/face_words.py",
            "synthesis/scenes/own_faces.py",
            "synthesis/services/face*.py",
            "synthesis/services/uses.py",
            "synthesis/verification/pages.py",
            "synthesis/verification/words.py",
        ),
        ("templates/synthesis/faces/*.*", "templates/synthesis/verification/*.*"),
        refusals=("SynthesisError", "MediaRefused", "NotAllowed"),
    ),
    Catalogue("lipweb", ("lipweb/**/*.py",), ("templates/*.*",)),
)
CALLS: Final = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), 0),
    **dict.fromkeys(("NotAllowed", "RecordRefused", "SignatureRefused"), 0),
    **dict.fromkeys(("ConsentError", "require", "Refusal"), 1),
}
"""Calls, and which of their arguments is a message: an error's sentence is said in the
reader's language by the page that shows it. Refusal has a second one."""
PLURALS: Final = ("ngettext", "ngettext_lazy")
AUDITORS: Final = re.compile(
    r"consent/(verdict|verify|audit|bundle|keyring|receipt|checkpoint|merkle"
    r"|credential/\w+|services/ledger\w*)\.py"
)
"""What only somebody who checks the ledger reads, which stays in English."""
_CALL_IN_TEMPLATE = re.compile(r"\b(_|gettext|ngettext)\(")
_STRING = re.compile(r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")


def messages_of(catalogue: Catalogue) -> dict[Message, list[str]]:
    """Return every message of a part, with the files it is said in."""
    base = Path(settings.BASE_DIR)
    found: dict[Message, set[str]] = defaultdict(set)
    for pattern in catalogue.code:
        for path in base.glob(pattern):
            name = path.relative_to(base).as_posix()
            code = path.read_text()
            for message in messages_of_code(code, name, catalogue.refusals):
                found[message].add(name)
    for pattern in catalogue.templates:
        for path in base.glob(pattern):
            name = path.relative_to(base).as_posix()
            for message in messages_of_template(path.read_text(), name):
                found[message].add(name)
    return {message: sorted(names) for message, names in sorted(found.items())}


def messages_of_code(
    source: str, name: str, refusals: tuple[str, ...] = ()
) -> Iterator[Message]:
    """Return the messages of a Python file; name is its path in the repository."""
    calls = CALLS | dict.fromkeys(refusals, 1)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        words = [_constant(argument) for argument in node.args]
        if called in PLURALS and words[0]:
            yield Message(words[0], words[1])
        elif called in calls and not (called[0].isupper() and AUDITORS.match(name)):
            yield from (Message(text) for text in words[calls[called] :][:2] if text)


def _constant(node: ast.expr) -> str:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return str(ast.literal_eval(node)) if is_text else ""


def messages_of_template(source: str, name: str) -> Iterator[Message]:
    """Return the messages of a template, as Django's own reader of them finds them."""
    code = templatize(source, origin=name)
    for call in _CALL_IN_TEMPLATE.finditer(code):
        texts, at = [], call.end()
        while match := _STRING.match(code, at):
            texts.append(str(ast.literal_eval(match.group())))
            at = match.end()
            at += len(code[at:]) - len(code[at:].lstrip(" ,"))
        if texts:
            yield Message(*texts[: 2 if call.group(1) == "ngettext" else 1])


def catalogue_update(catalogue: Catalogue, locale: str) -> list[str]:
    """Write the .po file anew, keeping what is translated, and the .mo beside it.
    Returns the ids that still lack a translation."""
    import polib

    path = catalogue.po_file(locale)
    known = {}
    if path.exists():
        known = {(e.msgid, e.msgid_plural): e for e in polib.pofile(str(path))}
    made = polib.POFile(wrapwidth=88)
    made.metadata = {
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": locale,
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    for message, names in messages_of(catalogue).items():
        entry = known.get(message) or polib.POEntry(
            msgid=message.one, msgid_plural=message.many
        )
        entry.occurrences = [(name, "") for name in names]
        entry.flags = ["python-format"] if "%(" in message.one else []
        if message.many and not entry.msgstr_plural:
            entry.msgstr_plural = {0: "", 1: ""}
        made.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(str(path))
    path.with_suffix(".mo").write_bytes(polib.pofile(str(path)).to_binary())
    return [entry.msgid for entry in made if not entry.translated()]
