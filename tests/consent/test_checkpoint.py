"""A checkpoint says one thing in one spelling, and only its key can say it."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consent.checkpoint import (
    LedgerKey,
    LedgerSigner,
    checkpoint_read,
    checkpoint_sign,
    verify_checkpoint,
)
from consent.encoding import base64_bytes
from consent.errors import ConsentError, LedgerBroken, RecordRefused

SIGNER = LedgerSigner.new("lips.example.com/ledger")
ROOT = bytes(range(32))
NOTE = checkpoint_sign(size=7, root=ROOT, signer=SIGNER)


def test_a_note_has_the_form_of_transparency_logs() -> None:
    lines = NOTE.split("\n")
    assert lines[:2] == ["lips.example.com/ledger", "7"]
    assert base64_bytes(lines[2]) == ROOT
    assert lines[3] == ""
    assert lines[4].startswith("— lips.example.com/ledger ")
    assert lines[5:] == [""]
    # The signature is plain Ed25519 over the text before the empty line.
    stamp = base64_bytes(lines[4].split(" ")[2])
    public = Ed25519PublicKey.from_public_bytes(SIGNER.key.public)
    public.verify(stamp[4:], "\n".join([*lines[:3], ""]).encode())


def test_the_key_is_written_as_the_standard_s_own_example() -> None:
    # From the documentation of golang.org/x/mod/sumdb/note.
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    key = LedgerKey.from_text(text)
    assert key.name == "PeterNeumann"
    assert key.text == text
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = (
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb"
        "6KE6RyyBwJnAM="
    )
    stamp = base64_bytes(signature)
    assert stamp[:4] == key.key_id
    Ed25519PublicKey.from_public_bytes(key.public).verify(stamp[4:], note.encode())


def test_a_signed_checkpoint_reads_back() -> None:
    checkpoint = verify_checkpoint(NOTE, SIGNER.key)
    assert (checkpoint.size, checkpoint.root) == (7, ROOT)
    assert LedgerSigner.from_text(SIGNER.text + "\n") == SIGNER
    assert LedgerKey.from_text(SIGNER.key.text) == SIGNER.key


def test_the_private_key_does_not_show_itself() -> None:
    assert SIGNER.seed.hex() not in repr(SIGNER)
    assert repr(SIGNER.seed) not in repr(SIGNER)


def test_a_witness_may_sign_as_well() -> None:
    witness = LedgerSigner.new("witness.example.org")
    stamp = checkpoint_sign(size=7, root=ROOT, signer=witness).split("\n")[4]
    assert verify_checkpoint(NOTE + stamp + "\n", SIGNER.key).size == 7
    first = NOTE.replace("\n\n", f"\n\n{stamp}\n")
    assert verify_checkpoint(first, SIGNER.key).size == 7


def test_another_key_of_the_same_name_is_another_key() -> None:
    with pytest.raises(LedgerBroken):
        verify_checkpoint(NOTE, LedgerSigner.new(SIGNER.key.name).key)


def test_a_checkpoint_of_another_ledger_is_refused() -> None:
    other = LedgerSigner(
        key=LedgerKey(name="other", public=SIGNER.key.public), seed=SIGNER.seed
    )
    with pytest.raises(LedgerBroken):
        verify_checkpoint(checkpoint_sign(size=7, root=ROOT, signer=other), SIGNER.key)


def test_no_letter_of_a_note_can_be_another() -> None:
    for place, letter in enumerate(NOTE):
        for other in {"A", "B", "0", " ", "\n", "+", chr(ord(letter) ^ 1)} - {letter}:
            with pytest.raises(ConsentError):
                verify_checkpoint(NOTE[:place] + other + NOTE[place + 1 :], SIGNER.key)


@pytest.mark.parametrize(
    "note",
    [
        "",
        NOTE[:-1],
        NOTE + NOTE,
        NOTE.replace("\n7\n", "\n07\n"),
        NOTE.replace("\n7\n", "\n-7\n"),
        NOTE.replace("\n7\n", "\n٧\n"),
        NOTE.replace("\n\n", "\nmore\n\n"),
        NOTE.split("—")[0],
        NOTE + "x" * 70_000,
    ],
)
def test_what_is_not_spelt_as_a_note_is_none(note: str) -> None:
    with pytest.raises(RecordRefused):
        checkpoint_read(note)


@pytest.mark.parametrize(
    "text",
    ["", "x", "a+b+c", SIGNER.key.text + "="],
    ids=["nothing", "a letter", "not base64", "padded twice"],
)
def test_what_is_not_a_key_is_refused(text: str) -> None:
    with pytest.raises(RecordRefused):
        LedgerKey.from_text(text)
    with pytest.raises(RecordRefused):
        LedgerSigner.from_text(text)


@pytest.mark.parametrize("text", ["AB==", "AA", "AA==\n", " AA==", "A-_=", "é"])
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(RecordRefused):
        base64_bytes(text)
