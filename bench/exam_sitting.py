"""How near comes the score of an exam to what some exam-like items told? `python -m bench.exam_sitting`.

Practice and exam come from one sitting, as in the science page's 5.2. Of simulated candidates some are the population
that items are fitted on, a quarter has results to calibrate on, a quarter is tested; the cut lies at the 15 % point.
The models are those that serve (easiness, prior variances, online item response, closed form, recalibration, conformal
widths); none knows the exam's items. `best` knows the truth, items and all: what no forecast can beat. Seeds 101 to 103
were looked at while this was written; the figures are those of others.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from osler.evaluate.exam_fitting import Mark, Results, learn_widths
from osler.evaluate.exam_scores import as_served, score_figures
from osler.evaluate.exam_training import Outcomes
from osler.evaluate.metrics import auc, brier
from osler.forecasts.easiness import FOLD_NAME, Counts, Easiness
from osler.forecasts.parameters import Parameters
from osler.science.calibration import fit_calibration
from osler.science.exam_score import Z_90, ExamState, exam_score
from osler.science.irt_many import fold_many
from osler.science.item_easiness import FOLDS, fold_of
from osler.science.prior_variances import Trials, fit_variances

SEEDS = (1, 2, 3)
PRACTICE = (20, 40, 85)
POPULATION, CALIBRATING, TESTED = 818, 409, 409
ITEMS, TOPICS, CUT_POINT = 85, 10, 0.15
SOMEBODY = UUID(int=10**6)
GRID = np.linspace(-5, 5, 201)
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Truth:
    """Who sits the exam. Spreads (sd) in logits: abilities, a person's topics, easiness; of log discriminations.

    Abilities .55 apart give scores 10 points apart, which is what r and error of the page's table imply.
    """

    ability: float = 0.55
    topics: float = 0.0
    discrimination: float = 0.35
    easiness: float = 1.0
    mean: float = 1.6


TRUTHS: Mapping[str, Truth] = {
    "2PL, ability .55": Truth(),
    "1PL, ability .55": Truth(discrimination=0.0),
    "2PL, ability 1": Truth(1.0),
    "2PL, ability .55, topics .4": Truth(topics=0.4),
}


@dataclass(frozen=True, slots=True)
class Sitting:
    """Right answers (1) of persons × items: 85 to practise on, then 85 of the exam; topics go round.

    `chance` (grid, items) is the true chance of each item at each ability of the grid, without topics.
    """

    right: Floats
    topic: Ints
    chance: Floats

    @property
    def score(self) -> Floats:
        """The share of points in the exam."""
        return self.right[:, ITEMS:].mean(axis=1)


def sat(truth: Truth, seed: int) -> Sitting:
    """All candidates of one seed."""
    rng = np.random.default_rng([seed, 0x517])
    persons, items = POPULATION + CALIBRATING + TESTED, 2 * ITEMS
    topic = np.arange(items) % TOPICS
    slope = np.exp(rng.normal(0, truth.discrimination, items))
    easiness = rng.normal(truth.mean, truth.easiness, items)
    ability = rng.normal(0, truth.ability, persons)
    skill = rng.normal(0, truth.topics, (persons, TOPICS))
    logit = slope * (ability[:, None] + skill[:, topic]) + easiness
    right = (rng.random(logit.shape) < 1 / (1 + np.exp(-logit))).astype(np.float64)
    return Sitting(right, topic, 1 / (1 + np.exp(-(slope * GRID[:, None] + easiness))))


def parameters_of(sitting: Sitting) -> Parameters:
    """What weekly fits make of the population's answers to the practice items: easiness and prior variances."""
    right, topic = sitting.right[:POPULATION, :ITEMS], sitting.topic[:ITEMS]
    folds = np.array([fold_of(f"{FOLD_NAME}{UUID(int=person)}") for person in range(POPULATION)])
    of_fold = [right[folds == fold] for fold in range(FOLDS)]
    names = tuple(f"q{i}" for i in range(ITEMS))
    easiness = Easiness(
        Counts(
            names, tuple(f"t{k}" for k in range(TOPICS)), tuple(enumerate(topic.tolist())),
            tuple(tuple(part.sum(axis=0).tolist()) for part in of_fold),
            tuple((float(len(part)),) * ITEMS for part in of_fold),
        )
    )  # fmt: skip
    own = [easiness.of(UUID(int=person)) for person in range(POPULATION)]
    known = [[encoding.prior(name, ()).easiness for name in names] for encoding in own]
    trials = Trials(*_answers(right, np.array(known), topic), learners=POPULATION, topic_count=TOPICS)
    return Parameters("sitting", easiness, irt=fit_variances(trials))


def _answers(right: Floats, easiness: Floats, topic: Ints) -> tuple[Ints, Ints, Floats, Floats, Floats]:
    """(learner, topics, easiness, correct, weight) of persons who answer all items in their order."""
    persons, items = right.shape
    learner = np.repeat(np.arange(persons), items)
    return learner, np.tile(topic, persons)[:, None], easiness.ravel(), right.ravel(), np.ones(right.size)


def closed_form(sitting: Sitting, parameters: Parameters, practice: int, cut: float) -> Results:
    """Everybody's exam but the population's, forecast from their first `practice` items."""
    right, topic = sitting.right[POPULATION:, :practice], sitting.topic[:practice]
    encoding = parameters.encoding(SOMEBODY)
    known = np.tile([encoding.prior(f"q{i}", ()).easiness for i in range(practice)], (len(right), 1))
    folded = fold_many(
        *_answers(right, known, topic), learners=len(right), topic_count=TOPICS, parameters=parameters.irt
    )
    d_50 = np.array([parameters.of_topic(f"t{k}") for k in range(TOPICS)])
    state = ExamState(
        np.bincount(sitting.topic[ITEMS:]) / ITEMS, d_50 + folded.ability[:, :1] + folded.skill[:, :, 0],
        folded.skill[:, :, 1], folded.ability[:, 1], ITEMS, parameters.item_spread,
    )  # fmt: skip
    expected = exam_score(state)
    came = sitting.score[POPULATION:]
    learner = np.arange(len(right)).astype(np.str_)
    result = Outcomes(
        np.full((came.size, 8), np.nan), np.full(came.size, np.nan), (came >= cut).astype(np.float64), came, learner,
        np.zeros(came.size, dtype=np.int64),
    )  # fmt: skip
    return Results(result, expected.expected, expected.sd, np.full(came.size, "", dtype=np.str_))


def best(sitting: Sitting, truth: Truth, practice: int) -> Floats:
    """The exam's expected score of the tested by who knows the truth: abilities' spread and every item's curve."""
    right = sitting.right[POPULATION + CALIBRATING :, :practice]
    chance = sitting.chance[:, :practice]
    log = right @ np.log(chance).T + (1 - right) @ np.log(1 - chance).T - GRID**2 / (2 * truth.ability**2)
    weight = np.exp(log - log.max(axis=1, keepdims=True))
    return (weight @ sitting.chance[:, ITEMS:].mean(axis=1)) / weight.sum(axis=1)


def figures(truth: Truth, seed: int) -> dict[int, dict[str, Any]]:
    """The figures of one seed by the number of practice items."""
    sitting = sat(truth, seed)
    cut = float(np.quantile(sitting.score[:POPULATION], CUT_POINT))
    parameters = parameters_of(sitting)
    return {practice: _row(sitting, truth, parameters, practice, cut) for practice in PRACTICE}


def _row(sitting: Sitting, truth: Truth, parameters: Parameters, practice: int, cut: float) -> dict[str, Any]:
    everybody = closed_form(sitting, parameters, practice, cut)
    known, asked = everybody.rows(np.arange(CALIBRATING)), everybody.rows(np.arange(CALIBRATING, CALIBRATING + TESTED))
    came, passed = asked.outcomes.score, asked.outcomes.passed
    widths, mark = learn_widths(known), Mark(cut, 0.0)
    expected, half = as_served(asked, widths)
    before = score_figures(came, asked.expected, Z_90 * asked.sd)
    # Analytic: the closed form's own spread round the recalibrated score, without what residuals say of its width.
    analytic = score_figures(came, expected, Z_90 * asked.sd)
    served = score_figures(came, expected, half)
    chance = fit_calibration(mark.chance(known, widths), known.outcomes.passed).apply(mark.chance(asked, widths))
    raw = sitting.right[POPULATION + CALIBRATING :, :practice].mean(axis=1)
    of_raw = score_figures(came, raw, None)
    row = {
        "mae_before": before["mae_points"], "mae": served["mae_points"], "mae_raw": of_raw["mae_points"],
        "r": served["r"], "n": float(practice),
        "analytic": analytic["interval_coverage"], "conformal": served["interval_coverage"],
        "half_width": served["interval_width_points"] / 2, "auc": auc(passed, chance), "brier": brier(passed, chance),
        "brier_base": brier(passed, np.full(passed.size, known.outcomes.passed.mean())),
        "reaches": float(served["reaches_target"]), "r_best": np.nan, "mae_best": np.nan,
    }  # fmt: skip
    if truth.topics == 0:
        told = score_figures(came, best(sitting, truth, practice), None)
        row |= {"r_best": told["r"], "mae_best": told["mae_points"]}
    return row


COLUMNS = {
    "items": "{n:.0f}",
    "MAE uncalibrated": "{mae_before:.1f}",
    "MAE model / raw / best": "{mae:.1f} / {mae_raw:.1f} / {mae_best:.1f}",
    "r model / best": "{r:.3f} / {r_best:.3f}",
    "coverage analytic / conformal": "{analytic:.3f} / {conformal:.3f}",
    "half-width": "{half_width:.1f}",
    "pass AUC": "{auc:.3f}",
    "Brier (base)": "{brier:.3f} ({brier_base:.3f})",
    "seeds that reach it": "{reached:.0f} of {seeds}",
}


def main() -> None:
    """Print the means over the seeds."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    seeds = asked.parse_args().seeds
    print(f"Means over seeds {seeds}; errors and widths in points of 100; the target of 5.2 as in `osler evaluate`.")
    print("| truth | " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---|" * len(COLUMNS))
    for name, truth in TRUTHS.items():
        each = [figures(truth, seed) for seed in seeds]
        for practice in PRACTICE:
            mean = {key: float(np.mean([one[practice][key] for one in each])) for key in each[0][practice]}
            mean |= {"reached": mean["reaches"] * len(seeds), "seeds": len(seeds)}
            cells = (cell.format(**mean).replace("nan", "–") for cell in COLUMNS.values())
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
