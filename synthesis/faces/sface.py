"""OpenCV Zoo's SFace network (Apache-2.0), which an operator may put in place.

It is not in the repository: 37 MB, and learned from pictures of people who were not
asked. Zhong, Deng, Hu, Zhao, Li, Wen: "SFace", IEEE TIP 2021.
"""

from __future__ import annotations

import hashlib
import shutil
import urllib.request
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from synthesis.errors import SynthesisError
from synthesis.faces.features import FaceFeatures, ShippedFeatures, Vectors, unit
from synthesis.faces.portraits import Portraits
from synthesis.media.aside import written_aside

NAME: Final = "face_recognition_sface_2021dec.onnx"
SHA256: Final = "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79"
BYTES: Final = 38_696_353
"""Both as in the Git LFS pointer of the file in github.com/opencv/opencv_zoo,
models/face_recognition_sface, commit edef5353."""
SAME_FROM: Final = 0.363
"""The cosine from which the makers call two faces the same (opencv_zoo, sface.py)."""
OTHER_BELOW: Final = 0.2
"""Below it a mismatch is said, between the two that nothing could be told: ours, on
the careful side, not measured."""


class SFaceFeatures:
    """SFace through cv2.FaceRecognizerSF. Not thread-safe."""

    name = "sface"
    sha256 = SHA256
    same_from = SAME_FROM
    other_below = OTHER_BELOW

    def __init__(self, path: Path) -> None:
        """Raises SynthesisError unless the file is exactly the one named here."""
        _require_known(path)
        self._network = cv2.FaceRecognizerSF.create(str(path), "")

    def describe(self, portraits: Portraits) -> Vectors:
        rows = []
        for picture, points in zip(portraits.pictures, portraits.points, strict=True):
            bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
            # A row of cv2.FaceDetectorYN: box, five points, score.
            face = np.concatenate([[0, 0, 0, 0], points.reshape(-1), [1.0]])
            aligned = self._network.alignCrop(bgr, face.astype(np.float32))
            rows.append(self._network.feature(aligned).reshape(-1).copy())
        return unit(np.stack(rows))


def best_features(folder: Path) -> FaceFeatures:
    """SFace where it is in place, else what ships."""
    path = folder / NAME
    return SFaceFeatures(path) if path.exists() else ShippedFeatures()


def features_named(sha256: str, folder: Path) -> FaceFeatures | None:
    """The features by which something was measured, if they can still be had."""
    if sha256 == SHA256:
        path = folder / NAME
        return SFaceFeatures(path) if path.exists() else None
    shipped = ShippedFeatures()
    return shipped if shipped.sha256 == sha256 else None


def install(path: Path, folder: Path) -> None:
    """Put a copy of the network in place; another file is refused."""
    _require_known(path)
    folder.mkdir(parents=True, exist_ok=True)
    with path.open("rb") as source, written_aside(folder / NAME) as target:
        shutil.copyfileobj(source, target)


def download(url: str, folder: Path) -> None:
    """Fetch the network over https and put it in place, if it is the right file."""
    if not url.startswith("https://"):
        raise SynthesisError("not-https", "Give an address that begins with https://.")
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{NAME}.part"
    try:
        with (
            urllib.request.urlopen(url, timeout=60) as answer,  # noqa: S310 - https
            draft.open("wb") as file,
        ):
            while chunk := answer.read(1 << 20):
                file.write(chunk)
                if file.tell() > BYTES:
                    break
        install(draft, folder)
    except OSError as error:
        raise SynthesisError(
            "not-fetched",
            f"The network could not be fetched: {error}. Download it"
            " elsewhere and give it with --file.",
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def _require_known(path: Path) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise SynthesisError("no-file", f"{path.name} cannot be read.") from error
    if found != SHA256:
        raise SynthesisError(
            "not-the-network",
            f"{path.name} is not OpenCV Zoo's {NAME}: its SHA-256 should be {SHA256}"
            f" and is {found}. A file that begins with 'version https://git-lfs' is"
            " only a pointer: download the file itself.",
        )
