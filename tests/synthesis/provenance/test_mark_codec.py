"""The payload: id, proof and error correction."""

from __future__ import annotations

import numpy as np
import pytest

from synthesis.provenance.mark import codec
from synthesis.provenance.mark.lattice import CARRIERS, PILOTS, lattice_for
from tests.synthesis.provenance.conftest import MARK_ID, MARK_KEY

GOLDEN_MAC = "b42fd66e07"
GOLDEN_CODE = "0000000f3554414ab3eaf860c29a510b"
GOLDEN_PILOTS = [16, 47, 111, 186, 188, 189]
GOLDEN_BITS = [388, 416, 276, 48, 248, 424]


def test_what_is_encoded_comes_back() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        mark_id = rng.bytes(8)
        assert codec.decode(MARK_KEY, codec.encode(MARK_KEY, mark_id)) == mark_id


def test_the_code_corrects_noise_as_strong_as_itself() -> None:
    rng = np.random.default_rng(1)
    sent = codec.encode(MARK_KEY, MARK_ID)
    for _ in range(20):
        heard = sent + rng.normal(0, 1.0, sent.shape).astype(np.float32)
        assert codec.decode(MARK_KEY, heard) == MARK_ID


def test_the_code_fills_in_half_of_its_bits() -> None:
    sent = codec.encode(MARK_KEY, MARK_ID).reshape(-1, codec.RATE).copy()
    sent[:, 2:] = 0.0
    assert codec.decode(MARK_KEY, sent.ravel()) == MARK_ID


def test_noise_is_never_an_id() -> None:
    rng = np.random.default_rng(2)
    noise = rng.normal(0, 1, (300, codec.CODE_BITS)).astype(np.float32)
    assert all(codec.decode(MARK_KEY, soft) is None for soft in noise)


def test_another_key_does_not_prove_the_id() -> None:
    assert codec.decode(b"x" * 32, codec.encode(MARK_KEY, MARK_ID)) is None


def test_the_payload_of_a_key_never_changes() -> None:
    """A mark of today is read in ten years: key, id and bits are for good."""
    code = codec.encode(MARK_KEY, MARK_ID)
    assert codec.mac(MARK_KEY, MARK_ID).hex() == GOLDEN_MAC
    assert np.packbits(code < 0).tobytes().hex()[:32] == GOLDEN_CODE
    lattice = lattice_for(MARK_KEY)
    assert lattice.pilots[:6].tolist() == GOLDEN_PILOTS
    assert lattice.code_bit[:6].tolist() == GOLDEN_BITS


def test_an_id_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        codec.encode(MARK_KEY, b"short")


def test_carriers_stay_off_the_axes_and_no_two_are_mirror_images() -> None:
    assert (CARRIERS != 0).all()
    points = {tuple(point) for point in CARRIERS.tolist()}
    assert len(points) == len(CARRIERS) == 574
    assert not any((-across, -down) in points for across, down in points)


def test_every_code_bit_has_a_carrier_and_pilots_carry_none() -> None:
    lattice = lattice_for(MARK_KEY)
    assert set(lattice.code_bit.tolist()) == set(range(codec.CODE_BITS))
    assert len(set(lattice.pilots.tolist())) == PILOTS
    assert not set(lattice.pilots.tolist()) & set(lattice.data.tolist())


def test_two_keys_share_no_pattern() -> None:
    one, other = lattice_for(b"1" * 32), lattice_for(b"2" * 32)
    likeness = abs(np.mean(np.exp(1j * (one.phases - other.phases))))
    assert likeness < 0.12
