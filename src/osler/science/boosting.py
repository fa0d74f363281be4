"""Which boosted trees forecast best? Histogram gradient boosting by scikit-learn, turned into arrays of our own."""

# scikit-learn ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false, reportMissingImports=false

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.errors import IntegrityBroken, Misconfigured
from osler.science.threads import one_thread
from osler.science.trees import LEAF, Boosted, Tree, logits_of

Floats = npt.NDArray[np.float64]

TREES = 200
RATE = 0.06
LEAVES = 15
MIN_LEAF = 100
L2 = 5.0
CHECKED_ROWS = 500
AVAILABLE = find_spec("sklearn") is not None


def fit(rows: Floats, outcome: Floats, *, seed: int = 0, weight: Floats | None = None) -> Boosted:
    """200 trees of 15 leaves at rate .06, each leaf on at least 100 rows, L2 penalty 5; no early stopping.

    Shapes: rows (n, features), outcome (n,) of 0 and 1, weight (n,) of each row, 1 where not given. What is returned
    needs no scikit-learn to forecast.
    Errors: Misconfigured without the `fit` extra; IntegrityBroken if the arrays did not forecast as the original does.
    Source: Friedman 2001; histograms as in LightGBM, Ke et al. 2017.
    """
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - an extra: absent where only served
    except ImportError as absent:
        raise Misconfigured("Fitting boosted trees needs the extra: pip install 'osler[fit]'.") from absent
    booster: Any = HistGradientBoostingClassifier
    with one_thread():
        made = booster(
            max_iter=TREES, learning_rate=RATE, max_leaf_nodes=LEAVES, min_samples_leaf=MIN_LEAF,
            l2_regularization=L2, early_stopping=False, random_state=seed,
        ).fit(rows, outcome, sample_weight=weight)  # fmt: skip
    baseline = float(np.ravel(made._baseline_prediction)[0])
    model = Boosted(baseline, tuple(_tree(stage[0].nodes) for stage in made._predictors))
    probe = rows[:CHECKED_ROWS]
    if float(np.abs(logits_of(model, probe) - made.decision_function(probe)).max()) > 1e-9:
        raise IntegrityBroken("Boosted trees forecast otherwise than the ones they were made from.")
    return model


def _tree(nodes: Any) -> Tree:
    is_leaf = nodes["is_leaf"].astype(bool)
    return Tree(
        feature=tuple(np.where(is_leaf, LEAF, nodes["feature_idx"]).tolist()),
        threshold=tuple(np.where(is_leaf, 0.0, nodes["num_threshold"]).tolist()),
        left=tuple(nodes["left"].astype(int).tolist()),
        right=tuple(nodes["right"].astype(int).tolist()),
        value=tuple(nodes["value"].tolist()),
    )
