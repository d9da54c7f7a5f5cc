"""From a mark id to code bits and, through noise, back.

Payload: 64-bit id, then a 40-bit keyed MAC of it; 8 zero bits end the code. Rate-1/4
convolutional code of constraint length 9 (generators 463, 535, 733, 745 octal), soft
Viterbi decoding. A decode of noise passes the MAC with probability 2**-40.
"""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
from numpy.typing import NDArray

ID_BYTES = 8
MAC_BYTES = 5
TAIL_BITS = 8
RATE = 4
GENERATORS = (0o463, 0o535, 0o733, 0o745)
MESSAGE_BITS = 8 * (ID_BYTES + MAC_BYTES)
CODE_BITS = RATE * (MESSAGE_BITS + TAIL_BITS)

_STATES = 1 << TAIL_BITS


def _output_signs() -> NDArray[np.float32]:
    """(512, 4) code bits as +-1 for every register: newest bit on top, then state."""
    registers = np.arange(2 * _STATES)
    parity = [
        np.array([(int(r) & g).bit_count() & 1 for r in registers]) for g in GENERATORS
    ]
    return (1 - 2 * np.stack(parity, axis=1)).astype(np.float32)


_SIGNS = _output_signs()
# A state is the last eight bits, newest on top: (state s, bit b) -> b * 128 + s // 2.
# So the two ways into state t come from 2t and 2t + 1 (mod 256), with bit t // 128.
_NEXT = np.arange(_STATES)
_BIT = _NEXT >> (TAIL_BITS - 1)
_FROM = np.stack([(2 * _NEXT) % _STATES, (2 * _NEXT + 1) % _STATES])
_REGISTER = (_BIT << TAIL_BITS) | _FROM


def mac(key: bytes, mark_id: bytes) -> bytes:
    """Return the 40 bits that prove `mark_id` was written with `key`."""
    return hmac.digest(key, b"lipweb-mark-v1 id\n" + mark_id, hashlib.sha256)[
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
    """Most likely bits for soft values (steps, RATE); starts and ends in state 0."""
    steps = len(soft)
    branch = (soft.astype(np.float32) @ _SIGNS.T)[:, _REGISTER]
    choice = np.empty((steps, _STATES), np.uint8)
    score = np.full(_STATES, -1e30, np.float32)
    score[0] = 0.0
    for step in range(steps):
        ways = score[_FROM] + branch[step]
        choice[step] = ways[1] > ways[0]
        score = np.maximum(ways[0], ways[1])
    bits = np.empty(steps, np.uint8)
    state = 0
    for step in reversed(range(steps)):
        bits[step] = _BIT[state]
        state = int(_FROM[choice[step, state], state])
    return bits
