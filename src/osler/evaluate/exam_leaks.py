# pandas ships few types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Does any exam forecast know what it is asked? Checks that fail where later work, or an outcome, reaches a row.

Each changes what must not matter and looks whether training or test rows move. They take the function that they put to
the test, so that their own sharpness is tested on planted leaks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from osler.evaluate.exam_oulad import Snapshot

Tables = Mapping[str, pd.DataFrame]
Part = Callable[[Tables, int], tuple[Snapshot, Snapshot]]
"""(training rows, test rows) of the tables as of a day."""


def checks(tables: Tables, day: int, part: Part) -> dict[str, dict[str, Any]]:
    """All checks as of one day, by name, with whether each passed."""
    before = part(tables, day)
    training, test = before
    return {
        "work handed in after the day moves no feature": {
            "passed": _same(before, part(_handed_in_after(tables, day), day))
        },
        "when somebody left after the day moves no feature": {
            "passed": _same(before, part(_left_after(tables, day), day))
        },
        "outcomes of the tested rows reach no feature and no training row": {
            "passed": _same(before, part(_other_outcomes(tables, test), day), labels_of_test=False)
        },
        "no learner of the training rows is tested": {
            "passed": not set(training.learner.tolist()) & set(test.learner.tolist())
        },
        "one row a registration": {"passed": _unique(training) and _unique(test)},
    }


def _handed_in_after(tables: Tables, day: int) -> Tables:
    given = tables["student_assessment"]
    late = given["date_submitted"] > day
    return {**tables, "student_assessment": given.assign(score=given["score"].where(~late, 100 - given["score"]))}


def _left_after(tables: Tables, day: int) -> Tables:
    registered = tables["student_registration"]
    left = registered["date_unregistration"]
    return {**tables, "student_registration": registered.assign(date_unregistration=left.where(left <= day))}


def _other_outcomes(tables: Tables, test: Snapshot) -> Tables:
    student = tables["student"]
    named = pd.MultiIndex.from_arrays([student["id_student"].astype(str), student["code_presentation"].astype(str)])
    tested = named.isin(list(zip(test.learner.tolist(), test.presentation.tolist(), strict=True)))
    at_risk = student["final_result"].isin(["Fail", "Withdrawn"])
    other = np.where(at_risk, "Pass", "Fail")
    return {**tables, "student": student.assign(final_result=np.where(tested, other, student["final_result"]))}


def _same(before: tuple[Snapshot, Snapshot], after: tuple[Snapshot, Snapshot], *, labels_of_test: bool = True) -> bool:
    return all(
        np.array_equal(one.categories, other.categories)
        and np.array_equal(one.numbers, other.numbers)
        and np.array_equal(one.learner, other.learner)
        and (np.array_equal(one.at_risk, other.at_risk) or not labels)
        for one, other, labels in zip(before, after, (True, labels_of_test), strict=True)
    )


def _unique(rows: Snapshot) -> bool:
    return len(set(zip(rows.learner.tolist(), rows.run.tolist(), strict=True))) == rows.learner.size
