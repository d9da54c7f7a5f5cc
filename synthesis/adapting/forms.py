"""What a producer may tick."""

from __future__ import annotations

from typing import Any

from django import forms

from consent.models import Actor, Project
from synthesis.models import Footage, Scene


class LearnForm(forms.Form):
    """What an actor's mouth is learned from."""

    scenes = forms.ModelMultipleChoiceField(Scene.objects.none(), required=False)
    footage = forms.ModelMultipleChoiceField(Footage.objects.none(), required=False)

    def __init__(
        self, *args: Any, project: Project, actor: Actor, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        scenes = Scene.objects.filter(project=project)
        footage = Footage.objects.filter(project=project, actor=actor)
        self.fields["scenes"].queryset = scenes  # type: ignore[attr-defined]
        self.fields["footage"].queryset = footage  # type: ignore[attr-defined]
