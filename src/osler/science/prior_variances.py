"""How far do learners lie apart, and topics within a learner? The prior variances of the online item response.

Empirical Bayes: v_u and v_k are those under which the population's answers were likeliest, forecast one step ahead by
the online model itself, whose forecasts have ability and skills integrated out. The sum of these log forecasts is the
log marginal likelihood as assumed density filtering approximates it. Sources: empirical Bayes, Casella 1985; scoring
one step ahead, Dawid 1984; assumed density filtering, Minka 2001.

The filter keeps no covariance of ability and skills, so where topics differ much more than learners v_u comes out low:
what is found are the variances under which this model forecasts best (figures in docs/explanation/mastery-model.md).
"""

# SciPy ships no types for its optimisers.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import optimize

from osler.errors import InvalidModelInput
from osler.science.irt import DEFAULTS, Parameters
from osler.science.irt_many import fold_many

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOWEST, HIGHEST = 0.02, 6.0
SPREAD = 1.0  # of the log variances about their start values: worth about one learner's answers
MOST_STEPS = 60
TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Trials:
    """Answers of many learners as the online model sees them, in order of time within each learner.

    Shapes: `learner`, `easiness` (logits), `correct`, `weight` (n,); `topics` (n, K) codes, -1 for none.
    """

    learner: Ints
    topics: Ints
    easiness: Floats
    correct: Floats
    weight: Floats
    learners: int
    topic_count: int


def log_likelihood(trials: Trials, parameters: Parameters, share: Floats | None = None) -> float:
    """The sum over answers of the log forecast made just before each. `share` (n,) weighs answers, all 1 without it."""
    made = fold_many(
        trials.learner, trials.topics, trials.easiness, trials.correct, trials.weight,
        learners=trials.learners, topic_count=trials.topic_count, parameters=parameters,
    ).probability  # fmt: skip
    told = np.clip(np.where(trials.correct > 0.5, made, 1.0 - made), 1e-4, 1.0)
    return float(np.log(told) @ (np.ones(told.size) if share is None else share))


def fit_variances(trials: Trials, start: Parameters = DEFAULTS, share: Floats | None = None) -> Parameters:
    """`start` with the prior variances that make the answers likeliest, rounded to thousandths.

    A weak normal prior on the log variances, centred on `start`, keeps them where answers say nothing; they stay in
    .02 to 6. Deterministic. Errors: InvalidModelInput without an answer.
    """
    if trials.learner.size == 0:
        raise InvalidModelInput("Prior variances cannot be fitted without an answer.")
    centre = np.log([start.ability_variance, start.skill_variance])

    def at(logs: Floats) -> Parameters:
        ability, skill = np.clip(np.exp(logs), LOWEST, HIGHEST).tolist()
        return replace(start, ability_variance=ability, skill_variance=skill)

    def cost(logs: Floats) -> float:
        distance = float(((logs - centre) ** 2).sum()) / (2.0 * SPREAD**2)
        return (distance - log_likelihood(trials, at(logs), share)) / trials.learners

    found = optimize.minimize(
        cost, centre, method="Nelder-Mead",
        options={
            "initial_simplex": centre + np.array([[0.0, 0.0], [0.7, 0.0], [0.0, 0.7]]), "maxfev": MOST_STEPS,
            "xatol": TOLERANCE, "fatol": 1e-6,
        },
    )  # fmt: skip
    best = at(np.asarray(found.x, dtype=np.float64))
    return replace(best, ability_variance=round(best.ability_variance, 3), skill_variance=round(best.skill_variance, 3))
