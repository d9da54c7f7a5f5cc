"""Who is compared in an evaluation: the rows of its table, from weights on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synthesis.engines.baselines import RetrievalEngine, UNetEngine
from synthesis.engines.native import NativeEngine
from synthesis.engines.trial import Trial
from synthesis.neural import targets
from synthesis.neural.lipcode import LipCode
from synthesis.neural.material import Contender, SyncJudge, unmodified
from synthesis.neural.sync import EvaluatorSays
from synthesis.neural.weights import WeightFolder


@dataclass(frozen=True)
class Lineup:
    """Contenders, real video first. missing: what is not there -> why."""

    contenders: list[Contender]
    missing: dict[str, str]
    lip_code: LipCode
    judge: SyncJudge | None
    weights_sha256: str


def lineup(
    weights: Path,
    actor: tuple[Path | None, Path | None],
    *,
    other_footage_only: bool = False,
    threads: int = 1,
) -> Lineup:
    """Load every engine there are weights for.

    actor: the actor's weights to judge by, and the same without adaptation to be
    shown beside. other_footage_only: no reference from the clip itself, where the
    actor's weights bring some. Raises WeightsError.
    """
    learned, plain = actor
    general = WeightFolder(weights)
    ours = NativeEngine.load(weights, learned, threads)
    retrieval = RetrievalEngine.load(weights, learned, threads)
    engines = [ours, retrieval]
    rows = [
        Contender(targets.REAL, unmodified),
        Contender(targets.OURS, Trial(ours)),
        Contender(targets.OURS_TRUE, Trial(ours), true_codes=True),
    ]
    if plain is not None:
        before = NativeEngine.load(weights, plain, threads)
        engines.append(before)
        rows += [
            Contender(targets.PLAIN, Trial(before)),
            Contender(targets.PLAIN_TRUE, Trial(before), true_codes=True),
        ]
    rows += [
        Contender(targets.RETRIEVAL, Trial(retrieval)),
        Contender(targets.RETRIEVAL_TRUE, Trial(retrieval), true_codes=True),
    ]
    missing = {}
    if "baseline" in general:
        rows.append(Contender(targets.UNET, Trial(UNetEngine.load(weights))))
    else:
        missing[targets.UNET] = "these weights hold no baseline (train baseline)."
    judge = None
    if "evaluator" in general:
        judge = EvaluatorSays(general.evaluator())
    else:
        missing["sync"] = "these weights hold no evaluator (train evaluator)."
    for engine in engines:
        engine.scene_pictures = not other_footage_only
    return Lineup(rows, missing, general.lip_code(), judge, ours.weights_sha256)
