"""The forms of a dub's dials. Every control is a plain field."""

from __future__ import annotations

from typing import Any

from django import forms
from django.forms import BaseFormSet, formset_factory

from synthesis.dials import INTENSITY, MOST_RANGES, OFFSET_FRAMES, Dials, Range
from synthesis.engines.base import KeyPoint
from synthesis.errors import SynthesisError
from synthesis.scenes.curve_text import curve_read, curve_write
from synthesis.scenes.facts import Clock

SPARE_RANGES = 2
"""Empty rows at the end of the list; saving brings new ones."""


class SettingsForm(forms.Form):
    """Offset and intensity, of the dub or of a range. People are shown per cent."""

    offset_frames = forms.FloatField(
        label="Offset",
        min_value=OFFSET_FRAMES[0],
        max_value=OFFSET_FRAMES[1],
        step_size=0.5,
        initial=0,
    )
    intensity = forms.FloatField(
        label="Intensity",
        min_value=100 * INTENSITY[0],
        max_value=100 * INTENSITY[1],
        initial=100,
    )


class DialsForm(SettingsForm):
    """What holds for the whole dub, and the curve of the face that is shown."""

    face = forms.IntegerField(widget=forms.HiddenInput, required=False)
    curve = forms.CharField(
        label="Points of the curve",
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        help_text="One line a point: frame or time code, opening, width. 0 is the mouth"
        " at rest, 1 a usual movement, up to 4 either way. Leave a value out to follow"
        " the sound. Points at most 12 frames apart are joined.",
    )

    def __init__(self, *args: Any, clock: Clock, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.clock = clock

    def clean_curve(self) -> tuple[KeyPoint, ...]:
        try:
            return curve_read(self.cleaned_data["curve"], self.clock)
        except SynthesisError as error:
            raise forms.ValidationError(error.sentence, error.code) from error


class RangeForm(SettingsForm):
    """One range. Both time codes empty: no range."""

    first = forms.CharField(label="First frame", max_length=20, required=False)
    last = forms.CharField(label="Last frame", max_length=20, required=False)
    face = forms.TypedChoiceField(
        label="Face", required=False, coerce=int, empty_value=None
    )
    as_filmed = forms.BooleanField(label="Leave as filmed", required=False)

    def __init__(
        self, *args: Any, clock: Clock, faces: list[int], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.clock = clock
        self.fields["offset_frames"].required = False
        self.fields["intensity"].required = False
        self.fields["face"].choices = [  # type: ignore[attr-defined]
            ("", "All faces"),
            *((number, f"Face {number}") for number in faces),
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        cleaned["range"] = None
        places = [cleaned.get("first", ""), cleaned.get("last", "")]
        if not any(places) or self.errors:
            return cleaned
        try:
            first, last = (self.clock.frame(place) for place in places if place)
        except SynthesisError as error:
            raise forms.ValidationError(error.sentence, error.code) from error
        except ValueError as error:
            raise forms.ValidationError(
                "A range needs its first and its last frame.", "range-open"
            ) from error
        intensity, offset = cleaned.get("intensity"), cleaned.get("offset_frames")
        cleaned["range"] = Range(
            first_frame=first,
            end_frame=last + 1,
            face=cleaned.get("face"),
            offset_frames=offset or 0.0,
            intensity=1.0 if intensity is None else intensity / 100,
            as_filmed=cleaned.get("as_filmed", False),
        )
        return cleaned


RangeFormSet = formset_factory(
    RangeForm, extra=SPARE_RANGES, max_num=MOST_RANGES, absolute_max=2 * MOST_RANGES
)


def forms_of(
    dials: Dials, *, clock: Clock, faces: list[int], face: int | None, data: Any = None
) -> tuple[DialsForm, BaseFormSet[RangeForm]]:
    """Both forms, filled with the dials or with what was sent."""
    points = dials.points.get(face, ()) if face is not None else ()
    form = DialsForm(
        data,
        clock=clock,
        initial={
            "offset_frames": f"{dials.offset_frames:g}",
            "intensity": f"{100 * dials.intensity:g}",
            "face": face,
            "curve": curve_write(points, clock),
        },
    )
    ranges = RangeFormSet(
        data,
        prefix="range",
        initial=[_range_initial(one, clock) for one in dials.ranges],
        form_kwargs={"clock": clock, "faces": faces},
    )
    return form, ranges


def dials_of(kept: Dials, form: DialsForm, ranges: BaseFormSet[RangeForm]) -> Dials:
    """What valid forms ask for; the curves of faces not shown stay as kept."""
    points = dict(kept.points)
    if form.cleaned_data["face"] is not None:
        points[form.cleaned_data["face"]] = form.cleaned_data["curve"]
    sent = [one.cleaned_data.get("range") for one in ranges]
    return Dials(
        offset_frames=form.cleaned_data["offset_frames"],
        intensity=form.cleaned_data["intensity"] / 100,
        ranges=tuple(sorted(filter(None, sent), key=lambda r: r.first_frame)),
        points=points,
    )


def _range_initial(one: Range, clock: Clock) -> dict[str, Any]:
    return {
        "first": clock.label(one.first_frame),
        "last": clock.label(one.end_frame - 1),
        "face": one.face,
        "offset_frames": f"{one.offset_frames:g}",
        "intensity": f"{100 * one.intensity:g}",
        "as_filmed": one.as_filmed,
    }
