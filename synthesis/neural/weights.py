"""Weight files: safetensors, each named with its SHA-256 in the folder's manifest.

A folder holds manifest.json and some of lip_code, control, renderer, references
(.safetensors), and the general one also what these are judged by: evaluator, baseline.
The general folder lies beside this file; an actor's adapted folder names the lip code
it was adapted under and is refused with another.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from torch import Tensor, nn

from synthesis.errors import SynthesisError
from synthesis.neural.baseline import BaselineConfig, MaskedUNet
from synthesis.neural.control import ControlConfig, SoundToLips
from synthesis.neural.evaluator import Evaluator, EvaluatorConfig
from synthesis.neural.lipcode import LipCode
from synthesis.neural.renderer import Renderer, RendererConfig

GENERAL = Path(__file__).parent / "weights"
MANIFEST = "manifest.json"
Config = TypeVar(
    "Config", BaselineConfig, ControlConfig, EvaluatorConfig, RendererConfig
)


class WeightsError(SynthesisError):
    """Weights are missing, changed or of another shape."""


class WeightFolder:
    """A folder of weights whose files are read only after their hash is right."""

    def __init__(self, folder: Path) -> None:
        """Read the manifest. Raises WeightsError ("weights-missing")."""
        self.folder = folder
        try:
            content = json.loads((folder / MANIFEST).read_text())
        except (OSError, ValueError) as error:
            raise WeightsError(
                "weights-missing",
                f"The folder {folder.name} holds no readable weight manifest.",
            ) from error
        self.files: dict[str, dict[str, Any]] = content["files"]
        self.base = str(content.get("lip_code_sha256", ""))
        self.style_row = int(content.get("style_row", 0))

    def __contains__(self, name: str) -> bool:
        return f"{name}.safetensors" in self.files

    def sha256(self, name: str) -> str:
        """Return the hash the manifest promises for a file."""
        return str(self.files[f"{name}.safetensors"]["sha256"])

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Load one checked file. Raises WeightsError."""
        file = f"{name}.safetensors"
        entry = self._entry(name)
        try:
            content = (self.folder / file).read_bytes()
        except OSError as error:
            raise WeightsError(
                "weights-missing", f"The weight file {file} cannot be read."
            ) from error
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise WeightsError(
                "weights-changed",
                f"The weight file {file} is not the one the manifest names. Restore "
                "it, or train and publish it again.",
            )
        try:
            return load_arrays(content)
        except SafetensorError as error:
            raise WeightsError(
                "weights-unreadable", f"The weight file {file} is damaged."
            ) from error

    def config(self, name: str) -> dict[str, Any]:
        """Return the configuration beside a network's hash. Raises WeightsError."""
        return dict(self._entry(name).get("config", {}))

    def _entry(self, name: str) -> dict[str, Any]:
        file = f"{name}.safetensors"
        if file not in self.files:
            raise WeightsError("weights-missing", f"There is no {file} in the weights.")
        return self.files[file]

    def lip_code(self) -> LipCode:
        """Load the lip code."""
        arrays = self.arrays("lip_code")
        return LipCode(arrays["axes"], arrays["spread"])

    def control(self) -> SoundToLips:
        """Load audio encoder and control network, ready for inference."""
        network = SoundToLips(_config(ControlConfig, self.config("control")))
        return _filled(network, self.arrays("control"), "control")

    def renderer(self) -> Renderer:
        """Load the renderer, ready for inference."""
        network = Renderer(_config(RendererConfig, self.config("renderer")))
        network = _filled(network, self.arrays("renderer"), "renderer")
        return channels_last(network)

    def evaluator(self) -> Evaluator:
        """Load the evaluator, ready to judge."""
        network = Evaluator(_config(EvaluatorConfig, self.config("evaluator")))
        return _filled(network, self.arrays("evaluator"), "evaluator")

    def baseline(self) -> MaskedUNet:
        """Load the end-to-end baseline, ready for inference."""
        network = MaskedUNet(_config(BaselineConfig, self.config("baseline")))
        network = _filled(network, self.arrays("baseline"), "baseline")
        return channels_last(network)


Network = TypeVar("Network", bound=nn.Module)


def channels_last(network: Network) -> Network:
    """Lay convolution weights out channels last: twice as fast on a CPU."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def _filled(network: Network, arrays: Mapping[str, NDArray[Any]], name: str) -> Network:
    tensors = {key: torch.from_numpy(a.astype(np.float32)) for key, a in arrays.items()}
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise WeightsError(
            "weights-shape",
            f"The {name} weights are from another version and do not fit.",
        ) from error
    return network.eval().requires_grad_(False)


def _config(kind: Callable[..., Config], values: Mapping[str, Any]) -> Config:
    lists = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    try:
        return kind(**lists)
    except TypeError as error:
        raise WeightsError(
            "weights-shape",
            "The weights name settings that this version does not know.",
        ) from error


def publish(
    folder: Path,
    name: str,
    arrays: Mapping[str, NDArray[Any] | Tensor],
    config: BaselineConfig
    | ControlConfig
    | EvaluatorConfig
    | RendererConfig
    | None = None,
    training: Mapping[str, Any] | None = None,
    **facts: str | int,
) -> None:
    """Write one weight file, floats as float16, and enter it into the manifest.

    training: how the file came about (stages.training_facts), for the model card.
    facts: entries of the manifest itself: `lip_code_sha256` (of the lip code an actor's
    folder was adapted under), `style_row` (of the control network's style table).
    """
    folder.mkdir(parents=True, exist_ok=True)
    content = save_arrays({key: _stored(value) for key, value in arrays.items()})
    _write(folder / f"{name}.safetensors", content)
    path = folder / MANIFEST
    manifest = json.loads(path.read_text()) if path.exists() else {"files": {}}
    manifest["files"][f"{name}.safetensors"] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        **({"config": asdict(config)} if config else {}),
        **({"training": dict(training)} if training else {}),
    }
    manifest.update(facts)
    _write(path, (json.dumps(manifest, indent=2, sort_keys=True) + "\n").encode())


def _stored(value: NDArray[Any] | Tensor) -> NDArray[Any]:
    array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
    # Small ones (the lip code, biases) stay exact: half a file is saved all the same.
    large_float = array.dtype == np.float32 and array.size > 20_000
    return np.ascontiguousarray(array.astype(np.float16) if large_float else array)


def _write(path: Path, content: bytes) -> None:
    partial = path.with_suffix(".part")
    partial.write_bytes(content)
    os.replace(partial, path)
