"""What past results taught about one exam's forecasts: recalibration, widths, model error, and a trained model if any.

Everything that the serving of a forecast needs beside the closed form, as plain numbers. Made by
`osler.evaluate.exam_fitting`; read under a signature (`osler.forecasts.exam_models`).
Sources: those of `calibration`, `conformal`, `exam_score` and `exam_trained`.
"""

from __future__ import annotations

import msgspec
import numpy as np

from osler.errors import InvalidModelInput
from osler.science import exam_trained
from osler.science.calibration import Calibration, Floats
from osler.science.exam_score import Z_90
from osler.science.exam_trained import TrainedExam, probability

CLIP = 1e-4
MAX_SHIFT = 20.0


class ExamModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `outcomes` results of one exam taught. Scores are shares of points.

    `interval_factor` times the standard deviation is half of the score's 90 % interval, by cohort where one has
    enough results; `score_shift` moves expected scores, in logits, to where scores came out; `error_variance` is what
    the closed form's own variance left unexplained; `beats_base_rate` None:
    not yet to be told. `says` is the report in one sentence, `brier` the score of each forecast on results that it
    had not seen, `trained_until` the ISO day of the newest exam in it. Of `forecasts` that were served a week before
    an exam whose score is known, `held` is how many had it inside their interval.
    """

    exam_id: str
    cut: float | None
    outcomes: int
    scores: int
    calibration: Calibration
    interval_factor: float = Z_90
    cohort_factors: dict[str, float] = {}
    error_variance: float = 0.0
    beats_base_rate: bool | None = None
    trained: TrainedExam | None = None
    says: str = ""
    brier: dict[str, float] = {}
    trained_until: str = ""
    forecasts: int = 0
    held: int = 0
    score_shift: float = 0.0

    @property
    def source(self) -> str:
        """What is served: `closed_form`, or the kind of the trained model."""
        return "closed_form" if self.trained is None else self.trained.kind

    def factor(self, cohort_id: str | None) -> float:
        """The width of the score's interval in standard deviations, for a learner of a cohort."""
        return self.cohort_factors.get(cohort_id or "", self.interval_factor)


def around(value: float, centre: float, low: float, high: float) -> tuple[float, float]:
    """The interval (low, high) of a chance carried over to another value, keeping its reach in logits.

    What a trained model cannot say of itself, how far the learner's ability is known, it takes from the closed form.
    """
    shift = _logit(value) - _logit(centre)
    ends = 1 / (1 + np.exp(-(_logit(np.array([low, high])) + shift)))
    return min(value, float(ends[0])), max(value, float(ends[1]))


def trained_probability(model: TrainedExam, features: Floats, closed_form: float) -> float:
    """The trained model's chance to pass; `features` (8,) in the brief's order, NaN where missing."""
    return float(probability(model, features[None, :], np.array([closed_form]))[0])


def _logit(p: float | Floats) -> Floats:
    inside = np.clip(np.asarray(p, dtype=np.float64), CLIP, 1 - CLIP)
    return np.log(inside / (1 - inside))


def encode(model: ExamModel) -> bytes:
    """The model as JSON, the same bytes for the same model."""
    return msgspec.json.encode(model, order="deterministic")


def decode(raw: bytes) -> ExamModel:
    """A model from JSON. Errors: InvalidModelInput where it could not serve: shape, ranges, trees."""
    try:
        model = msgspec.json.decode(raw, type=ExamModel)
    except msgspec.MsgspecError as error:
        raise InvalidModelInput(f"This is no exam model: {error}") from error
    _check_calibration(model.calibration)
    widths = [model.interval_factor, *model.cohort_factors.values()]
    if not np.isfinite(widths).all() or min(widths) <= 0:
        raise InvalidModelInput("The widths of an exam model's intervals must be above 0.")
    if not abs(model.score_shift) <= MAX_SHIFT:
        raise InvalidModelInput(f"An exam model moves scores by at most {MAX_SHIFT:g} logits.")
    if not 0 <= model.error_variance <= 1:
        raise InvalidModelInput("An exam model's error variance must lie between 0 and 1.")
    if model.trained is not None:
        exam_trained.check(model.trained)
    return model


def _check_calibration(calibration: Calibration) -> None:
    """Refuse a map that is not monotone, not finite, or gives what is no chance."""
    knots, values = np.array(calibration.knots), np.array(calibration.values)
    if not (np.isfinite(knots).all() and np.isfinite(values).all()) or knots.size != values.size:
        raise InvalidModelInput("A calibration's numbers must be finite, as many knots as values.")
    if calibration.kind == "logistic" and (knots.size != 1 or values[0] < 0):
        raise InvalidModelInput("A logistic calibration has one intercept and one slope that is not negative.")
    if calibration.kind == "isotonic":
        rises = knots.size > 0 and bool((np.diff(knots) > 0).all() and (np.diff(values) >= 0).all())
        if not rises or not (values[0] >= 0 and values[-1] <= 1):
            raise InvalidModelInput("An isotonic calibration must rise, with values between 0 and 1.")
