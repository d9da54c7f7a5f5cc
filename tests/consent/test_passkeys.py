"""A signature proves one document, one key, one site and a verified person."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from consent.authenticator import SOFTWARE_AAGUID, SoftwareAuthenticator
from consent.errors import SignatureRefused
from consent.passkeys import (
    Assertion,
    challenge_for,
    enrolment_options,
    signing_options,
    verify_assertion,
    verify_enrolment,
)

RP_ID, ORIGIN = "localhost", "http://localhost:8000"
DOCUMENT = b'{"a":1}'


def authenticator(**changes: Any) -> SoftwareAuthenticator:
    return SoftwareAuthenticator(**({"rp_id": RP_ID, "origin": ORIGIN} | changes))


def enrol(device: SoftwareAuthenticator, **changes: Any) -> Any:
    options = enrolment_options(
        rp_id=RP_ID,
        challenge=b"c" * 32,
        user_handle=b"u" * 16,
        user_name="robin@example.com",
        known_credentials=[],
    )
    assert options["authenticatorSelection"]["userVerification"] == "required"
    expected: dict[str, Any] = {
        "expected_challenge": b"c" * 32,
        "expected_rp_id": RP_ID,
        "expected_origin": ORIGIN,
    }
    return verify_enrolment(response=device.create(options), **(expected | changes))


def signed(device: SoftwareAuthenticator, document: bytes = DOCUMENT) -> Assertion:
    options = signing_options(
        rp_id=RP_ID, canonical=document, credentials=[device.credential_id]
    )
    assert options["userVerification"] == "required"
    return Assertion.from_response(json.dumps(device.get(options)))


def check(device: SoftwareAuthenticator, assertion: Assertion, **changes: Any) -> Any:
    expected: dict[str, Any] = {
        "canonical": DOCUMENT,
        "public_key": device.cose_key(),
        "expected_rp_id": RP_ID,
        "expected_origin": ORIGIN,
    }
    return verify_assertion(assertion=assertion, **(expected | changes))


def test_a_key_is_enrolled() -> None:
    device = authenticator()
    enrolled = enrol(device)
    assert enrolled.credential_id == device.credential_id
    assert enrolled.public_key == device.cose_key()
    assert enrolled.aaguid == str(SOFTWARE_AAGUID)


@pytest.mark.parametrize(
    "changes",
    [
        {"expected_challenge": b"d" * 32},
        {"expected_rp_id": "example.com"},
        {"expected_origin": "https://localhost:8000"},
    ],
)
def test_an_enrolment_for_another_question_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SignatureRefused):
        enrol(authenticator(), **changes)


def test_an_enrolment_without_a_verified_person_is_refused() -> None:
    with pytest.raises(SignatureRefused):
        enrol(authenticator(user_verified=False))


@pytest.mark.parametrize("response", ["", "{}", "[]", '{"id": 3}', "no json"])
def test_what_is_no_enrolment_is_refused(response: str) -> None:
    with pytest.raises(SignatureRefused):
        verify_enrolment(
            response=response,
            expected_challenge=b"c" * 32,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
        )


def test_a_signature_over_the_document_holds() -> None:
    device = authenticator()
    assert check(device, signed(device)).sign_count == 1


def test_the_challenge_is_the_documents_hash_under_its_own_domain() -> None:
    assert challenge_for(b"").hex() == (
        "732b98ff7c96c643d5ea526c012defe35cf35ec8c285bd0ec81476e5dd3194cd"
    )
    assert challenge_for(b"a") != challenge_for(b"b")


@pytest.mark.parametrize(
    "changes",
    [
        {"canonical": b'{"a":2}'},
        {"public_key": authenticator().cose_key()},
        {"expected_rp_id": "example.com"},
        {"expected_origin": "http://localhost:8001"},
        {"last_sign_count": 1},
    ],
)
def test_a_signature_holds_for_nothing_else(changes: dict[str, Any]) -> None:
    device = authenticator()
    with pytest.raises(SignatureRefused):
        check(device, signed(device), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "http://evil.example"},
        {"rp_id": "evil.example"},
        {"user_verified": False},
    ],
)
def test_a_device_elsewhere_or_without_its_person_is_refused(
    changes: dict[str, Any],
) -> None:
    device = authenticator(**changes)
    with pytest.raises(SignatureRefused):
        check(device, signed(device))


def test_an_enrolment_is_no_signature() -> None:
    device = authenticator()
    options = {"challenge": bytes_to_base64url(challenge_for(DOCUMENT))}
    created = device.create(options)["response"]["clientDataJSON"]
    assertion = dataclasses.replace(
        signed(device), client_data_json=base64url_to_bytes(created)
    )
    with pytest.raises(SignatureRefused):
        check(device, assertion)


@pytest.mark.parametrize(
    "part", ["authenticator_data", "client_data_json", "signature"]
)
def test_one_flipped_bit_breaks_it(part: str) -> None:
    device = authenticator()
    assertion = signed(device)
    whole: bytes = getattr(assertion, part)
    for place in range(0, len(whole), 7):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        changed = dataclasses.replace(assertion, **{part: bytes(flipped)})
        with pytest.raises(SignatureRefused):
            check(device, changed)


@pytest.mark.parametrize(
    "response", ["", "null", "[]", "{}", '{"id": "aa"}', '{"id": 1, "response": {}}']
)
def test_what_is_no_assertion_is_refused(response: str) -> None:
    with pytest.raises(SignatureRefused):
        Assertion.from_response(response)


def test_a_software_authenticator_survives_being_put_away() -> None:
    device = authenticator()
    first = signed(device)
    again = SoftwareAuthenticator.load(device.dump())
    assert check(again, first)
    assert check(again, signed(again), last_sign_count=1).sign_count == 2
