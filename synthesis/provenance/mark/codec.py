"""From a mark id to code bits and, through noise, back.

Payload: 64-bit id, then a 40-bit keyed MAC of it; 12 zero bits end the code. Rate-1/4
convolutional code of constraint length 13 (generators 11145, 12477, 15537, 16727 octal,
Larsen 1973), soft Viterbi decoding: half a decibel better than the usual length 9, for
5 ms a decode. A decode of noise passes the MAC with probability 2**-40.
"""

from __future__ import annotations

import hashlib
import hmac
from itertools import product

import numpy as np
from numpy.typing import NDArray

ID_BYTES = 8
MAC_BYTES = 5
TAIL_BITS = 12
RATE = 4
GENERATORS = (0o11145, 0o12477, 0o15537, 0o16727)
MESSAGE_BITS = 8 * (ID_BYTES + MAC_BYTES)
CODE_BITS = RATE * (MESSAGE_BITS + TAIL_BITS)

_STATES = 1 << TAIL_BITS


def _output_signs() -> NDArray[np.float32]:
    """(8192, 4) code bits as +-1 for every register: newest bit on top, then state."""
    registers = np.arange(2 * _STATES)
    parity = [
        np.array([(int(r) & g).bit_count() & 1 for r in registers]) for g in GENERATORS
    ]
    return (1 - 2 * np.stack(parity, axis=1)).astype(np.float32)


_SIGNS = _output_signs()
_BRANCH = ((_SIGNS < 0) @ (8, 4, 2, 1)).astype(np.intp)
"""Which of the 16 branch metrics of a step each register takes."""
_METRICS = np.array(list(product((1, -1), repeat=RATE)), np.float32)


def mac(key: bytes, mark_id: bytes) -> bytes:
    """Return the 40 bits that prove `mark_id` was written with `key`."""
    return hmac.digest(key, b"lipweb-mark-v2 id\n" + mark_id, hashlib.sha256)[
        :MAC_BYTES
    ]


def encode(key: bytes, mark_id: bytes) -> NDArray[np.float32]:
    """Return CODE_BITS values of +1 (bit 0) or -1 (bit 1) for an 8-byte id."""
    if len(mark_id) != ID_BYTES:
        raise ValueError(f"a mark id has {ID_BYTES} bytes, not {len(mark_id)}")
    message = np.frombuffer(mark_id + mac(key, mark_id), np.uint8)
    bits = np.concatenate([np.unpackbits(message), np.zeros(TAIL_BITS, np.uint8)])
    state = 0
    signs = np.empty((len(bits), RATE), np.float32)
    for step, bit in enumerate(bits):
        register = (int(bit) << TAIL_BITS) | state
        signs[step] = _SIGNS[register]
        state = register >> 1
    return signs.ravel()


def decode(key: bytes, soft: NDArray[np.float32]) -> bytes | None:
    """Return the id in CODE_BITS soft values (sign as in encode), or None.

    None unless the MAC under `key` holds. The scale of `soft` does not matter.
    """
    message = np.packbits(_viterbi(soft.reshape(-1, RATE))[:MESSAGE_BITS]).tobytes()
    mark_id, proof = message[:ID_BYTES], message[ID_BYTES:]
    return mark_id if hmac.compare_digest(proof, mac(key, mark_id)) else None


def _viterbi(soft: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Most likely bits for soft values (steps, RATE); starts and ends in state 0.

    A register is the new bit on top of the state, twelve bits with the newest on top;
    shifted right it is the next state. So the two ways into a state are neighbours.
    """
    steps = len(soft)
    metrics = soft.astype(np.float32) @ _METRICS.T
    second = np.empty((steps, _STATES), np.bool_)
    score = np.full(_STATES, -1e30, np.float32)
    score[0] = 0.0
    for step in range(steps):
        ways = metrics[step].take(_BRANCH).reshape(2, _STATES)
        ways += score
        first, other = ways.reshape(-1, 2).T
        np.greater(other, first, out=second[step])
        score = np.maximum(first, other)
    bits = np.empty(steps, np.uint8)
    state = 0
    for step in reversed(range(steps)):
        bits[step] = state >> (TAIL_BITS - 1)
        state = (2 * state + int(second[step, state])) % _STATES
    return bits
