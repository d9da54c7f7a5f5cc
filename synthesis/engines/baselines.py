"""What the native engine must beat: the same crops, masks and blending, other pixels.

Only what is drawn into the hole differs, so a difference in the figures is one of the
drawing. For evaluation; no render of a production uses these.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthesis.engines.native import NativeEngine


class RetrievalEngine(NativeEngine):
    """Pastes the reference whose lip code is nearest, in the target's pose and light.

    References, their choice in time and their colour gain are the native engine's. Of
    the jaw line it has no opinion, so the filmed one stands.
    """

    name = "retrieval"

    def _draw(
        self,
        crops: NDArray[np.uint8],
        references: NDArray[np.float32],
        codes: NDArray[np.float32],
        reference_codes: NDArray[np.float32],
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """See NativeEngine."""
        pasted = references[:, 0].round().clip(0, 255).astype(np.uint8)
        return pasted, np.zeros(crops.shape[:3], np.float32)
