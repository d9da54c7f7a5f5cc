"""Real letters of every script at hand, or a refusal; never boxes in their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import features

from consent.fonts import REGULAR
from synthesis.errors import SynthesisError
from synthesis.provenance.label import lettering as module
from synthesis.provenance.label.lettering import (
    DRAWN_CAPITAL_PX,
    SHIPPED,
    Fonts,
    lettering,
)

WIDE = 100.0


def ink(text: str, widest: float = WIDE) -> np.ndarray:
    return lettering(text, fonts=SHIPPED, widest=widest).ink


def test_umlauts_accents_greek_and_cyrillic_are_letters_of_their_own() -> None:
    drawn = {text: ink(text) for text in ("A", "Ä", "Å", "Ą", "Л", "Ω", "Ж", "Έ")}
    for text, one in drawn.items():
        for other, two in drawn.items():
            if text != other:
                assert one.shape != two.shape or np.abs(one - two).max() > 0.5


@pytest.mark.parametrize("text", ["AI", "Изменено ИИ", "AI ÄÉ", "ии", "ai"])
def test_letters_are_as_high_as_asked_for(text: str) -> None:
    """An accent above a capital does not count as its height, and words in small
    letters are drawn larger."""
    accent = 20 if "É" in text else 0
    rows = np.flatnonzero((ink(text) > 0.3).any(axis=1))
    assert rows[-1] - rows[0] + 1 >= DRAWN_CAPITAL_PX + accent


def test_a_long_wording_goes_into_lines_of_like_length() -> None:
    one, two = ink("YAPAY ZEKÂ İLE DEĞİŞTİRİLDİ"), ink("YAPAY ZEKÂ İLE DEĞİŞTİRİLDİ", 9)
    assert two.shape[1] < 0.65 * one.shape[1]
    assert two.shape[0] > 1.5 * one.shape[0]


def test_a_single_word_stays_whole_however_narrow_it_should_be() -> None:
    assert ink("KI-VERÄNDERT", 1).shape == ink("KI-VERÄNDERT").shape


@pytest.mark.skipif(not features.check("raqm"), reason="no FriBiDi on this machine")
def test_arabic_is_joined_and_runs_from_right_to_left() -> None:
    joined, apart = ink("معدل"), ink("م ع د ل")
    assert joined.shape[1] < 0.8 * apart.shape[1]
    # Alef is a plain stroke: it comes first, so it stands at the right.
    tallest = ink("اس").sum(axis=0)
    left, right = np.split(tallest[: len(tallest) // 2 * 2], 2)
    assert right.max() > 1.5 * left.max()


def test_scripts_that_would_be_drawn_wrong_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module.features, "check", lambda name: name != "raqm")
    for text in ("بالذكاء", "בינה", "AI בינה"):
        with pytest.raises(SynthesisError) as refused:
            SHIPPED.writing(text)
        assert refused.value.code == "label-script-unsupported"
        assert "FriBiDi" in refused.value.sentence
    assert SHIPPED.can_write("ÄÉΩЖ")


def test_a_letter_that_the_font_lacks_is_named_with_the_setting_that_helps() -> None:
    with pytest.raises(SynthesisError) as refused:
        SHIPPED.writing("AI合成")
    assert refused.value.code == "label-letters-missing"
    assert "合 成" in refused.value.sentence
    assert "LIPWEB_LABEL_FONT" in refused.value.sentence


def test_the_houses_own_font_writes_what_ours_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = module._missing
    monkeypatch.setattr(
        module,
        "_missing",
        lambda text, path: [] if path == str(REGULAR) else real(text, path),
    )
    fonts = Fonts.with_own(REGULAR)
    assert fonts.writing("AI合成") == str(REGULAR)
    assert fonts.writing("AI") == SHIPPED.writing("AI")


def test_a_font_that_is_none_or_not_there_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "font.ttf"
    broken.write_bytes(b"no font")
    for path in (broken, tmp_path / "none.ttf"):
        with pytest.raises(SynthesisError) as refused:
            Fonts.with_own(path).writing("AI合成")
        assert refused.value.code == "label-font-unusable"
        assert Fonts.with_own(path).can_write("KI-VERÄNDERT")
        assert "LIPWEB_LABEL_FONT" in refused.value.sentence
