# pandas and scikit-learn ship few types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Task `item-response`: from some answers to others of one test, and from the test to what came of the learner.

Held-out persons by a hash of their row; odd columns are forecast from the number right and wrong on even ones. Where
the file has an outcome column (`StudySuccess`), the outcome is forecast too, and refused in words when it cannot be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate.bootstrap import auc_interval
from osler.evaluate.exam_oulad import Floats, Strings
from osler.evaluate.judging import judge
from osler.evaluate.metrics import auc, interval_scores, log_loss
from osler.evaluate.protocol import Progress, sha256_of, versions
from osler.evaluate.report import Report
from osler.science.conformal import conformal_factor
from osler.science.serving_rule import compare, enough_outcomes

OUTCOMES = ("StudySuccess",)
NOT_ITEMS = frozenset({"total", "minority", *OUTCOMES})
MIN_ITEMS = 6
MIN_PERSONS = 20
DESCRIPTIONS = {
    "osler": "logistic regression an item on the log odds of the answers seen",
    "item_mean": "share right in training",
}
MIN_AUC = 0.65
CANNOT_TELL = "We can't tell: this test says too little about who succeeds to be said of one person."


@dataclass(frozen=True, slots=True)
class Responses:
    """Right (1) and wrong (0) of persons × items, and an outcome with NaN for persons who have none.

    `unanswered` counts answers that are missing: they are wrong ones.
    """

    name: str
    right: Floats
    items: tuple[str, ...]
    outcome: Floats | None
    unanswered: int = 0


def read(path: Path) -> Responses:
    """Reads a table of scored answers; columns of 0 and 1 are items, an outcome and demographics are not.

    Errors: UnreadableSource where fewer than six columns are scored 0/1, fewer than 20 persons are there, or an outcome
    is none of 0 and 1.
    """
    try:
        table = pd.read_csv(path)
    except (ValueError, OSError, UnicodeDecodeError) as error:
        raise UnreadableSource(f"{path.name} cannot be read as a table: {error}") from error
    scored = [c for c in table.columns if c not in NOT_ITEMS and _is_scored(table[c])]
    named = [c for c in scored if any(ch.isdigit() for ch in str(c))]
    if len(named) < MIN_ITEMS:
        raise UnreadableSource(
            f"{path.name} has {len(named)} columns scored 0 or 1 with a number in their name, as items have; the task "
            f"needs {MIN_ITEMS}. It takes which answers were right, not which were chosen."
        )
    if len(table) < MIN_PERSONS:
        raise UnreadableSource(f"{path.name} has {len(table)} persons; the task needs {MIN_PERSONS}.")
    name = path.name.split(".")[0].removesuffix("_scored")
    given = table[named].to_numpy(dtype=np.float64)
    return Responses(
        name, np.nan_to_num(given), tuple(map(str, named)), _outcome(table, path), int(np.isnan(given).sum())
    )


def _outcome(table: Any, path: Path) -> Floats | None:
    known = [c for c in OUTCOMES if c in table.columns]
    if not known:
        return None
    told = table[known[0]]
    if told.notna().any() and not _is_scored(told):
        raise UnreadableSource(f"{path.name}: {known[0]} holds something that is none of 0, 1 and nothing.")
    return np.asarray(pd.to_numeric(told), dtype=np.float64)


def _is_scored(column: Any) -> bool:
    values = column.dropna()
    return bool(len(values)) and bool(values.isin([0, 1, "0", "1"]).all())


def held_out(name: str, persons: int) -> Any:
    """The persons that are tested: a fifth, by a hash of file name and row, the same on every run."""
    hashes = [int(sha256(f"{name}:{row}".encode()).hexdigest()[:8], 16) % 5 == 0 for row in range(persons)]
    return np.array(hashes, dtype=bool)


def _log_odds(right: Floats) -> Floats:
    total = right.sum(axis=1)
    return np.log((total + 1) / (right.shape[1] - total + 1))[:, None]


def forecast_items(right: Floats, fitted: Any, asked: Any) -> tuple[Floats, Floats, Floats]:
    """(answers, forecasts, item means) of the persons `asked` on the items at odd positions, persons × items.

    Learnt from the persons `fitted`; both are masks over persons.
    """
    seen, answers = right[:, 0::2], right[:, 1::2]
    x = _log_odds(seen)
    forecasts = np.zeros((int(asked.sum()), answers.shape[1]))
    for item in range(answers.shape[1]):
        y = answers[fitted, item]
        if y.min() == y.max():
            forecasts[:, item] = y.mean()
            continue
        model = LogisticRegression(C=10.0).fit(x[fitted], y)
        forecasts[:, item] = model.predict_proba(x[asked])[:, 1]
    means = np.broadcast_to(answers[fitted].mean(axis=0), forecasts.shape)
    return answers[asked], forecasts, np.asarray(means)


def score_figures(right: Floats, test: Any, truth: Floats, forecast: Floats) -> dict[str, float | int | None]:
    """How near the forecast of a person's share right came, and what its 90 % intervals were worth.

    Widths are split conformal: learnt on every other training person, by models fitted on the rest of them.
    """
    score, expected = truth.mean(axis=1), forecast.mean(axis=1)
    both_vary = score.std() > 0 and expected.std() > 0
    found: dict[str, float | int | None] = {
        "mae_points": float(100 * np.abs(score - expected).mean()),
        "r": float(np.corrcoef(score, expected)[0, 1]) if both_vary else None,
        "persons": int(test.sum()),
        "items": truth.shape[1],
    }
    kept_back = ~test & (np.cumsum(~test) % 2 == 0)
    known, said, _ = forecast_items(right, ~test & ~kept_back, kept_back)
    factor = conformal_factor((known.mean(axis=1) - said.mean(axis=1)) / _score_sd(said))
    if factor is None:
        return found
    reach = factor * _score_sd(forecast)
    intervals = interval_scores(score, np.clip(expected - reach, 0, 1), np.clip(expected + reach, 0, 1))
    return found | {
        "interval_coverage": intervals.coverage,
        "interval_width_points": 100 * intervals.mean_width,
        "interval_score_points": 100 * intervals.score,
    }


def _score_sd(forecast: Floats) -> Floats:
    """The spread of a share right that comes from drawing the answers alone."""
    return np.sqrt(np.maximum((forecast * (1 - forecast)).sum(axis=1), 1e-9)) / forecast.shape[1]


def outcome_verdict(answers: Responses, outcome: Floats, seed: int) -> dict[str, Any]:
    """Whether the outcome can be told from the test: by persons held out in ten parts, against the base rate.

    `status` is "ok" only if Brier beats the base rate beyond chance and the AUC's lower bound reaches .65 (start):
    below it, telling one person apart from another is wrong more than a third of the time.
    """
    known = np.isfinite(outcome)
    y, x = outcome[known], _log_odds(answers.right[known])
    persons: Strings = np.flatnonzero(known).astype(np.str_)
    total = x[:, 0]
    row: dict[str, Any] = {"n": int(y.size), "base_rate": float(y.mean()) if y.size else None}
    if not enough_outcomes(y):
        return {**row, "status": "insufficient_data", "says": "Too few outcomes to learn from."}
    part = np.random.default_rng(seed).permutation(y.size) % 10
    forecast, base = np.zeros(y.size), np.zeros(y.size)
    for fold in range(10):
        own = part == fold
        forecast[own] = LogisticRegression(C=1.0).fit(x[~own], y[~own]).predict_proba(x[own])[:, 1]
        base[own] = y[~own].mean()
    verdict = compare((forecast - y) ** 2, (base - y) ** 2, persons, seed=seed)
    interval = auc_interval(persons, y, total, seed=seed)
    tells = verdict.ahead and interval is not None and interval[0] >= MIN_AUC
    return {
        **row,
        "status": "ok" if tells else "cannot_tell",
        "says": "The test tells who succeeds, within these limits." if tells else CANNOT_TELL,
        "auc": auc(y, total),
        "auc_low": None if interval is None else interval[0],
        "auc_high": None if interval is None else interval[1],
        "auc_cross_validated": auc(y, forecast),
        "log_loss": log_loss(y, forecast),
        "log_loss_of_base_rate": log_loss(y, base),
        "brier_difference": verdict.difference,
        "brier_difference_upper": verdict.upper,
    }


def _outcome_sentence(name: str, verdict: Mapping[str, Any]) -> str:
    """The verdict with the figures that it rests on, for who reads nothing else."""
    said = f"{name} of {verdict['n']} persons: {verdict['says']}"
    if verdict.get("auc_low") is None:
        return said
    ahead = "is" if verdict["brier_difference_upper"] < 0 else "is not"
    return (
        f"{said} Its score has an AUC of {verdict['auc']:.3f}, {verdict['auc_low']:.2f} to {verdict['auc_high']:.2f} "
        f"(0.50 is chance; the lower end has to reach {MIN_AUC:.2f}), and a forecast from it {ahead} ahead of the "
        f"base rate of {100 * verdict['base_rate']:.0f} % beyond chance."
    )


def _score_sentence(scores: Mapping[str, float | int | None]) -> str:
    r = "" if scores["r"] is None else f" (r {scores['r']:.2f})"
    said = f"A person's share right on the other half is forecast to {scores['mae_points']:.1f} points on average{r}"
    if "interval_coverage" not in scores:
        return f"{said}."
    return (
        f"{said}; its 90 % intervals, {scores['interval_width_points']:.0f} points wide, held "
        f"{100 * (scores['interval_coverage'] or 0):.0f} % of {scores['persons']} persons."
    )


def _notes(answers: Responses) -> list[str]:
    said = ["Items at even positions observed, those at odd positions forecast; no dates, no time."]
    return said + ([f"{answers.unanswered} missing answers count as wrong."] if answers.unanswered else [])


@dataclass(frozen=True, slots=True)
class ItemResponseTask:
    """Forecasts within one test, and of what came of it."""

    name: str = "item-response"

    def run(
        self, path: Path, *, as_of: date | None, baselines: Sequence[str] | None, progress: Progress, seed: int
    ) -> Report:
        """See `Task.run`. Errors: InvalidInput for `as_of`, as such files have no dates, and for unknown baselines."""
        if as_of is not None:
            raise InvalidInput(f"{path.name} carries no dates, so as-of cannot cut it.")
        unknown = sorted(set(baselines or ()) - set(DESCRIPTIONS))
        if unknown:
            raise InvalidInput(f"No such baseline: {', '.join(unknown)}. There is item_mean.")
        began = perf_counter()
        answers = read(path)
        test = held_out(answers.name, len(answers.right))
        if not test.any() or test.all():
            raise InvalidInput(f"{path.name} has too few persons to hold any out.")
        truth, forecast, means = forecast_items(answers.right, ~test, test)
        progress("items", 1, 2)
        persons: Strings = np.repeat(np.flatnonzero(test).astype(np.str_), truth.shape[1])
        models = judge(
            persons,
            truth.ravel(),
            {"osler": forecast.ravel(), "item_mean": means.ravel()},
            seed=seed,
            descriptions=DESCRIPTIONS,
        )
        scores = score_figures(answers.right, test, truth, forecast)
        sections: dict[str, Any] = {"score": {"osler": scores}}
        status, said = "ok", [_score_sentence(scores)]
        if answers.outcome is not None:
            verdict = outcome_verdict(answers, answers.outcome, seed)
            sections["outcome"] = {OUTCOMES[0]: verdict}
            status = str(verdict["status"])
            said.insert(0, _outcome_sentence(OUTCOMES[0], verdict))
        progress("outcome", 2, 2)
        return Report(
            task=self.name, n=truth.size, learners=int(test.sum()), split="held-out persons by hash of the row",
            models=models, data_sha256=sha256_of(path), versions=versions(), seed=seed,
            wall_seconds=perf_counter() - began, sections=sections, status=status, answer=said,
            notes=_notes(answers),
        )  # fmt: skip


TASK = ItemResponseTask()
