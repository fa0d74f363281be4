# pandas ships few types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Can this table of snapshots be used? Read in one order, and refused by its row where it would mislead.

A row is what was known of a learner before an exam (`exam_snapshots` names the columns), with what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from osler.analytics.readiness.features import FEATURES
from osler.errors import UnreadableSource
from osler.evaluate.exam_fitting import Results
from osler.evaluate.exam_training import Floats, Outcomes, Places

COLUMNS = ("user_id", "exam_on", *FEATURES, "closed_form", "passed")


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Snapshots with what came of them; `days` (n,) before the exam, 0 where a table does not say; notes in words."""

    results: Results
    days: Places
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> Outcomes:
        """The snapshots without the closed form's scores."""
        return self.results.outcomes


def read_table(path: Path, as_of: date | None) -> Snapshots:
    """The snapshots of exams up to `as_of`. Errors: UnreadableSource for values that cannot be what they are called."""
    table = pd.read_csv(path)
    try:
        day = np.array([date.fromisoformat(str(value)).toordinal() for value in table["exam_on"]], dtype=np.int64)
        column = {name: np.asarray(table[name], dtype=np.float64) for name in (*FEATURES, "closed_form", "passed")}
        score, expected, sd = (
            np.asarray(table[name], np.float64) if name in table.columns else np.full(day.size, np.nan)
            for name in ("score", "expected", "score_sd")
        )
        everything = Outcomes(
            features=np.column_stack([column[name] for name in FEATURES]),
            closed_form=column["closed_form"],
            passed=column["passed"],
            score=score,
            learner=np.array([str(name) for name in table["user_id"]], dtype=np.str_),
            exam_on=day,
        )
        days = (
            np.nan_to_num(np.asarray(table["milestone"], np.float64)).astype(np.int64)
            if "milestone" in table.columns
            else np.zeros(day.size, np.int64)
        )
    except (ValueError, TypeError) as error:
        raise UnreadableSource(f"{path.name} holds a value that is no number or day: {error}") from error
    in_time = np.ones(day.size, dtype=bool) if as_of is None else day <= as_of.toordinal()
    found = Results(everything, expected, sd, np.full(day.size, "", dtype=np.str_))
    _refuse_impossible(found, days, path)
    kept, notes = _usable(everything, table, in_time)
    # In one order whatever that of the file is: the same table gives the same figures.
    order = np.lexsort((-days[kept], everything.learner[kept], day[kept]))
    snapshots = Snapshots(found.rows(kept).rows(order), days[kept][order], notes)
    _refuse_two_results(snapshots, path)
    return snapshots


def _refuse_impossible(found: Results, days: Places, path: Path) -> None:
    """Errors: UnreadableSource, naming the row, for what is no share, no result, or forecast after the exam."""
    rows = found.outcomes
    for what, values, good in (
        ("passed", rows.passed, np.isin(rows.passed, (0.0, 1.0))),
        ("closed_form", rows.closed_form, _is_share(rows.closed_form)),
        ("score", rows.score, _is_share(rows.score)),
        ("expected", found.expected, _is_share(found.expected)),
        ("score_sd", found.sd, _is_share(found.sd)),
        ("milestone", days.astype(np.float64), days >= 0),
    ):
        bad = np.flatnonzero(np.isfinite(values) & ~good)
        if bad.size:
            said = f"{path.name}, row {int(bad[0]) + 2}: {what} is {values[bad[0]]:g} ({bad.size} such rows)."
            raise UnreadableSource(said)


def _is_share(values: Floats) -> npt.NDArray[np.bool_]:
    return (values >= 0) & (values <= 1)


def _refuse_two_results(found: Snapshots, path: Path) -> None:
    """Errors: UnreadableSource where a learner has two results of one day; rows stand in the order of both."""
    rows = found.rows
    same = (rows.learner[1:] == rows.learner[:-1]) & (rows.exam_on[1:] == rows.exam_on[:-1])
    differ = (rows.passed[1:] != rows.passed[:-1]) | (
        (rows.score[1:] != rows.score[:-1]) & np.isfinite(rows.score[1:]) & np.isfinite(rows.score[:-1])
    )
    bad = np.flatnonzero(same & differ)
    if bad.size:
        who, when = rows.learner[bad[0]], date.fromordinal(int(rows.exam_on[bad[0]]))
        raise UnreadableSource(f"{path.name}: {who} has two results of the exam on {when} ({bad.size} such).")


def _usable(
    rows: Outcomes, table: pd.DataFrame, in_time: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.bool_], tuple[str, ...]]:
    """The rows with a result and a forecast, each once, and what was left out.

    A drop-out has no result: a missing `passed` is not a fail.
    """
    left_out = {
        "rows without a result (a drop-out is no fail)": ~np.isfinite(rows.passed),
        "rows without the closed form": ~np.isfinite(rows.closed_form),
        "repeated rows": np.asarray(table.duplicated(), dtype=np.bool_),
    }
    kept, notes = in_time, list[str]()
    for what, out in left_out.items():
        if (kept & out).any():
            notes.append(f"Left out: {int((kept & out).sum())} {what}.")
            kept = kept & ~out
    return kept, tuple(notes)
