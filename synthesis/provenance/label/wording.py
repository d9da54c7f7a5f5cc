"""What the visible label says, in the language of the dub, and what a house may say in
its place: always that AI changed the picture (EU AI Act, article 50; GB 45438-2025)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from synthesis.errors import SynthesisError

LONGEST: Final = 40
"""Characters of a wording: what can be read in the two seconds it is shown at least."""
ENGLISH: Final = "en"

WORDINGS: Final = {
    "en": "AI MODIFIED",
    "ar": "معدّل بالذكاء الاصطناعي",
    "bg": "ПРОМЕНЕНО С ИИ",
    "ca": "MODIFICAT AMB IA",
    "cs": "UPRAVENO POMOCÍ AI",
    "da": "ÆNDRET MED AI",
    "de": "KI-VERÄNDERT",
    "el": "ΤΡΟΠΟΠΟΙΗΜΕΝΟ ΜΕ ΤΝ",
    "es": "MODIFICADO CON IA",
    "et": "MUUDETUD TEHISARUGA",
    "fi": "MUOKATTU TEKOÄLYLLÄ",
    "fr": "MODIFIÉ PAR IA",
    "he": "שונה באמצעות בינה מלאכותית",
    "hi": "एआई द्वारा संशोधित",
    "hr": "IZMIJENJENO UZ POMOĆ AI",
    "hu": "MI-VEL MÓDOSÍTVA",
    "it": "MODIFICATO CON IA",
    "ja": "AI改変映像",
    "ko": "AI 변형 영상",
    "lt": "PAKEISTA NAUDOJANT DI",
    "lv": "MAINĪTS AR MI",
    "nb": "ENDRET MED KI",
    "nl": "BEWERKT MET AI",
    "pl": "ZMODYFIKOWANO PRZEZ AI",
    "pt": "MODIFICADO COM IA",
    "ro": "MODIFICAT CU IA",
    "ru": "ИЗМЕНЕНО ИИ",
    "sk": "UPRAVENÉ POMOCOU AI",
    "sl": "SPREMENJENO Z UI",
    "sv": "ÄNDRAD MED AI",
    "tr": "YAPAY ZEKÂ İLE DEĞİŞTİRİLDİ",
    "uk": "ЗМІНЕНО ШІ",
    "zh": "AI合成",
}
"""The house's words where it has none of its own, by ISO 639-1 language. A language
that is not here is labelled in English."""
SAME: Final = {"no": "nb", "nn": "nb", "cmn": "zh", "yue": "zh", "iw": "he"}

TERMS: Final = {
    "en": ("AI", "artificial intelligence"),
    "ar": ("الذكاء الاصطناعي", "AI"),
    "bg": ("ИИ", "изкуствен интелект", "AI"),
    "ca": ("IA", "intel·ligència artificial"),
    "cs": ("AI", "umělou inteligencí", "umělé inteligence", "umělá inteligence"),
    "da": ("AI", "KI", "kunstig intelligens"),
    "de": ("KI", "künstliche Intelligenz", "künstlicher Intelligenz", "AI"),
    "el": ("ΤΝ", "AI", "τεχνητή νοημοσύνη", "τεχνητής νοημοσύνης"),
    "es": ("IA", "inteligencia artificial"),
    "et": ("TI", "tehisaru", "tehisintellekt", "AI"),
    "fi": ("tekoäly", "AI"),
    "fr": ("IA", "intelligence artificielle"),
    "he": ("בינה מלאכותית", "AI"),
    "hi": ("एआई", "कृत्रिम बुद्धिमत्ता", "AI"),
    "hr": ("AI", "UI", "umjetna inteligencija", "umjetne inteligencije"),
    "hu": ("MI", "mesterséges intelligencia", "AI"),
    "it": ("IA", "intelligenza artificiale"),
    "ja": ("AI", "人工知能"),
    "ko": ("AI", "인공지능", "인공 지능"),
    "lt": ("DI", "dirbtinis intelektas", "dirbtinio intelekto", "AI"),
    "lv": ("MI", "mākslīgais intelekts", "mākslīgā intelekta", "AI"),
    "nb": ("KI", "AI", "kunstig intelligens"),
    "nl": ("AI", "KI", "kunstmatige intelligentie"),
    "pl": ("AI", "SI", "sztuczna inteligencja", "sztucznej inteligencji"),
    "pt": ("IA", "inteligência artificial"),
    "ro": ("IA", "inteligență artificială", "inteligența artificială"),
    "ru": ("ИИ", "искусственный интеллект", "искусственного интеллекта"),
    "sk": ("AI", "UI", "umelou inteligenciou", "umelej inteligencie"),
    "sl": ("UI", "AI", "umetna inteligenca", "umetne inteligence"),
    "sv": ("AI", "artificiell intelligens"),
    "tr": ("yapay zeka", "YZ", "AI"),
    "uk": ("ШІ", "штучний інтелект", "штучного інтелекту"),
    "zh": ("AI", "人工智能", "人工智慧"),
}
"""What says AI in a language. Abbreviations count as whole words in capitals: "ai" is a
plain word in French, Italian, Portuguese and Romanian, where AI does not count."""

_DENIALS: Final = {
    "en": "no not without never free non",
    "cs": "bez není ne",
    "da": "ikke ingen uden",
    "de": "kein keine keiner keinem ohne nicht frei",
    "el": "χωρίς όχι δεν",
    "es": "no sin ninguna nunca",
    "fi": "ei ilman",
    "fr": "non pas sans aucune jamais",
    "it": "non senza nessuna mai",
    "nb": "ikke ingen uten",
    "nl": "geen niet zonder vrij",
    "pl": "bez nie",
    "pt": "não sem nenhuma nunca",
    "ru": "без не нет",
    "sv": "inte ingen utan",
    "tr": "yok değil olmadan",
    "uk": "без не немає",
}
_JOINERS = "\u200c\u200d"  # between letters of Persian and of Indian scripts
_LETTER, _LATIN = r"[^\W\d_]", "[A-Za-z\u00c0-\u024f]"


def primary(language: str) -> str:
    """'pt' of 'pt-BR': the part of a BCP-47 tag by which words are chosen."""
    tag = language.partition("-")[0].lower()
    return SAME.get(tag, tag)


def default_wording(language: str) -> str:
    """What is said of a dub in this language (BCP-47), "" where nobody wrote it yet."""
    return WORDINGS.get(primary(language), "")


def terms_of(language: str) -> tuple[str, ...]:
    """What counts as saying AI in a language; for one that is not known, what does in
    any."""
    known = TERMS.get(primary(language))
    return known or tuple(dict.fromkeys(sum(TERMS.values(), ())))


def wording_checked(text: str, language: str) -> str:
    """A house's own wording as it will be drawn. Raises SynthesisError
    label-wording-* with a sentence where it is none."""
    text = unicodedata.normalize("NFC", " ".join(text.split()))
    if not text:
        raise SynthesisError(
            "label-wording-empty", "The label must say something. Write its wording."
        )
    if len(text) > LONGEST:
        raise SynthesisError(
            "label-wording-long",
            f"The label's wording has {len(text)} characters; at most {LONGEST} can be"
            " read in time. Shorten it.",
        )
    if not all(one.isprintable() or one in _JOINERS for one in text):
        raise SynthesisError(
            "label-wording-unprintable",
            "The label's wording holds a character that cannot be seen. Type it anew.",
        )
    terms = terms_of(language)
    if not any(_says(text, term) for term in terms):
        raise SynthesisError(
            "label-wording-hides-ai",
            "The label must say that AI was used. Write one of: "
            + ", ".join(terms[:6])
            + ".",
        )
    if _denies(text, language):
        raise SynthesisError(
            "label-wording-denies",
            "The label must say that AI was used, not that it was not. Leave out words"
            " such as “no” and “without”.",
        )
    return text


def _says(text: str, term: str) -> bool:
    if not term.isupper():
        return _folded(term) in _folded(text)
    letter = _LATIN if term.isascii() else _LETTER
    return re.search(f"(?<!{letter}){term}(?!{letter})", text) is not None


def _denies(text: str, language: str) -> bool:
    words = set(re.findall(r"[^\W\d_]+", _folded(text)))
    denials = f"{_DENIALS[ENGLISH]} {_DENIALS.get(primary(language), '')}"
    if primary(language) == "pt":
        denials = denials.replace("no ", "", 1)  # "no" is "in the"
    return not words.isdisjoint(_folded(denials).split())


def _folded(text: str) -> str:
    """Without case and accents: capitals are often written without them."""
    parts = unicodedata.normalize("NFD", text.casefold())
    return "".join(one for one in parts if not "\u0300" <= one <= "\u036f")
