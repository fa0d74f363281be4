# pandas ships few types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Task `exam` on a deployment's own results: closed form, trained models, and what would have been served by then.

Reads a table of snapshots: `user_id`, `exam_on` (ISO day), the brief's eight features (empty where missing),
`closed_form` (P(pass) as of the snapshot), `passed` (0/1), and `score` (share of points) where it is known. `osler` is
forecast block by block of exam dates: a trained model only from the block on before which it had won on earlier ones.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate.exam_training import (
    Floats,
    Outcomes,
    enough,
    exam_blocks,
    forward,
    train,
    winners,
)
from osler.evaluate.protocol import Progress, sha256_of, versions
from osler.evaluate.report import Report, judge

FEATURES = (
    "avg_mastery_score", "topics_mastered", "topics_weak", "accuracy_30d", "study_minutes_total",
    "first_attempt_accuracy", "questions_attempted_total", "days_since_start",
)  # fmt: skip
COLUMNS = ("user_id", "exam_on", *FEATURES, "closed_form", "passed")


def is_snapshots(path: Path) -> bool:
    """Whether a file's first line names the columns of exam snapshots."""
    try:
        return set(COLUMNS) <= set(pd.read_csv(path, nrows=0).columns)
    except (ValueError, OSError):
        return False


def read(path: Path, as_of: date | None) -> Outcomes:
    """The snapshots of exams up to `as_of`. Errors: UnreadableSource for values that are no numbers."""
    table = pd.read_csv(path)
    try:
        day = np.array([date.fromisoformat(str(value)).toordinal() for value in table["exam_on"]], dtype=np.int64)
        column = {name: np.asarray(table[name], dtype=np.float64) for name in (*FEATURES, "closed_form", "passed")}
        score = np.asarray(table["score"], dtype=np.float64) if "score" in table.columns else np.full(day.size, np.nan)
        everything = Outcomes(
            features=np.column_stack([column[name] for name in FEATURES]),
            closed_form=column["closed_form"],
            passed=column["passed"],
            score=score,
            learner=np.array([str(name) for name in table["user_id"]], dtype=np.str_),
            exam_on=day,
        )
    except (ValueError, TypeError) as error:
        raise UnreadableSource(f"{path.name} holds a value that is no number or day: {error}") from error
    return everything.rows(np.ones(day.size, dtype=bool) if as_of is None else day <= as_of.toordinal())


def served_by_then(rows: Outcomes, done: np.ndarray, forecasts: dict[str, Floats], seed: int) -> Floats:
    """What Osler would have answered: the closed form, until a trained model had won on earlier exam dates."""
    answer = rows.closed_form.copy()
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
    """The report on a table of snapshots. Errors: InvalidInput where no exam could be forecast from earlier ones."""
    began = perf_counter()
    rows = read(path, as_of)
    done, found = forward(rows, seed)
    if not done.any() or not enough(rows):
        raise InvalidInput("Too few exam results: it takes 100, with 20 of the rarer outcome.")
    progress("forward", 1, 2)
    answer = served_by_then(rows, done, found, seed)
    models = {"osler": answer[done], **{name: p[done] for name, p in found.items()}}
    training = train(rows, seed=seed)
    progress("rule", 2, 2)
    rule = {
        name: {f"brier_less_{rival}_upper": verdict.upper for rival, verdict in verdicts.items()}
        for name, verdicts in training.verdicts.items()
    }
    return Report(
        task="exam",
        n=int(done.sum()),
        learners=len(set(rows.learner[done].tolist())),
        split="forward by exam date, without the learners of the dates forecast",
        models=judge(rows.learner[done], rows.passed[done], models, seed=seed, weight="learners"),
        data_sha256=sha256_of(path),
        versions=versions(),
        seed=seed,
        wall_seconds=perf_counter() - began,
        notes=(training.says, "A drop-out is a missing result, not a fail: such learners have no row."),
        sections={"serving_rule": {"now_served": {"source": training.source}, **rule}},
    )
