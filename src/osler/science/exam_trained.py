"""What do the brief's eight features say about an exam? The trained logistic regression or forest, as plain numbers.

Fitted by `osler.evaluate.exam_training` and served only where it beat the closed form and the base rate on exams that
it had not seen; no learning library is needed to serve it. Missing features are the population's median, with an
indicator beside it. The closed form's own logit of passing is a ninth feature.
Sources: logistic regression, Cox 1958; random forest, Breiman 2001; ridge, Hoerl & Kennard 1970.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput
from osler.science import trees
from osler.science.trees import Boosted, logits_of

Floats = npt.NDArray[np.float64]

FEATURES = 8
COLUMNS = 2 * FEATURES + 1
CLIP = 1e-4


class Scaling(msgspec.Struct, frozen=True):
    """Median of each feature in training, then mean and spread of each of the 17 design columns."""

    medians: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]


class TrainedExam(msgspec.Struct, frozen=True):
    """A trained exam model. Logistic: `weights` and ridge `score_weights`, intercept last; forest: trees of each.

    A forest is kept as trees whose values are already divided by their number, so that their sum is the forecast.
    """

    kind: Literal["logistic", "random_forest"]
    scaling: Scaling
    weights: tuple[float, ...] = ()
    score_weights: tuple[float, ...] = ()
    forest: Boosted | None = None
    score_forest: Boosted | None = None
    trained_until: str = ""
    outcomes: int = 0


def _filled(features: Floats, closed_form: Floats, medians: Floats) -> Floats:
    missing = ~np.isfinite(features)
    inside = np.clip(closed_form, CLIP, 1 - CLIP)
    logit = np.log(inside / (1 - inside))
    return np.column_stack([np.where(missing, medians, features), missing.astype(np.float64), logit])


def learn_scaling(features: Floats, closed_form: Floats) -> Scaling:
    """From training rows. Shapes: (n, 8) with NaN where missing, (n,)."""
    columns = [column[np.isfinite(column)] for column in features.T]
    medians = np.array([float(np.median(column)) if column.size else 0.0 for column in columns])
    filled = _filled(features, closed_form, medians)
    spread = filled.std(axis=0)
    return Scaling(
        tuple(medians.tolist()), tuple(filled.mean(axis=0).tolist()),
        tuple(np.where(spread > 1e-9, spread, 1.0).tolist()),
    )  # fmt: skip


def design(features: Floats, closed_form: Floats, scaling: Scaling) -> Floats:
    """The 17 standardised columns: eight features, eight indicators of missing, logit of the closed form.

    Errors: InvalidModelInput where the shape is not (n, 8).
    """
    if features.ndim != 2 or features.shape[1] != FEATURES:
        raise InvalidModelInput("The exam model takes eight features a learner.")
    filled = _filled(features, closed_form, np.array(scaling.medians))
    return (filled - np.array(scaling.mean)) / np.array(scaling.spread)


def as_trees_read(rows: Floats) -> Floats:
    """The rows in the precision that forests were grown in (single), so that a walk takes the same turns."""
    return rows.astype(np.float32).astype(np.float64)


def probability(model: TrainedExam, features: Floats, closed_form: Floats) -> Floats:
    """`exam_ready_probability` of each learner, (n,)."""
    rows = design(features, closed_form, model.scaling)
    if model.forest is not None:
        return np.clip(logits_of(model.forest, as_trees_read(rows)), 0.0, 1.0)
    weights = np.array(model.weights)
    return 1 / (1 + np.exp(-(rows @ weights[:-1] + weights[-1])))


def predicted_score(model: TrainedExam, features: Floats, closed_form: Floats) -> Floats | None:
    """`predicted_score` as a share of points, (n,); None where no scores were known in training."""
    rows = design(features, closed_form, model.scaling)
    if model.score_forest is not None:
        return np.clip(logits_of(model.score_forest, as_trees_read(rows)), 0.0, 1.0)
    if not model.score_weights:
        return None
    weights = np.array(model.score_weights)
    return np.clip(rows @ weights[:-1] + weights[-1], 0.0, 1.0)


def encode(model: TrainedExam) -> bytes:
    """The model as JSON, for a signed model file."""
    return msgspec.json.encode(model)


def decode(raw: bytes) -> TrainedExam:
    """A model from JSON. Errors: InvalidModelInput where it could not forecast."""
    try:
        model = msgspec.json.decode(raw, type=TrainedExam)
    except msgspec.MsgspecError as error:
        raise InvalidModelInput(f"This is no exam model: {error}") from error
    check(model)
    return model


def check(model: TrainedExam) -> None:
    """Refuse a model that could not forecast. Errors: InvalidModelInput, saying what is wrong."""
    scaling = model.scaling
    if len(scaling.medians) != FEATURES or len(scaling.mean) != COLUMNS or len(scaling.spread) != COLUMNS:
        raise InvalidModelInput("An exam model scales eight features into 17 columns.")
    numbers = [*scaling.medians, *scaling.mean, *scaling.spread, *model.weights, *model.score_weights]
    if not np.isfinite(numbers).all() or min(scaling.spread) <= 0:
        raise InvalidModelInput("An exam model's numbers must be finite, its spreads above 0.")
    if (model.forest is None) != (model.kind == "logistic") or (not model.forest and len(model.weights) != COLUMNS + 1):
        raise InvalidModelInput("An exam model holds either 18 weights or a forest, as its kind says.")
    if len(model.score_weights) not in {0, COLUMNS + 1}:
        raise InvalidModelInput("A ridge model of the score holds 18 weights.")
    for forest in (model.forest, model.score_forest):
        if forest is not None:
            trees.check(forest, COLUMNS)
