"""What a label says, and what a house may not make it say."""

from __future__ import annotations

import pytest

from synthesis.errors import SynthesisError
from synthesis.provenance.label.lettering import SHIPPED
from synthesis.provenance.label.wording import (
    TERMS,
    WORDINGS,
    default_wording,
    wording_checked,
)


@pytest.mark.parametrize("language", WORDINGS)
def test_our_own_words_pass_the_check_that_a_house_has_to_pass(language: str) -> None:
    assert wording_checked(WORDINGS[language], language) == WORDINGS[language]


def test_every_language_we_label_in_knows_what_says_ai() -> None:
    assert set(WORDINGS) == set(TERMS)


def test_only_languages_of_the_far_east_and_india_need_a_font_of_the_house() -> None:
    beyond = {tag for tag, text in WORDINGS.items() if not SHIPPED.can_write(text)}
    assert beyond <= {"hi", "ja", "ko", "zh"}


@pytest.mark.parametrize(
    ("tag", "words"),
    [
        ("de", "KI-VERÄNDERT"),
        ("de-AT", "KI-VERÄNDERT"),
        ("pt-BR", "MODIFICADO COM IA"),
        ("no", "ENDRET MED KI"),
        ("EL", "ΤΡΟΠΟΠΟΙΗΜΕΝΟ ΜΕ ΤΝ"),
        ("xx", ""),
    ],
)
def test_the_words_follow_the_language_of_the_dub(tag: str, words: str) -> None:
    assert default_wording(tag) == words


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Lips changed by AI"),
        ("en", "Artificial intelligence moved these lips"),
        ("de", "Mit künstlicher Intelligenz verändert"),
        ("fr", "Images modifiées par l'IA"),
        ("fr", "INTELLIGENCE ARTIFICIELLE"),
        ("el", "Με τεχνητή νοημοσύνη"),
        ("ru", "Изменено нейросетью (ИИ)"),
        ("fi", "Tekoälyn muokkaama"),
        ("tr", "Yapay zekâ ile"),
        ("zh", "AI合成"),
        ("zh-Hant", "人工智慧合成"),
        ("pt", "Modificado no estúdio com IA"),
        ("sw", "IMEBADILISHWA NA AI"),
    ],
)
def test_a_house_may_say_it_in_its_own_words(language: str, text: str) -> None:
    assert wording_checked(f"  {text} ", language) == text


@pytest.mark.parametrize(
    ("language", "text", "code"),
    [
        ("en", "", "empty"),
        ("en", "   ", "empty"),
        ("en", "A Harbour Pictures production made by AI", ""),
        ("en", "A Harbour Pictures production, made by AI", "long"),
        ("en", "DUBBED", "hides-ai"),
        ("en", "SAID IN PAIN", "hides-ai"),
        ("en", "made by ai", "hides-ai"),
        ("en", "Al MODIFIED", "hides-ai"),  # a small L
        ("fr", "J'AI MODIFIÉ", "hides-ai"),
        ("it", "AI BAMBINI", "hides-ai"),
        ("ru", "ИЗМЕНЕНО", "hides-ai"),
        ("en", "No AI was used", "denies"),
        ("en", "AI-FREE", "denies"),
        ("de", "Ohne KI entstanden", "denies"),
        ("fr", "SANS IA", "denies"),
        ("ru", "БЕЗ ИИ", "denies"),
        ("en", "AI\u202eDEIFIDOM", "unprintable"),
        ("en", "AI\u0007", "unprintable"),
    ],
)
def test_words_that_hide_or_deny_it_are_refused_with_a_sentence(
    language: str, text: str, code: str
) -> None:
    if not code:
        assert len(wording_checked(text, language)) == 40
        return
    with pytest.raises(SynthesisError) as refused:
        wording_checked(text, language)
    assert refused.value.code == f"label-wording-{code}"
    assert refused.value.sentence.endswith(".")


def test_letters_written_in_two_parts_become_one() -> None:
    assert wording_checked("KI-VERA\u0308NDERT", "de") == "KI-VERÄNDERT"


def test_several_lines_become_one() -> None:
    assert wording_checked("AI\nMODIFIED", "en") == "AI MODIFIED"
