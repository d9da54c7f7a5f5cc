"""Codes as they are kept beside a render, without the network that made them.

Little-endian: SHA-256 of the lip code's file (32 bytes) | float16 (n, CODE_SIZE).
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as load_arrays

from synthesis.errors import SynthesisError
from synthesis.neural.lipcode import CODE_SIZE, LipCode

LIP_CODE = Path(__file__).parents[1] / "neural/weights/lip_code.safetensors"
_HASH_BYTES = 32


class PerformanceError(SynthesisError):
    """A performance cannot be handed out; `code` is stable, `sentence` says why."""


def codes_pack(codes: NDArray[np.floating]) -> bytes:
    """Return codes (n, CODE_SIZE) of the lip code in use as bytes to keep."""
    _, sha256 = lip_code_in_use()
    return sha256 + np.ascontiguousarray(codes, "<f2").tobytes()


def codes_unpack(kept: bytes) -> NDArray[np.float32]:
    """Return float32 (n, CODE_SIZE). Raises PerformanceError: "no-performance" where
    nothing was kept, "other-lip-code" where the axes have changed since."""
    if len(kept) <= _HASH_BYTES:
        raise PerformanceError(
            "no-performance",
            "This version was made before performances were kept. Render a new version "
            "and download that.",
        )
    _, sha256 = lip_code_in_use()
    if kept[:_HASH_BYTES] != sha256:
        raise PerformanceError(
            "other-lip-code",
            "This version was made with other networks than are now in use. Render a "
            "new version and download that.",
        )
    rows = np.frombuffer(kept[_HASH_BYTES:], "<f2").reshape(-1, CODE_SIZE)
    return rows.astype(np.float32)


@cache
def lip_code_in_use() -> tuple[LipCode, bytes]:
    """Return the general lip code and its file's SHA-256, digest bytes.

    Not through weights.WeightFolder: that one loads the networks' library, which a web
    process has no use for.
    """
    content = LIP_CODE.read_bytes()
    arrays = load_arrays(content)
    return LipCode(arrays["axes"], arrays["spread"]), hashlib.sha256(content).digest()
