# pandas ships few types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Can these tables of courses be used? The Open University's data set, without what would mislead.

A folder of `oulad_{student,student_registration,assessment,student_assessment,course}.csv.zst` (or `.csv`).
Source of the data: Kuzilek, Hlosta, Zdrahal 2017 (CC BY 4.0).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from osler.errors import UnreadableSource

RUN = ["code_module", "code_presentation"]
RESULTS = ("Pass", "Distinction", "Fail", "Withdrawn")
COLUMNS = {
    "student": [
        *RUN, "id_student", "gender", "region", "highest_education", "imd_band", "age_band", "num_of_prev_attempts",
        "studied_credits", "disability", "final_result",
    ],
    "student_registration": [*RUN, "id_student", "date_registration", "date_unregistration"],
    "assessment": [*RUN, "id_assessment", "date", "weight"],
    "student_assessment": ["id_assessment", "id_student", "date_submitted", "is_banked", "score"],
    "course": [*RUN, "module_presentation_length"],
}  # fmt: skip
KEYS = {
    "student": [*RUN, "id_student"],
    "student_registration": [*RUN, "id_student"],
    "assessment": ["id_assessment"],
    "student_assessment": ["id_assessment", "id_student"],
    "course": RUN,
}
NUMBERS = (
    "num_of_prev_attempts", "studied_credits", "date_registration", "date_unregistration", "date", "weight",
    "date_submitted", "score", "module_presentation_length",
)  # fmt: skip
YES = ("true", "1", "1.0")
ENDINGS = (".csv.zst", ".csv")
Mask = npt.NDArray[np.bool_]


def holds_courses(path: Path) -> bool:
    """Whether a folder holds this data set, whatever else is in it."""
    return any((path / f"oulad_student{ending}").exists() for ending in ENDINGS)


def read_tables(folder: Path, notes: list[str] | None = None) -> dict[str, pd.DataFrame]:
    """The five tables of a folder, each row once; what is left out goes to `notes`.

    Errors: UnreadableSource naming the file, and the column or the line, for what is missing or cannot be used.
    """
    said: list[str] = [] if notes is None else notes
    tables: dict[str, pd.DataFrame] = {}
    for name, columns in COLUMNS.items():
        found = [path for ending in ENDINGS if (path := folder / f"oulad_{name}{ending}").exists()]
        if not found:
            raise UnreadableSource(f"{folder.name} holds no oulad_{name}.csv.zst; the exam task needs it.")
        tables[name] = _once(_table(found[0], columns), KEYS[name], found[0], said)
        if name == "student":
            tables[name] = _with_result(tables[name], found[0], said)
    return tables


def _table(file: Path, columns: list[str]) -> Any:
    try:
        whole: Any = pd.read_csv(file, na_values=["?"])
    except (OSError, ValueError) as error:
        raise UnreadableSource(f"{file.name} cannot be read as a table: {error}") from error
    absent = [column for column in columns if column not in whole.columns]
    if absent:
        raise UnreadableSource(f"{file.name} has no column {absent[0]}.")
    table = whole[columns]
    for column in [column for column in NUMBERS if column in columns]:
        numbers: Any = pd.to_numeric(table[column], errors="coerce")
        _refuse(table, _mask(numbers.isna() & table[column].notna()), column, "which is no number", file)
        table = table.assign(**{column: numbers})
    if "is_banked" in columns:
        table = table.assign(is_banked=_mask(table["is_banked"].astype(str).str.lower().isin(YES)))
    if "code_presentation" in columns:
        begins_with_year = _mask(table["code_presentation"].astype(str).str.match(r"\d{4}"))
        _refuse(table, ~begins_with_year, "code_presentation", "which does not begin with a year", file)
    return table


def _once(table: Any, key: list[str], file: Path, notes: list[str]) -> Any:
    """Each row once. Two rows of one key that differ are refused: one of them would be counted for the other."""
    repeated = _mask(table.duplicated())
    if repeated.any():
        notes.append(f"Left out: {int(repeated.sum())} repeated rows of {file.name}.")
    kept = table.loc[~repeated]
    _refuse(kept, _mask(kept.duplicated(key)), key[-1], f"for which there is another row ({', '.join(key)})", file)
    return kept


def _with_result(table: Any, file: Path, notes: list[str]) -> Any:
    """The registrations of which it is known how they ended. A missing result is no pass."""
    known = _mask(table["final_result"].notna())
    told = _mask(table["final_result"].isin(RESULTS))
    _refuse(table, known & ~told, "final_result", f"none of {', '.join(RESULTS)}", file)
    if not known.all():
        notes.append(f"Left out: {int((~known).sum())} registrations without a final_result.")
    return table.loc[known]


def _mask(column: npt.ArrayLike) -> Mask:
    return np.asarray(column, dtype=np.bool_)


def _refuse(table: Any, bad: Mask, column: str, why: str, file: Path) -> None:
    rows = np.flatnonzero(bad)
    if rows.size:
        line, value = int(table.index[rows[0]]) + 2, table[column].iloc[rows[0]]
        raise UnreadableSource(f"{file.name}, line {line}: {column} is {value}, {why} ({rows.size} such rows).")
