"""What are the forecasts of recall worth? The backtest over reviews, forward in time for each learner."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate import groups, recall_sections
from osler.evaluate.judging import judge
from osler.evaluate.metrics import Floats, log_loss, rmse_bins
from osler.evaluate.protocol import Progress, forward_folds, sha256_of, versions
from osler.evaluate.recall_card import CARD, NOTES, SPLIT
from osler.evaluate.recall_data import LearnerReviews, read
from osler.evaluate.recall_models import DESCRIPTIONS, WeekAhead, counts_before, online, trained
from osler.evaluate.report import SERVED, Figures, Report
from osler.science import blend, guard, rating_check
from osler.science.memory_fit import History

SPLITS = 5
COMPARED = ("running-mean", "fsrs6-default")
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LearnerRun:
    """One learner's forecasts by every model: (n,) arrays over all reviews, NaN where a model says nothing.

    `scored` are the rows of the test folds with a day or more since the item's last review; `ahead` is NaN before them.
    """

    reviews: LearnerReviews
    forecasts: Mapping[str, Floats]
    tested: Ints
    scored: Ints
    ahead: WeekAhead


class RecallTask:
    """Recall of items, next-day reviews, unweighted mean over learners."""

    name = "recall"

    def run(
        self, path: Path, *, as_of: date | None, baselines: Sequence[str] | None, progress: Progress, seed: int
    ) -> Report:
        """See `osler.evaluate.protocol.Task`. Learners too short for the folds are counted in a note."""
        began = time.perf_counter()
        names = _chosen(baselines)
        data = read(path, as_of=as_of)
        runs: list[LearnerRun] = []
        for reviews in data.learners:
            progress("recall: forecasting", len(runs), len(data.learners))
            runs.append(forecast_learner(reviews))
        scored = [run for run in runs if run.scored.size]
        if not scored:
            raise UnreadableSource(f"{path.name}: no learner has a next-day review after the first sixth of them.")
        progress("recall: leak checks", len(runs), len(runs))
        learner, topic, outcome, forecasts = _stacked(scored, names)
        sections = recall_sections.sections(scored, names, seed=seed)
        return Report(
            task=self.name,
            n=int(outcome.size),
            learners=len(scored),
            split=SPLIT,
            models=judge(
                learner,
                outcome,
                forecasts,
                seed=seed,
                weight="learners",
                descriptions=DESCRIPTIONS,
                figures={name: _figures(scored, name) for name in names},
                unranked=("constant",),
            ),
            data_sha256=sha256_of(path),
            versions=versions(),
            seed=seed,
            wall_seconds=round(time.perf_counter() - began, 2),
            notes=[*NOTES, *data.notes, *_said(runs, scored)],
            sections={
                **sections,
                **groups.sections(data.labels, learner, outcome, forecasts, served=SERVED, beside=COMPARED),
                **groups.topics(topic, outcome, forecasts, served=SERVED, beside=COMPARED),
            },
            cards=(CARD,),
            answer=[recall_sections.worse_than_own_mean(sections["against_running_mean"])],
        )


def forecast_learner(reviews: LearnerReviews) -> LearnerRun:
    """Every model's forecasts of one learner, each made before its outcome."""
    history = reviews.history
    n = history.rating.size
    ahead = online(reviews)
    forecasts = {name: forecast.copy() for name, forecast in ahead.forecasts.items()}
    folds = [(int(test[0]), int(test[-1]) + 1) for _, test in forward_folds(n, SPLITS)]
    # Before the first fold nothing is fitted: Osler serves the population's parameters.
    first = folds[0][0] if folds else n
    served, state = guarded(history, 0, ahead.forecasts["blend-default-bias"][:first], guard.Guard())
    parameters = blend.POPULATION
    forecasts[SERVED] = np.concatenate([served, np.full(n - first, np.nan)])
    ahead = WeekAhead(np.full(n, np.nan), np.full(n, np.nan))
    for cut, stop in folds:
        block = trained(reviews, cut, stop)
        for name, forecast in block.forecasts.items():
            forecasts.setdefault(name, np.full(n, np.nan))[cut:stop] = forecast
        ahead.logit[cut:stop], ahead.tau[cut:stop] = block.ahead.logit, block.ahead.tau
        if block.parameters != parameters:
            parameters, state = block.parameters, guard.refitted(state)
        forecasts[SERVED][cut:stop], state = guarded(history, cut, block.forecasts[SERVED], state)
    tested = np.arange(n) >= first
    return LearnerRun(
        reviews=reviews,
        forecasts=forecasts,
        tested=np.flatnonzero(tested & ~history.is_first),
        scored=np.flatnonzero(tested & history.next_day),
        ahead=ahead,
    )


def guarded(history: History, cut: int, forecast: Floats, state: guard.Guard) -> tuple[Floats, guard.Guard]:
    """The served forecasts of the rows from `cut` on, and the guard after them."""
    rows = slice(cut, cut + forecast.size)
    return guard.scan(forecast, history.passed[rows], history.next_day[rows], guard=state)


def _chosen(baselines: Sequence[str] | None) -> list[str]:
    unknown = sorted(set(baselines or ()) - set(DESCRIPTIONS))
    if unknown:
        raise InvalidInput(f"Unknown baselines {', '.join(unknown)}; known are {', '.join(DESCRIPTIONS)}.")
    return [name for name in DESCRIPTIONS if baselines is None or name == SERVED or name in baselines]


def _stacked(
    runs: Sequence[LearnerRun], names: Sequence[str]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], Floats, dict[str, Floats]]:
    """(learner, topic, outcome, forecasts) of the scored rows of all learners, one after another."""
    learner = np.concatenate([np.full(run.scored.size, run.reviews.user) for run in runs])
    outcome = np.concatenate([run.reviews.history.passed[run.scored] for run in runs]).astype(np.float64)
    topic = np.concatenate([run.reviews.topic[run.scored] for run in runs])
    made = {name: np.concatenate([run.forecasts[name][run.scored] for run in runs]) for name in names}
    return learner, topic, outcome, made


def _figures(runs: Sequence[LearnerRun], name: str) -> Figures:
    """RMSE(bins) as mean over learners, and log loss over all reviews, same-day ones too."""
    binned = [_rmse(run, name) for run in runs if bool(np.isfinite(run.forecasts[name][run.scored]).all())]
    everywhere = [
        log_loss(run.reviews.history.passed[run.tested], run.forecasts[name][run.tested])
        for run in runs
        if bool(np.isfinite(run.forecasts[name][run.tested]).all())
    ]
    return {
        "rmse_bins": float(np.mean(binned)) if binned else None,
        "log_loss_all_reviews": float(np.mean(everywhere)) if everywhere else None,
    }


def _rmse(run: LearnerRun, name: str) -> float:
    history, rows = run.reviews.history, run.scored
    reviews, lapses, _ = counts_before(history)
    return rmse_bins(
        history.passed[rows], run.forecasts[name][rows], history.local_days[rows], reviews[rows], lapses[rows]
    )


def _said(runs: Sequence[LearnerRun], scored: Sequence[LearnerRun]) -> list[str]:
    said = [
        f"{run.reviews.user}: {warning.text}"
        for run in runs
        for warning in rating_check.check_scale(run.reviews.history)
    ]
    if len(scored) < len(runs):
        said.append(f"{len(runs) - len(scored)} learners have too few reviews to be scored.")
    return said


TASK = RecallTask()
