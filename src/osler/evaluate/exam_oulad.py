# pandas ships few types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false, reportArgumentType=false, reportCallIssue=false
"""What was known of each registration on a day of the course? The Open University data set as as-of features.

From the tables that `exam_tables` reads. `date_unregistration` decides only who was still registered on that day: later
values are never read, as they are the outcome. Banked results come from an earlier presentation and are left out.
Source of the data: Kuzilek, Hlosta, Zdrahal 2017 (CC BY 4.0).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from osler.evaluate.exam_tables import RUN

Floats = npt.NDArray[np.float64]
Strings = npt.NDArray[np.str_]

CATEGORIES = ("code_module", "gender", "region", "highest_education", "imd_band", "age_band", "disability")
NUMBERS = (
    "num_of_prev_attempts", "studied_credits", "date_registration", "module_presentation_length", "submitted",
    "mean_score", "minimum_score", "last_score", "mean_lateness", "points", "points_of_due", "submitted_of_due",
    "none_submitted", "due",
)  # fmt: skip
MISSING = "missing"
MISSING_REGISTRATION = -30.0
LATENESS = 60.0
START_MONTH = {"B": 2, "J": 10}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Registrations as known on one day of the course; one row each.

    Shapes: `categories` (n, 7) strings and `numbers` (n, 14) floats in the order of CATEGORIES and NUMBERS; `at_risk`
    (n,) is 1 for Fail or Withdrawn; `learner`, `run` (module and presentation), `presentation` (n,). `levels` are the
    values that each category takes on that day in any presentation, in order; what is missing is none of them.
    """

    categories: Strings
    numbers: Floats
    at_risk: Floats
    learner: Strings
    run: Strings
    presentation: Strings
    levels: tuple[tuple[str, ...], ...]

    def rows(self, mask: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Snapshot:
        """The same for some rows only, chosen by a mask or by their places."""
        return Snapshot(
            self.categories[mask], self.numbers[mask], self.at_risk[mask], self.learner[mask], self.run[mask],
            self.presentation[mask], self.levels,
        )  # fmt: skip


def started_by(tables: Mapping[str, pd.DataFrame], as_of: date | None) -> dict[str, pd.DataFrame]:
    """Without the presentations that began after a day (B begins in February, J in October)."""
    if as_of is None:
        return dict(tables)
    kept: dict[str, pd.DataFrame] = {}
    for name, table in tables.items():
        if "code_presentation" not in table.columns:
            kept[name] = table
            continue
        code = table["code_presentation"].astype(str)
        begun = [date(int(c[:4]), START_MONTH.get(c[4:5], 1), 1) <= as_of for c in code]
        kept[name] = table[np.array(begun, dtype=bool)]
    return kept


def _submissions(tables: Mapping[str, pd.DataFrame], day: int) -> pd.DataFrame:
    """One row per registration: what had been handed in by the day and was not banked."""
    given = tables["student_assessment"].merge(tables["assessment"], on="id_assessment")
    given = given[(given["date_submitted"] <= day) & ~given["is_banked"]]
    given = given.sort_values(["date_submitted", "id_assessment"], kind="stable")
    given = given.assign(lateness=given["date_submitted"] - given["date"], points=given["score"] * given["weight"])
    found = given.groupby([*RUN, "id_student"]).agg(
        submitted=("id_assessment", "size"), mean_score=("score", "mean"), minimum_score=("score", "min"),
        last_score=("score", "last"), mean_lateness=("lateness", "mean"), points=("points", "sum"),
    )  # fmt: skip
    return found.assign(mean_lateness=found["mean_lateness"].clip(-LATENESS, LATENESS)).reset_index()


def _due(tables: Mapping[str, pd.DataFrame], day: int) -> pd.DataFrame:
    asked = tables["assessment"][tables["assessment"]["date"] <= day]
    return asked.groupby(RUN).agg(due=("id_assessment", "size"), weight_due=("weight", "sum")).reset_index()


def _share(part: npt.ArrayLike, whole: npt.ArrayLike) -> Floats:
    """Part of whole, of 1 where nothing is due: work handed in before it is due counts, and may count for more."""
    return np.asarray(part, dtype=np.float64) / np.maximum(np.asarray(whole, dtype=np.float64), 1.0)


def snapshot(tables: Mapping[str, pd.DataFrame], day: int) -> Snapshot:
    """All registrations that existed on the day and had not been ended by then, with what was known of them."""
    rows = tables["student"].merge(tables["student_registration"], on=[*RUN, "id_student"])
    rows = rows.assign(date_registration=rows["date_registration"].fillna(MISSING_REGISTRATION))
    left = rows["date_unregistration"].notna() & (rows["date_unregistration"] <= day)
    rows = rows[(rows["date_registration"] <= day) & ~left].drop(columns="date_unregistration")
    rows = rows.merge(tables["course"], on=RUN, how="left").merge(_due(tables, day), on=RUN, how="left")
    rows = rows.merge(_submissions(tables, day), on=[*RUN, "id_student"], how="left")
    counted = ["due", "weight_due", "submitted", "points", "mean_score", "minimum_score", "last_score", "mean_lateness"]
    rows[counted] = rows[counted].fillna(0.0)
    rows = rows.assign(
        points_of_due=_share(rows["points"], rows["weight_due"]),
        submitted_of_due=_share(rows["submitted"], rows["due"]),
        none_submitted=(rows["submitted"] == 0).astype(float),
    )
    rows = rows.sort_values([*RUN, "id_student"], kind="stable")
    text = {name: rows[name].fillna(MISSING).astype(str).to_numpy(dtype=np.str_) for name in (*CATEGORIES, *RUN)}
    categories = np.column_stack([text[name] for name in CATEGORIES])
    return Snapshot(
        categories=categories,
        numbers=rows[list(NUMBERS)].fillna(0.0).to_numpy(dtype=np.float64),
        at_risk=rows["final_result"].isin(["Fail", "Withdrawn"]).to_numpy(dtype=np.float64),
        learner=rows["id_student"].astype(str).to_numpy(dtype=np.str_),
        run=np.char.add(np.char.add(text["code_module"], " "), text["code_presentation"]),
        presentation=text["code_presentation"],
        levels=tuple(tuple(v for v in np.unique(own).tolist() if v != MISSING) for own in categories.T),
    )
