"""What producers may type, and how it is checked."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.validators import RegexValidator

from consent.models import Actor, Project
from consent.sentences import CONTENT_WORDS

LANGUAGE_TAG = RegexValidator(
    r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$",
    "Write a language tag such as es, de or pt-BR.",
)


class SentForm(forms.Form):
    """A form that comes with a file: sent in chunks before (upload), or within."""

    upload = forms.UUIDField(required=False)


class SceneForm(SentForm):
    """A new scene."""

    title = forms.CharField(max_length=160, required=False)
    language = forms.CharField(max_length=35, validators=[LANGUAGE_TAG], initial="en")


class DubForm(forms.Form):
    """A new language version."""

    language = forms.CharField(max_length=35, validators=[LANGUAGE_TAG])


class ContentForm(forms.Form):
    """Which kinds of content a dub's lines or scene hold; none ticked is none."""

    content = forms.MultipleChoiceField(
        required=False, choices=list(CONTENT_WORDS.items())
    )


class LineForm(SentForm):
    """A stretch of dubbed dialogue by one of the project's actors. start is a frame
    or a time code of the scene, read by the view since it needs the frame rate."""

    actor = forms.ModelChoiceField(Actor.objects.none())
    start = forms.CharField(max_length=20, required=False)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["actor"].queryset = Actor.objects.cast_in(project)  # type: ignore[attr-defined]


class AssignForm(forms.Form):
    """Whose face a track shows; empty for nobody's."""

    actor = forms.ModelChoiceField(Actor.objects.none(), required=False)

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["actor"].queryset = Actor.objects.cast_in(project)  # type: ignore[attr-defined]


def first_sentence(form: forms.Form) -> str:
    """The first thing wrong with a form, in words, with its field's name."""
    field, errors = next(iter(form.errors.items()))
    return f"{field.replace('_', ' ').capitalize()}: {errors[0]}"
