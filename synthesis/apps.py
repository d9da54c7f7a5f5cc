"""Scenes, dubs, renders, deliverables."""

from typing import Any

from django.apps import AppConfig


class SynthesisConfig(AppConfig):
    name = "synthesis"

    def ready(self) -> None:
        from consent.seams import seams
        from consent.signals import consent_withdrawn
        from synthesis.services import consents

        seams.scenes_of, seams.made_with = consents.scenes_of, consents.made_with
        consent_withdrawn.connect(_end_what_stood_on_it, dispatch_uid="synthesis")


def _end_what_stood_on_it(*, grant_id: str, **_: Any) -> None:
    from synthesis.services.adaptation import training_withdraw
    from synthesis.services.renders import consent_withdraw

    consent_withdraw(grant_id=str(grant_id))
    training_withdraw(grant_id=str(grant_id))
