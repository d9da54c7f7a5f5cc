"""What reviewers may type."""

from __future__ import annotations

from django import forms

from synthesis.models import Decision


class CommentForm(forms.Form):
    """Words on one frame, counted from 0."""

    frame = forms.IntegerField(min_value=0)
    text = forms.CharField(max_length=4000, widget=forms.Textarea)


class DecisionForm(forms.Form):
    """A verdict on the bytes with this SHA-256. Changes wanted must say which."""

    sha256 = forms.CharField(min_length=64, max_length=64)
    verdict = forms.ChoiceField(choices=Decision.Verdict.choices)
    reason = forms.CharField(max_length=4000, required=False)

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        wants_changes = cleaned.get("verdict") == Decision.Verdict.CHANGES
        if wants_changes and not str(cleaned.get("reason", "")).strip():
            self.add_error("reason", "Say in a sentence what should change.")
        return cleaned
