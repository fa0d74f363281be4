"""A small logistic regression: penalised, by Newton's method, for a handful of features."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science.logits_many import sigmoid_many

Floats = npt.NDArray[np.float64]

ROUNDS = 100
TOLERANCE = 1e-9


def fit(features: Floats, outcome: Floats, *, c: float = 1.0) -> Floats:
    """Weights, the intercept last, that minimise ½|w|² + c Σ log loss; the intercept is not penalised.

    Shapes: features (n, k), outcome (n,) of 0 and 1; gives (k + 1,).
    Errors: InvalidModelInput where there is no row. One outcome only is no error: a weak pull on the intercept keeps
    it finite.
    Source: Hoerl & Kennard 1970 (ridge), by iteratively reweighted least squares with halved steps.
    """
    if outcome.size == 0:
        raise InvalidModelInput("A logistic regression needs at least one row.")
    design = np.column_stack([features, np.ones(outcome.size)])
    pull = np.full(design.shape[1], 1.0)
    pull[-1] = 1e-6
    weights = np.zeros(design.shape[1])

    def value_at(w: Floats) -> float:
        x = design @ w
        return float(c * np.sum(np.logaddexp(0.0, x) - outcome * x) + 0.5 * np.sum(pull * w**2))

    value = value_at(weights)
    for _ in range(ROUNDS):
        chance = sigmoid_many(design @ weights)
        slope = c * (design.T @ (chance - outcome)) + pull * weights
        curvature = c * (design.T * (chance * (1.0 - chance))) @ design + np.diag(pull)
        step = np.asarray(np.linalg.solve(curvature, slope), dtype=np.float64)
        weights, moved = _halved(value_at, weights, step, value)
        if value - moved < TOLERANCE * max(1.0, abs(value)):
            break
        value = moved
    return weights


def predict(features: Floats, weights: Floats) -> Floats:
    """The chance of each row. Shapes: (n, k) and (k + 1,)."""
    return sigmoid_many(features @ weights[:-1] + weights[-1])


def _halved(value_at: Callable[[Floats], float], weights: Floats, step: Floats, value: float) -> tuple[Floats, float]:
    """The weights after a step, halved until it does not make things worse."""
    for _ in range(30):
        tried = weights - step
        moved = value_at(tried)
        if moved <= value:
            return tried, moved
        step = step / 2.0
    return weights, value
