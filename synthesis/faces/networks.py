"""The two face networks beside this file, checked by hash and ready to run."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from synthesis.errors import SynthesisError

MODELS = Path(__file__).parent / "models"
SHA256 = {
    "face_detection_full_range_sparse.tflite": (
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1"
    ),
    "face_landmark.tflite": (
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"
    ),
}


class FaceNetworkError(SynthesisError):
    """A face network is missing or is not the file it should be."""


class FaceNetwork:
    """One LiteRT network with one image input. Not thread-safe."""

    def __init__(
        self,
        name: str,
        *,
        folder: Path = MODELS,
        threads: int = 1,
        inner: Sequence[str] = (),
    ) -> None:
        """inner: tensors on the way, to be read by inner() after a run; such a network
        runs without the faster kernels, which keep nothing."""
        model = _checked(folder / name, SHA256[name])
        kernels = (
            OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            if inner
            else OpResolverType.AUTO
        )
        self._interpreter = Interpreter(
            model_content=model,
            num_threads=threads,
            experimental_op_resolver_type=kernels,
            experimental_preserve_all_tensors=bool(inner),
        )
        self._interpreter.allocate_tensors()
        places = {
            tensor["name"]: tensor["index"]
            for tensor in self._interpreter.get_tensor_details()
        }
        self._inner = [places[name] for name in inner]
        self._input = self._interpreter.get_input_details()[0]
        self._outputs = self._interpreter.get_output_details()
        self.side_px = int(self._input["shape"][1])

    def __call__(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run on float32 (side, side, 3) RGB; the outputs in the file's order."""
        self._interpreter.set_tensor(self._input["index"], image[None])
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(out["index"]) for out in self._outputs]

    def inner(self) -> list[NDArray[np.float32]]:
        """The inner tensors of the last run, each (h, w, channels)."""
        return [self._interpreter.get_tensor(place)[0] for place in self._inner]


def _checked(path: Path, sha256: str) -> bytes:
    if not path.is_file():
        raise FaceNetworkError(
            "face-network-missing",
            f"The face network {path.name} is missing. Check the project out again.",
        )
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FaceNetworkError(
            "face-network-changed",
            f"The face network {path.name} is not the file this project was built "
            "with. Check the project out again.",
        )
    return content
