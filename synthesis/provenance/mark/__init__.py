"""The invisible mark: a 64-bit id, provable by key, that lives in the luma.

A keyed pattern of sinusoids on a lattice is added to every frame just under what the
eye sees (RESEARCH section 5). It survives ordinary encoding, scaling and cropping. It
is robust, not secret: who knows the tile can average it out of a still shot.
"""

from synthesis.provenance.mark.detection import Detection, detect
from synthesis.provenance.mark.embed import ALGORITHM, Embedder, capacity_ok

__all__ = ["ALGORITHM", "Detection", "Embedder", "capacity_ok", "detect"]
