"""The form of a project's label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory

from synthesis.errors import SynthesisError
from synthesis.models import LabelPolicy
from synthesis.provenance.label import LEAST_OPENING_S
from synthesis.provenance.label.wording import LONGEST
from synthesis.scenes.forms import LANGUAGE_TAG
from synthesis.services.labels import (
    MOST_EVERY_MINUTES,
    MOST_OPENING_S,
    USUAL_OPENING_S,
    label_wording_check,
    wording_for,
)

WHOLE, OPENING = "whole", "opening"
MOST_LANGUAGES = 60


class LabelForm(forms.Form):
    """Where and how long. The seconds and minutes count for an opening only."""

    corner = forms.ChoiceField(choices=LabelPolicy.Corner.choices, required=False)
    duration = forms.ChoiceField(
        choices=[
            (WHOLE, "The whole length"),
            (OPENING, "The opening, and after breaks"),
        ]
    )
    opening_s = forms.IntegerField(
        label="Seconds each time",
        min_value=LEAST_OPENING_S,
        max_value=MOST_OPENING_S,
        required=False,
        help_text=f"{LEAST_OPENING_S} at least, {USUAL_OPENING_S} if empty.",
    )
    every_minutes = forms.IntegerField(
        label="Also every so many minutes",
        min_value=1,
        max_value=MOST_EVERY_MINUTES,
        required=False,
        help_text="For films without marked breaks.",
    )
    shown = forms.CharField(required=False, max_length=35)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("duration") == WHOLE:
            cleaned["opening_s"] = cleaned["every_minutes"] = None
        elif "opening_s" in cleaned and cleaned["opening_s"] is None:
            cleaned["opening_s"] = USUAL_OPENING_S
        return cleaned


class WordingForm(forms.Form):
    """What a label says in one language; empty for our own words."""

    language = forms.CharField(
        label="Another language",
        max_length=35,
        required=False,
        validators=[LANGUAGE_TAG],
        help_text="A tag such as sv or pt-BR.",
    )
    text = forms.CharField(label="Wording", required=False, max_length=4 * LONGEST)
    ours = ""
    """What is said where the text is empty."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        text, language = cleaned.get("text", "").strip(), cleaned.get("language", "")
        if text and "language" in cleaned and not language:
            raise forms.ValidationError("Say which language this wording is in.")
        if text and language:
            try:
                cleaned["text"] = label_wording_check(text, language)
            except SynthesisError as refused:
                self.add_error("text", refused.sentence)
        return cleaned


WordingFormSet = formset_factory(
    WordingForm, extra=1, max_num=MOST_LANGUAGES, absolute_max=MOST_LANGUAGES
)


def label_forms(
    policy: LabelPolicy, languages: Iterable[str], data: Any = None
) -> tuple[LabelForm, BaseFormSet[WordingForm]]:
    """Both forms, filled with the policy or with what was sent."""
    form = LabelForm(
        data,
        initial={
            "corner": policy.corner,
            "duration": OPENING if policy.opening_s else WHOLE,
            "opening_s": policy.opening_s or USUAL_OPENING_S,
            "every_minutes": policy.every_minutes,
        },
    )
    wordings = WordingFormSet(
        data,
        prefix="wording",
        initial=[
            {"language": one, "text": policy.wordings.get(one.lower(), "")}
            for one in languages
        ],
    )
    for one in wordings:
        language = one["language"].value() or ""
        one.ours = wording_for(LabelPolicy(), language).text
    return form, wordings


def policy_wished(
    form: LabelForm, wordings: BaseFormSet[WordingForm]
) -> dict[str, Any]:
    """What valid forms ask for, as label_policy_set takes it."""
    rows = [one.cleaned_data for one in wordings]
    return {
        "corner": form.cleaned_data["corner"],
        "opening_s": form.cleaned_data["opening_s"],
        "every_minutes": form.cleaned_data["every_minutes"],
        "wordings": {
            row["language"]: row["text"] for row in rows if row.get("language")
        },
    }
