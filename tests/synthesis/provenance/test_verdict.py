"""The verdict: one answer for every combination of what was found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from synthesis.provenance.mark import Detection
from synthesis.provenance.read import Credential
from synthesis.provenance.verdict import Code, Consent, Deliverable, as_json, judge

OURS = Deliverable("d-1", "urn:c2pa:ours", "0123456789abcdef")
ACTIVE = [Consent("Robin", "active")]
NO_MARK = Detection(False, windows=3)
OUR_MARK = Detection(True, OURS.mark_id, "mark-1", 0.97, 1)

ABSENT = Credential("absent")
OUR_IDS = (OURS.manifest_id, OURS.manifest_id)
THEIR_IDS = ("urn:c2pa:theirs", "urn:c2pa:theirs")
TRUSTED = Credential("trusted", *OUR_IDS)
BROKEN = Credential("invalid", *OUR_IDS, ("assertion.bmffHash.mismatch",))
FORGED = Credential("valid", *OUR_IDS, ("signingCredential.untrusted",))
FOREIGN = Credential("trusted", *THEIR_IDS, signer="Another house")
FOREIGN_BROKEN = Credential("invalid", *THEIR_IDS, ("claimSignature.mismatch",))
UPDATED = Credential("trusted", "urn:c2pa:newer", OURS.manifest_id)


@pytest.mark.parametrize(
    ("credential", "mark", "deliverable", "code"),
    [
        (TRUSTED, OUR_MARK, OURS, Code.UNCHANGED),
        (TRUSTED, NO_MARK, OURS, Code.UNCHANGED),
        (UPDATED, NO_MARK, OURS, Code.UNCHANGED),
        (BROKEN, OUR_MARK, OURS, Code.CHANGED),
        (BROKEN, NO_MARK, OURS, Code.MISFIT),
        (ABSENT, OUR_MARK, OURS, Code.STRIPPED),
        (FOREIGN, OUR_MARK, OURS, Code.RELABELLED),
        (FORGED, OUR_MARK, OURS, Code.RELABELLED),
        (FORGED, NO_MARK, OURS, Code.FOREIGN),
        (ABSENT, OUR_MARK, None, Code.UNRECORDED),
        (FOREIGN, NO_MARK, None, Code.FOREIGN),
        (FOREIGN_BROKEN, NO_MARK, None, Code.FOREIGN_BROKEN),
        (ABSENT, NO_MARK, None, Code.NOTHING),
    ],
)
def test_each_combination_has_its_verdict(
    credential: Credential,
    mark: Detection,
    deliverable: Deliverable | None,
    code: Code,
) -> None:
    verdict = judge(credential, mark, deliverable, ACTIVE)
    assert verdict.code == code
    assert len(verdict.text) > 40


def test_nothing_found_is_said_to_prove_nothing() -> None:
    assert "proves nothing" in judge(ABSENT, NO_MARK, None, []).text


def test_a_mark_on_a_picture_that_looks_different_is_told_apart() -> None:
    for credential in (ABSENT, BROKEN, FOREIGN):
        verdict = judge(credential, OUR_MARK, OURS, ACTIVE, similarity=0.45)
        assert verdict.code == Code.PASTED
        assert "Robin" not in verdict.text
    alike = judge(ABSENT, OUR_MARK, OURS, ACTIVE, similarity=0.93)
    assert alike.code == Code.STRIPPED


def test_a_cropped_copy_may_look_less_like_ours_but_not_like_a_strangers() -> None:
    cropped = replace(OUR_MARK, uncropped=False)
    verdict = judge(ABSENT, cropped, OURS, ACTIVE, similarity=0.45)
    assert verdict.code == Code.STRIPPED
    verdict = judge(ABSENT, cropped, OURS, ACTIVE, similarity=0.15)
    assert verdict.code == Code.PASTED


def test_the_very_bytes_need_no_certificate() -> None:
    expired = Credential(
        "invalid", OURS.manifest_id, OURS.manifest_id, ("signingCredential.expired",)
    )
    verdict = judge(expired, OUR_MARK, OURS, ACTIVE, same_bytes=True)
    assert verdict.code == Code.UNCHANGED


def test_the_same_bytes_without_a_record_change_nothing() -> None:
    assert judge(ABSENT, NO_MARK, None, [], same_bytes=True).code == Code.NOTHING


def test_consent_is_told_as_it_stands_today() -> None:
    consent = [
        Consent("Robin", "active"),
        Consent("Kim", "revoked", date(2026, 11, 20)),
        Consent("Sam", "suspended"),
    ]
    text = judge(TRUSTED, OUR_MARK, OURS, consent).text
    assert "consent of Robin stands" in text
    assert "consent of Kim has been withdrawn since 2026-11-20" in text
    assert "cannot be recalled" in text
    assert "consent of Sam does not stand: suspended" in text


def test_a_file_without_consent_record_says_so() -> None:
    assert "No consent record" in judge(TRUSTED, OUR_MARK, OURS, []).text


def test_consent_of_our_actors_is_not_told_of_foreign_files() -> None:
    verdict = judge(FORGED, NO_MARK, OURS, ACTIVE)
    assert "Robin" not in verdict.text
    answer = as_json(FORGED, NO_MARK, OURS, ACTIVE, verdict)
    assert answer["deliverable"] is None
    assert answer["consent"] == []


def test_what_a_stranger_claims_never_enters_the_sentences() -> None:
    stranger = Credential("valid", "x", title="<b>Trust me</b>", signer="Evil & Sons")
    text = judge(stranger, NO_MARK, None, []).text
    assert "Trust me" not in text
    assert "Evil" not in text


def test_the_json_has_the_promised_shape() -> None:
    consent = [Consent("Robin", "revoked", date(2026, 11, 20))]
    verdict = judge(BROKEN, OUR_MARK, OURS, consent)
    answer = json.loads(json.dumps(as_json(BROKEN, OUR_MARK, OURS, consent, verdict)))
    assert answer["credential"]["state"] == "invalid"
    assert answer["credential"]["problems"] == ["assertion.bmffHash.mismatch"]
    assert answer["mark"]["found"] is True
    assert answer["mark"]["id"] == OURS.mark_id
    assert answer["deliverable"] == "d-1"
    assert answer["consent"][0]["actor"] == "Robin"
    assert answer["consent"][0]["status"] == "revoked"
    assert answer["verdict"] == verdict.text
