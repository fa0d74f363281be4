# pandas ships few types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Task `exam` on a deployment's own results: closed form, trained models, and what would have been served by then.

Reads Osler's own log as exported (`exam_log`, `exam_as_of`), or a table of snapshots: `user_id`, `exam_on` (ISO day),
the brief's eight features (empty where missing), `closed_form` (P(pass) as of the snapshot), `passed` (0/1), and, where
known, `score` (share of points), `expected` and `score_sd` (the closed form's) and `milestone` (days before the exam).
`osler` is forecast block by block of exam dates: a trained model only from the block on before which it had won on
earlier ones. Where results are too few for that, the closed form's scores are still held against those that came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from osler.analytics.readiness.features import FEATURES
from osler.errors import InvalidInput
from osler.evaluate.exam_as_of import Known, known_before
from osler.evaluate.exam_figures import Row, dated, figures
from osler.evaluate.exam_fitting import Results
from osler.evaluate.exam_log import ExamLog, Place, read_log
from osler.evaluate.exam_oulad import Strings
from osler.evaluate.exam_scores import score_section, sentences
from osler.evaluate.exam_snapshot_table import COLUMNS, Snapshots, read_table
from osler.evaluate.exam_training import (
    Floats,
    Outcomes,
    Places,
    enough,
    exam_blocks,
    forward,
    one_an_outcome,
    train,
    winners,
)
from osler.evaluate.judging import judge
from osler.evaluate.next_answer_sources import is_log, log_lines
from osler.evaluate.protocol import Progress, sha256_of, versions
from osler.evaluate.report import Report
from osler.science.serving_rule import MIN_OUTCOMES, MIN_RARER


def can_read(path: Path) -> bool:
    """Whether it is a log, a folder of logs, or a file whose first line names the columns of exam snapshots."""
    if is_log(path):
        return True
    try:
        return path.is_file() and set(COLUMNS) <= set(pd.read_csv(path, nrows=0).columns)
    except (ValueError, OSError):
        return False


def read_exported(path: Path, as_of: date | None, progress: Progress) -> Snapshots:
    """The snapshots of the exam with most results in a log. Errors: InvalidInput where no result can be used."""
    log = read_log(log_lines(path), as_of)
    if not log.results:
        raise InvalidInput(
            "The log holds no exam result: `osler export` writes them beside the events where they were recorded."
        )
    sat = Counter(exam_id for _, exam_id, _ in log.results)
    chosen, results = sat.most_common(1)[0]
    places = sorted(place for place in log.results if place[1] == chosen)
    found: list[tuple[Place, int, Known]] = []
    for number, place in enumerate(places):
        found += [(place, days, known) for days, known in known_before(log, place)]
        progress("as of each day", number + 1, len(places))
    frozen = sum(known.frozen for *_, known in found)
    told = {place for place, *_ in found}
    notes = [
        f"{chosen}: {results} results; before {len(told)} of them something was known. "
        f"Of {len(found)} snapshots {frozen} had been frozen by the server; the others are made again from the events "
        "received by then."
    ]
    notes += [f"Left out: {n} results of {name}." for name, n in sorted(sat.items()) if name != chosen]
    told_scores = np.array([[known.expected, known.sd] for *_, known in found], dtype=np.float64).reshape(-1, 2)
    groups = np.array([log.cohorts.get(place[0], "") for place, _, _ in found], dtype=np.str_)
    made = Results(_outcomes(log, found), told_scores[:, 0], told_scores[:, 1], groups)
    return Snapshots(made, np.array([days for _, days, _ in found], dtype=np.int64), tuple(notes))


def _outcomes(log: ExamLog, found: Sequence[tuple[Place, int, Known]]) -> Outcomes:
    results = [log.results[place] for place, _, _ in found]
    return Outcomes(
        features=np.array(
            [[np.nan if value is None else value for value in known.features] for *_, known in found], dtype=np.float64
        ).reshape(-1, len(FEATURES)),
        closed_form=np.array([known.closed_form for *_, known in found]),
        passed=np.array([float(result.passed) for result in results]),
        score=np.array([np.nan if result.score is None else result.score for result in results]),
        learner=np.array([place[0] for place, _, _ in found], dtype=np.str_),
        exam_on=np.array([place[2].toordinal() for place, _, _ in found], dtype=np.int64),
    )


def served_by_then(rows: Outcomes, done: np.ndarray, forecasts: dict[str, Floats], seed: int) -> Floats:
    """What Osler would have answered: the closed form, recalibrated on earlier results once there were 30 of them.

    And a trained model from the exam date on before which it had won on earlier ones.
    """
    answer = np.where(done, forecasts["recalibrated"], rows.closed_form)
    for block in exam_blocks(rows)[1:]:
        now = np.isin(rows.exam_on, block)
        earlier = rows.exam_on < block[0]
        if not enough(rows.rows(earlier)):
            continue
        won = winners(rows, done & earlier, forecasts, seed)
        if won:
            answer[now] = forecasts[won[0]][now]
    return answer


def run(path: Path, *, as_of: date | None, progress: Progress, seed: int) -> Report:
    """The report on a table of snapshots or on a log.

    Errors: InvalidInput where too few exams can be forecast, and fewer than ten scores are known.
    """
    began = perf_counter()
    found = read_exported(path, as_of, progress) if is_log(path) else read_table(path, as_of)
    scores = score_section(found.results, found.days)
    done, forecasts = forward(found.rows, seed)
    can_be_told = bool(done.any()) and enough(found.rows)
    if not can_be_told and not scores:
        raise InvalidInput(" ".join((_too_few(found.rows), *found.notes)))
    progress("forward", 1, 2)
    said = _forward_report(found, done, forecasts, seed) if can_be_told else _closed_form_report(found, seed)
    progress("rule", 2, 2)
    return replace(
        said,
        data_sha256=sha256_of(path),
        wall_seconds=perf_counter() - began,
        answer=(*said.answer, *sentences(scores)),
        notes=(*said.notes, *found.notes, "A drop-out is a missing result, not a fail: such learners have no row."),
        sections={**({"score": scores} if scores else {}), **said.sections},
    )


def _forward_report(found: Snapshots, done: np.ndarray, forecasts: dict[str, Floats], seed: int) -> Report:
    """Passing, forecast forward by exam date with everything that learns."""
    rows = found.rows
    answer = served_by_then(rows, done, forecasts, seed)
    models = {"osler": answer[done], **{name: p[done] for name, p in forecasts.items()}}
    training = train(rows, seed=seed)
    rule = {
        name: {f"brier_less_{rival}_upper": verdict.upper for rival, verdict in verdicts.items()}
        for name, verdicts in training.verdicts.items()
    }
    return replace(
        _judged(rows.rows(done), found.days[done], models, seed),
        split="forward by exam date, without the learners of the dates forecast",
        status="cannot_tell" if training.beats_base_rate is False and training.served is None else "ok",
        notes=(training.says,),
        sections={"serving_rule": {"now_served": {"source": training.source}, **rule}},
    )


def _closed_form_report(found: Snapshots, seed: int) -> Report:
    """Passing as the closed form tells it, where nothing can be learnt yet and no base rate is known beforehand."""
    rows = found.rows
    return replace(
        _judged(rows, found.days, {"osler": rows.closed_form}, seed),
        split="the closed form alone, which learns nothing from results",
        status="insufficient_data",
        answer=(_too_few(rows),),
    )


def _judged(rows: Outcomes, days: Places, models: Mapping[str, Floats], seed: int) -> Report:
    judged = judge(rows.learner, rows.passed, models, seed=seed, weight="learners")
    by_day = {name: _by_day(rows.learner, rows.passed, p, days, seed) for name, p in models.items()}
    return Report(
        task="exam",
        n=rows.passed.size,
        learners=len(set(rows.learner.tolist())),
        split="",
        models={name: dated(result, by_day[name], learners=True) for name, result in judged.items()},
        data_sha256="",
        versions=versions(),
        seed=seed,
        wall_seconds=0.0,
    )


def _too_few(rows: Outcomes) -> str:
    came = rows.passed[one_an_outcome(rows)]
    rarer = int(min(came.sum(), came.size - came.sum()))
    return (
        f"Too few exam results: it takes {MIN_OUTCOMES} over several days, with {MIN_RARER} of the rarer outcome. "
        f"Something was known before {came.size}, with {rarer} of the rarer one: who passes cannot be told from them."
    )


def _by_day(learner: Strings, passed: Floats, p: Floats, days: Places, seed: int) -> dict[str, Row]:
    """Figures by days before the exam, the farthest first; nothing where a table does not say them."""
    return {
        str(day): figures(learner[days == day], passed[days == day], p[days == day], seed)
        for day in sorted(set(days[days > 0].tolist()), reverse=True)
    }
