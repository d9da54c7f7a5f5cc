"""What producers and actors type. Nothing is ticked before an actor ticks it."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.errors import RecordRefused
from consent.models import Cosigner, Mandate, Project, Role
from consent.record import WORLDWIDE, Basis, Dialogue, GrantTerms
from consent.seams import seams
from consent.sentences import CONTENT_WORDS, LANGUAGES, MEDIA_WORDS
from consent.tongue import LOCALES

WHOLE, CHOSEN = "whole", "chosen"
BASIS_WORDS = {
    "individual-consent": "No, this consent alone",
    "contract-clause": "A clause in their contract",
    "collective-agreement": "A collective agreement",
}


def day_input() -> forms.DateInput:
    """Return a field for a day. Browsers read it in one spelling in every language."""
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class ProjectForm(forms.Form):
    """A new project's names, both of which actors read."""

    name = forms.CharField(
        max_length=160, label="Name of the production", help_text="As actors know it."
    )
    company = forms.CharField(
        max_length=160, label="Company", help_text="Who asks actors for their consent."
    )


class MemberForm(forms.Form):
    """Whom to add to a project, as what."""

    email = forms.EmailField(
        label="E-mail address", help_text="They get a link there to set a password."
    )
    name = forms.CharField(
        max_length=120,
        required=False,
        label="Name",
        help_text="Needed for a new login. Who has one keeps their name.",
    )
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.REVIEWER)


class InviteForm(forms.Form):
    """Whom to invite."""

    stage_name = forms.CharField(max_length=120, label="Stage name")
    legal_name = forms.CharField(
        max_length=120, label="Legal name", help_text="As it stands in a contract."
    )
    email = forms.EmailField(
        label="The actor's own e-mail address",
        help_text="The invitation goes there, and only there.",
    )
    language = forms.ChoiceField(
        label="Language of the invitation", choices=list(LOCALES.items())
    )


class MandateForm(forms.Form):
    """Who signs where the actor does not, and what shows that they may."""

    signs = forms.ChoiceField(
        label="Who signs",
        choices=[("", "Choose"), *Mandate.Signs.choices],
    )
    holder = forms.CharField(max_length=120, label="Their legal name")
    evidence = forms.FileField(
        label="The document that shows it",
        help_text="A court order, a power of attorney. 10 MB at most; it stays private,"
        " and its fingerprint goes into every record.",
    )
    first_day = forms.DateField(label="First day", widget=day_input())
    last_day = forms.DateField(label="Last day", widget=day_input())


class InvitationForm(forms.Form):
    """An actor's first password."""

    password = forms.CharField(
        label=_("Choose a password"),
        min_length=8,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class ProposeForm(forms.Form):
    """What to ask an actor for."""

    inference = forms.BooleanField(
        required=False, label="Change the mouth in pictures, to match a dub"
    )
    training = forms.BooleanField(
        required=False, label="Let a model learn from the actor's face"
    )
    scenes_choice = forms.ChoiceField(
        label="Which scenes",
        choices=[(WHOLE, "Every scene of this production"), (CHOSEN, "Only these:")],
        widget=forms.RadioSelect,
    )
    scenes = forms.MultipleChoiceField(
        required=False, label="Scenes", widget=forms.CheckboxSelectMultiple
    )
    languages = forms.CharField(
        label="Languages of the dubs",
        help_text="Names or tags, parted by commas: Spanish, pt-BR.",
    )
    shown_in = forms.MultipleChoiceField(
        label="Where it may be shown",
        choices=list(MEDIA_WORDS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    territories = forms.CharField(
        label="In which countries",
        help_text="The word worldwide, or country codes parted by commas: DE, AT, CH.",
    )
    first_day = forms.DateField(label="First day", widget=day_input())
    last_day = forms.DateField(label="Last day", widget=day_input())
    excluded_kinds = forms.MultipleChoiceField(
        required=False,
        label="Never in connection with",
        help_text="Kept by lipweb: a dub that holds any of it is not rendered.",
        choices=list(CONTENT_WORDS.items()),
        widget=forms.CheckboxSelectMultiple,
    )
    excluded_content = forms.CharField(
        required=False,
        label="Nor with anything else",
        help_text="One thing a line, in your words. People must keep these.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    output_approval = forms.BooleanField(
        required=False, label="The actor approves each finished version before it goes"
    )
    dialogue = forms.CharField(
        required=False,
        max_length=400,
        label="What they will seem to say",
        help_text="Such as: the faithful translation of their own lines. If you leave "
        "it empty, the actor reads that nothing is said about it.",
    )
    script = forms.FileField(
        required=False,
        label="The script",
        help_text="Only its fingerprint goes into the question; the file is not kept.",
    )
    basis = forms.ChoiceField(
        required=False,
        label="Is there another ground beside this consent",
        choices=list(BASIS_WORDS.items()),
    )
    basis_document = forms.FileField(
        required=False,
        label="That contract or agreement",
        help_text="Only its fingerprint goes into the question; the file is not kept.",
    )

    cosigner_role = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Who they are"),
        choices=[("", gettext_lazy("Nobody")), *Cosigner.Role.choices],
    )
    cosigner_name = forms.CharField(
        required=False, max_length=120, label=gettext_lazy("Their name")
    )
    cosigner_email = forms.EmailField(
        required=False,
        label=gettext_lazy("Their e-mail address"),
        help_text=gettext_lazy("They are asked there once the actor has signed."),
    )

    def __init__(
        self,
        *args: Any,
        project: Project,
        answering: GrantTerms | None = None,
        **options: Any,
    ) -> None:
        if answering is not None:
            options["initial"] = _as_typed(answering)
        super().__init__(*args, **options)
        self.known = {scene.sha256: scene for scene in seams.scenes_of(project)}
        titles = [(sha256, scene.title) for sha256, scene in self.known.items()]
        cast(forms.MultipleChoiceField, self.fields["scenes"]).choices = titles

    def clean_languages(self) -> tuple[str, ...]:
        return tuple(language_tag(word) for word in words(self.data["languages"]))

    def clean_territories(self) -> tuple[str, ...]:
        codes = words(self.data["territories"])
        return tuple(
            WORLDWIDE if code.lower() == WORLDWIDE else code.upper() for code in codes
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        told = [cleaned.get(f"cosigner_{part}") for part in ("role", "name", "email")]
        if any(told) and not all(told):
            sentence = _("Say who co-signs, their name and their address, or nobody.")
            raise forms.ValidationError(sentence)
        if not self.errors:
            try:
                cleaned["terms"] = self._terms(cleaned)
            except RecordRefused as refusal:
                raise forms.ValidationError(refusal.sentence) from refusal
        return cleaned

    def _terms(self, cleaned: dict[str, Any]) -> GrantTerms:
        chosen = tuple(self.known[sha256] for sha256 in cleaned["scenes"])
        return GrantTerms(
            inference=cleaned["inference"],
            training=cleaned["training"],
            scenes=None if cleaned["scenes_choice"] == WHOLE else chosen,
            languages=cleaned["languages"],
            media=tuple(cleaned["shown_in"]),
            territories=cleaned["territories"],
            starts_at=day_start(cleaned["first_day"]),
            ends_at=day_start(cleaned["last_day"] + timedelta(days=1)),
            excluded_content=excluded_of(cleaned),
            output_approval=cleaned["output_approval"],
            dialogue=self._dialogue(cleaned),
            basis=Basis(
                kind=cleaned["basis"] or "individual-consent",
                document_sha256=_fingerprint(cleaned["basis_document"]),
            ),
        )

    def _dialogue(self, cleaned: dict[str, Any]) -> Dialogue | None:
        description, script = cleaned["dialogue"].strip(), cleaned["script"]
        if not description and script is None:
            return None
        return Dialogue(description=description, sha256=_fingerprint(script))


def _fingerprint(file: UploadedFile[Any] | None) -> str | None:
    """Return the SHA-256 (hex) of an uploaded file, read in pieces, or None."""
    if file is None:
        return None
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    return digest.hexdigest()


def _as_typed(terms: GrantTerms) -> dict[str, Any]:
    """Return terms as the producer would have typed them, to start from the actor's
    own version when asking again."""
    first, last = days_of(terms)
    return {
        "inference": terms.inference,
        "training": terms.training,
        "scenes_choice": WHOLE if terms.scenes is None else CHOSEN,
        "scenes": [scene.sha256 for scene in terms.scenes or ()],
        "languages": ", ".join(terms.languages),
        "shown_in": list(terms.media),
        "territories": ", ".join(terms.territories),
        "first_day": first,
        "last_day": last,
        "excluded_content": "\n".join(terms.excluded_words),
        "excluded_kinds": sorted(terms.excluded_kinds),
        "output_approval": terms.output_approval,
        "dialogue": terms.dialogue.description if terms.dialogue else "",
        "basis": terms.basis.kind,
    }


def excluded_of(cleaned: dict[str, Any]) -> tuple[str, ...]:
    """Return what is excluded: the kinds that were ticked, then the words."""
    typed = lines_of(cleaned["excluded_content"])
    return tuple(dict.fromkeys((*cleaned["excluded_kinds"], *typed)))


def lines_of(text: str) -> tuple[str, ...]:
    """Return what stands on each line, without its full stop."""
    lines = (line.strip().rstrip(".") for line in text.splitlines())
    return tuple(dict.fromkeys(line for line in lines if line))


def days_of(terms: GrantTerms) -> tuple[date, date]:
    """Return the first and the last day of terms, where this house is."""
    here = timezone.get_current_timezone()
    last_moment = terms.ends_at - timedelta(seconds=1)
    return terms.starts_at.astimezone(here).date(), last_moment.astimezone(here).date()


def words(text: str) -> list[str]:
    """Return what stands between the commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def language_tag(word: str) -> str:
    """Return the BCP-47 tag for a language's English name, or the word as it is."""
    by_name = {name.lower(): tag for tag, name in LANGUAGES.items()}
    return by_name.get(word.lower(), word)


def day_start(day: date) -> datetime:
    """Return the first moment of a day where this house is."""
    return datetime.combine(day, time.min, timezone.get_current_timezone())
