"""What actors tick and type to answer a question. Nothing is ticked for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, cast

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consent.errors import RecordRefused
from consent.forms import WHOLE, day_input, day_start, days_of, excluded_of, words
from consent.models import Grant
from consent.readers import reading_tongue
from consent.record import WORLDWIDE, GrantTerms
from consent.seams import seams
from consent.sentences import (
    CONTENT_WORDS,
    MEDIA_WORDS,
    content_words,
    language_words,
)

ONE_DAY: Final = timedelta(days=1)
TRAINING: Final = _("I also allow that a computer model learns from my face.")


class SignForm(forms.Form):
    """What must be ticked beside the signature: training is a right of its own."""

    response = forms.CharField(widget=forms.HiddenInput)
    training = forms.BooleanField(label=TRAINING)

    def __init__(self, *args: Any, terms: GrantTerms, **options: Any) -> None:
        super().__init__(*args, **options)
        if not (terms.training and terms.inference):
            # Where training is all that is asked, the signature itself says it.
            del self.fields["training"]


class ReasonForm(forms.Form):
    """Why not, or what should be different."""

    reason = forms.CharField(
        required=False,
        max_length=2000,
        label=_("What should be different?"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReturnForm(forms.Form):
    """What is wrong with a finished file."""

    reason = forms.CharField(
        max_length=2000,
        label=_("What is wrong with it?"),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class NarrowForm(forms.Form):
    """Only some of what a grant asks for. What is left unticked stays forbidden."""

    inference = forms.BooleanField(
        required=False, label=_("My mouth may be changed, to match a dub")
    )
    training = forms.BooleanField(required=False, label=TRAINING)
    scenes = forms.MultipleChoiceField(
        label=_("In which scenes"), widget=forms.CheckboxSelectMultiple
    )
    languages = forms.MultipleChoiceField(
        label=_("In which languages"), widget=forms.CheckboxSelectMultiple
    )
    shown_in = forms.MultipleChoiceField(
        label=_("Where it may be shown"), widget=forms.CheckboxSelectMultiple
    )
    territories = forms.MultipleChoiceField(
        required=False,
        label=_("In which countries"),
        widget=forms.CheckboxSelectMultiple,
    )
    only_countries = forms.CharField(
        required=False,
        label=_("Or only in these countries"),
        help_text=_("Country codes parted by commas: DE, AT, CH."),
    )
    first_day = forms.DateField(label=_("First day"), widget=day_input())
    last_day = forms.DateField(label=_("Last day"), widget=day_input())
    excluded_kinds = forms.MultipleChoiceField(
        required=False,
        label=_("Never in connection with"),
        help_text=_("Kept by lipweb: a dub that holds any of it is not rendered."),
        widget=forms.CheckboxSelectMultiple,
    )
    excluded_content = forms.CharField(
        required=False,
        label=_("Nor with anything else"),
        help_text=_("One thing a line, in your words. People must keep these."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    output_approval = forms.BooleanField(
        required=False,
        label=_("I want to approve each finished version before it goes"),
    )
    counsel = forms.CharField(
        required=False,
        max_length=160,
        label=_("Who advised you"),
        help_text=_("A lawyer or an agent, if you want that written down."),
    )
    union = forms.CharField(
        required=False, max_length=160, label=_("Which union was involved")
    )

    def __init__(self, *args: Any, asked: Grant, **options: Any) -> None:
        self.asked = asked.document.terms
        self.days = days_of(self.asked)
        options["initial"] = {"first_day": self.days[0], "last_day": self.days[1]}
        super().__init__(*args, **options)
        scenes = self.asked.scenes or tuple(seams.scenes_of(asked.project))
        self.known = {scene.sha256: scene for scene in scenes}
        self._offer()

    def _offer(self) -> None:
        asked, tongue = self.asked, reading_tongue()
        titles = [(sha256, scene.title) for sha256, scene in self.known.items()]
        if asked.scenes is None:
            titles.insert(0, (WHOLE, gettext("Every scene of this production")))
        self._choices("scenes", titles)
        self._choices(
            "languages", [(tag, language_words(tag, tongue)) for tag in asked.languages]
        )
        self._choices(
            "shown_in", [(one, tongue(MEDIA_WORDS[one])) for one in asked.media]
        )
        self._choices("territories", [(code, code) for code in asked.territories])
        already = [content_words(one, tongue) for one in asked.excluded_content]
        self.already_excluded = tongue.listed(already)
        self._choices(
            "excluded_kinds",
            [
                (kind, tongue(word))
                for kind, word in CONTENT_WORDS.items()
                if kind not in asked.excluded_kinds
            ],
        )
        if WORLDWIDE not in asked.territories:
            del self.fields["only_countries"]
        for purpose in ("inference", "training"):
            if not getattr(asked, purpose):
                del self.fields[purpose]
        if asked.output_approval:
            del self.fields["output_approval"]

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        cast(forms.MultipleChoiceField, self.fields[name]).choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                cleaned["terms"] = self._terms(cleaned)
            except RecordRefused as refusal:
                raise forms.ValidationError(gettext(refusal.sentence)) from refusal
        return cleaned

    def _terms(self, cleaned: dict[str, Any]) -> GrantTerms:
        asked, chosen = self.asked, cleaned["scenes"]
        countries = words(cleaned.get("only_countries", "").upper())
        whole = WHOLE in chosen
        return GrantTerms(
            inference=cleaned.get("inference", False),
            training=cleaned.get("training", False),
            scenes=None if whole else tuple(self.known[sha256] for sha256 in chosen),
            languages=tuple(cleaned["languages"]),
            media=tuple(cleaned["shown_in"]),
            territories=tuple(countries or cleaned["territories"]),
            # An untouched day keeps its exact moment, which need not be midnight here.
            starts_at=asked.starts_at
            if cleaned["first_day"] == self.days[0]
            else day_start(cleaned["first_day"]),
            ends_at=asked.ends_at
            if cleaned["last_day"] == self.days[1]
            else day_start(cleaned["last_day"] + ONE_DAY),
            excluded_content=tuple(
                dict.fromkeys((*asked.excluded_content, *excluded_of(cleaned)))
            ),
            output_approval=asked.output_approval
            or cleaned.get("output_approval", False),
            compensation_commitment=asked.compensation_commitment,
            counsel=cleaned["counsel"].strip() or asked.counsel,
            union=cleaned["union"].strip() or asked.union,
            dialogue=asked.dialogue,
            basis=asked.basis,
        )
