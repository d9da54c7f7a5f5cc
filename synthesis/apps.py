"""Scenes, dubs, renders, deliverables."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete


class SynthesisConfig(AppConfig):
    name = "synthesis"

    def ready(self) -> None:
        from consent.seams import seams
        from consent.signals import (
            consent_suspended,
            consent_withdrawn,
            ledger_grown,
            receipt_late,
        )
        from synthesis.services import (
            consents,
            face_data,
            face_questions,
            kept,
            uses,
        )

        seams.scenes_of, seams.outputs_of = consents.scenes_of, consents.outputs_of
        seams.made_with, seams.subjects_of = uses.made_with, uses.subjects_of
        seams.kept_about, seams.receipts_of = kept.kept_about, kept.receipts_of
        seams.face_stores.extend(face_data.STORES)
        seams.faces_waiting = face_questions.faces_waiting
        consent_suspended.connect(_stop_what_stands_on_it, dispatch_uid="synthesis")
        consent_withdrawn.connect(_end_what_stood_on_it, dispatch_uid="synthesis")
        ledger_grown.connect(_send_receipts, dispatch_uid="synthesis")
        receipt_late.connect(_send_receipts, dispatch_uid="synthesis")
        ledger_grown.connect(_tell_of_uses, dispatch_uid="synthesis-uses")
        ledger_grown.connect(_renew_manifests, dispatch_uid="synthesis-manifests")
        post_delete.connect(
            _drop_mouths, sender="synthesis.TrackRender", dispatch_uid="synthesis"
        )


def _end_what_stood_on_it(*, grant_id: str, **_: Any) -> None:
    from synthesis.services.adaptation import training_withdraw
    from synthesis.services.faces import faces_withdraw
    from synthesis.services.renders import consent_withdraw

    consent_withdraw(grant_id=str(grant_id))
    training_withdraw(grant_id=str(grant_id))
    faces_withdraw(grant_id=str(grant_id))


def _stop_what_stands_on_it(*, grant_id: str, **_: Any) -> None:
    from synthesis.services.adaptation import training_suspend
    from synthesis.services.renders import consent_suspend

    consent_suspend(grant_id=str(grant_id))
    training_suspend(grant_id=str(grant_id))


def _send_receipts(*, entry: Any, late: Any = None, **_: Any) -> int:
    from synthesis.services.receipts import deliverable_receipts_send

    return deliverable_receipts_send(entry=entry, late=late)


def _tell_of_uses(*, entry: Any, **_: Any) -> None:
    from synthesis.services.uses import uses_tell

    uses_tell(entry=entry)


def _renew_manifests(*, entry: Any, **_: Any) -> None:
    from synthesis.services.manifests import manifests_follow

    manifests_follow(entry=entry)


def _drop_mouths(*, instance: Any, **_: Any) -> None:
    from synthesis.services.renders import take_files_drop

    take_files_drop(instance)
