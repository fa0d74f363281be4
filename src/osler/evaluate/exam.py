"""Task `exam`: how early, and how well, can the outcome of an exam be told?

A folder of the Open University data set: trained on the earlier years, tested once on the last, at days 0 to 150 of
the course. Osler's own log, or a table of snapshots of its learners, goes to `exam_snapshots`; a file of item
responses (or one with an outcome column) to `item_response`, which may answer that it cannot be told. No fit and no
choice sees a test row: candidates are compared and recalibrated out of run on the training presentations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate import exam_leaks, exam_snapshots, item_response
from osler.evaluate.exam_figures import dated, figures, rule_verdicts, targets
from osler.evaluate.exam_models import BASELINES, Choice, choose, forecast_all, out_of_run
from osler.evaluate.exam_oulad import Floats, Snapshot, Strings, snapshot, started_by
from osler.evaluate.exam_tables import holds_courses, read_tables
from osler.evaluate.exam_text import CARD, DESCRIPTIONS, NOTES, told
from osler.evaluate.judging import judge
from osler.evaluate.metrics import score
from osler.evaluate.protocol import Progress, sha256_of, versions
from osler.evaluate.report import SERVED, ModelResult, Report

DAYS = (0, 30, 60, 100, 150)
MIN_SUBGROUP = 100
SUBGROUPS = {"module": 0, "gender": 1, "imd_band": 4, "age_band": 5, "disability": 6}


@dataclass(frozen=True, slots=True)
class Day:
    """One day's test: the rows, every model's forecast of them, and how the served one was chosen."""

    day: int
    test: Snapshot
    forecasts: Mapping[str, Floats]
    choice: Choice
    train_rate: float
    trained_on: int


def split(rows: Snapshot, all_learners: Mapping[str, set[str]]) -> tuple[Snapshot, Snapshot]:
    """Training rows of the earlier years, and test rows of the last year without anyone registered before it.

    With a single year the last presentation is the test. Errors: InvalidInput when there is only one presentation.
    """
    codes = sorted(all_learners)
    years = sorted({code[:4] for code in codes})
    late = [code for code in codes if code[:4] == years[-1]] if len(years) > 1 else codes[-1:]
    if len(codes) < 2:
        raise InvalidInput("The exam task needs at least two presentations: one to train on and a later one to test.")
    is_late = np.isin(rows.presentation, late)
    known = set[str]().union(*(all_learners[code] for code in codes if code not in late))
    return rows.rows(~is_late), rows.rows(is_late & ~np.isin(rows.learner, sorted(known)))


def parted(tables: Mapping[str, Any], day: int) -> tuple[Snapshot, Snapshot]:
    """(training rows, test rows) as of a day: `split` of the tables' snapshot."""
    registered = tables["student_registration"]
    by_code: dict[str, set[str]] = {
        str(code): set(own["id_student"].astype(str)) for code, own in registered.groupby("code_presentation")
    }
    return split(snapshot(tables, day), by_code)


def run_day(tables: Mapping[str, Any], day: int, progress: Progress, seed: int) -> Day | None:
    """Chooses on the training presentations, fits once more on all of them, and forecasts the test rows.

    None where nobody is left to learn from, or to be tested, on that day.
    """
    training, test = parted(tables, day)
    if not training.at_risk.size or not test.at_risk.size:
        return None
    done = [0]

    def step() -> None:
        done[0] += 1
        progress(f"day {day}", done[0], 10)

    choice = choose(training, out_of_run(training, seed, step), seed)
    return Day(
        day,
        test,
        forecast_all(training, test, choice, seed),
        choice,
        float(training.at_risk.mean()),
        training.at_risk.size,
    )


def _pooled(days: Sequence[Day]) -> tuple[Strings, Floats, dict[str, Floats]]:
    """Learners, outcomes and forecasts of all days below each other."""
    names = days[0].forecasts
    return (
        np.concatenate([d.test.learner for d in days]),
        np.concatenate([d.test.at_risk for d in days]),
        {name: np.concatenate([d.forecasts[name] for d in days]) for name in names},
    )


def _by_group(test: Snapshot, p: Floats) -> dict[str, dict[str, Any]]:
    """Figures of the served forecasts by module and by the groups in which fairness is to be looked at."""
    rows: dict[str, dict[str, Any]] = {}
    for label, column in SUBGROUPS.items():
        values = test.categories[:, column]
        for value in np.unique(values).tolist():
            mask: npt.NDArray[np.bool_] = values == value
            if mask.sum() >= MIN_SUBGROUP:
                own = score(test.at_risk[mask], p[mask])
                rows[f"{label}: {value}"] = {
                    "n": own.n, "base_rate": own.base_rate, "mean_forecast": float(p[mask].mean()),
                    "log_loss": own.log_loss, "auc": own.auc, "brier": own.brier, "ece": own.ece,
                }  # fmt: skip
    return rows


def _choices(days: Sequence[Day]) -> dict[str, dict[str, Any]]:
    return {
        str(d.day): {
            "served": d.choice.name,
            "status": "ok" if d.choice.name != "constant" else "cannot_tell",
            "recalibration": [*d.choice.calibration.knots, *d.choice.calibration.values],
            "trained_on": d.trained_on,
            "out_of_run_log_loss": dict(d.choice.losses),
            "refused_on_training": d.choice.refused,
            "rule_on_test": rule_verdicts(d.test.learner, d.test.at_risk, d.forecasts, 0),
        }
        for d in days
    }


def _assemble(days: Sequence[Day], seed: int, chosen: Sequence[str]) -> tuple[dict[str, ModelResult], dict[str, Any]]:
    names = [SERVED, *chosen]
    by_day = {
        name: {str(d.day): figures(d.test.learner, d.test.at_risk, d.forecasts[name], seed) for d in days}
        for name in (SERVED, *BASELINES)
    }
    learner, y, forecasts = _pooled(days)
    judged = judge(
        learner, y, {name: forecasts[name] for name in names}, seed=seed, descriptions=DESCRIPTIONS,
        unranked=("constant",),
    )  # fmt: skip
    models: dict[str, ModelResult] = {
        name: dated(result, by_day[name], learners=name == SERVED) for name, result in judged.items()
    }
    promised = {
        str(d.day): targets(
            {name: by_day[name][str(d.day)] for name in by_day}, d.forecasts[SERVED], d.train_rate,
            float(d.test.at_risk.mean()), seed,
        )
        for d in days
    }  # fmt: skip
    middle = days[len(days) // 2]
    sections = {
        "by_day": {str(d.day): {name: by_day[name][str(d.day)] for name in names} for d in days},
        "targets": promised,
        "choices": _choices(days),
        f"groups_day_{middle.day}": _by_group(middle.test, middle.forecasts[SERVED]),
    }
    return models, sections


def _baselines(baselines: Sequence[str] | None) -> list[str]:
    unknown = [name for name in baselines or () if name not in BASELINES]
    if unknown:
        raise InvalidInput(f"Unknown baseline {unknown[0]}; known are {', '.join(BASELINES)}.")
    return [name for name in BASELINES if baselines is None or name in baselines]


@dataclass(frozen=True, slots=True)
class ExamTask:
    """Forecasts of exam outcomes, forward in time."""

    name: str = "exam"

    def run(
        self, path: Path, *, as_of: date | None, baselines: Sequence[str] | None, progress: Progress, seed: int
    ) -> Report:
        """See `Task.run`. `as_of` leaves out presentations that began after it."""
        if path.exists() and not holds_courses(path) and exam_snapshots.can_read(path):
            return exam_snapshots.run(path, as_of=as_of, progress=progress, seed=seed)
        if path.is_file():
            found = item_response.TASK.run(path, as_of=as_of, baselines=baselines, progress=progress, seed=seed)
            return replace(found, task=self.name)
        if not path.exists():
            raise UnreadableSource(f"{path.name} does not exist.")
        chosen = _baselines(baselines)
        began = perf_counter()
        left_out: list[str] = []
        tables = started_by(read_tables(path, left_out), as_of)
        days = [ran for day in DAYS if (ran := run_day(tables, day, progress, seed)) is not None]
        if not days:
            raise InvalidInput("There is nobody to learn from, or nobody to test who was not registered before.")
        models, sections = _assemble(days, seed, chosen)
        sections["leak_checks"] = exam_leaks.checks(tables, days[len(days) // 2].day, parted)
        learner, y, _ = _pooled(days)
        return Report(
            task=self.name,
            n=y.size,
            learners=len(set(learner.tolist())),
            split="trained on the earlier years, tested on the last without learners registered before; as of each day",
            models=models,
            data_sha256=sha256_of(path),
            versions=versions(),
            seed=seed,
            wall_seconds=perf_counter() - began,
            notes=(*NOTES, *left_out),
            sections=sections,
            cards=(CARD,),
            answer=[told(str(d.day), sections["targets"][str(d.day)], d.choice.name) for d in days],
            status="ok" if any(d.choice.name != "constant" for d in days) else "cannot_tell",
        )


TASK = ExamTask()
