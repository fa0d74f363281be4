"""H15: a spreadsheet reads the cells of an export and runs none of them; numbers stay numbers."""

import csv
import io
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.privacy.cells import STARTS_A_FORMULA, cell, csv_lines


@pytest.mark.parametrize("start", STARTS_A_FORMULA)
def test_h15_text_that_a_spreadsheet_would_run_gets_an_apostrophe(start: str) -> None:
    assert cell(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"
    assert cell(["=1"]) == '["=1"]'


@pytest.mark.parametrize("number", [-5, 0, 7, -0.25, 1e-9, -1e300])
def test_h15_numbers_stay_numbers(number: float) -> None:
    (row,) = csv.reader(io.StringIO(csv_lines([[number]]).decode(), newline=""))
    assert float(row[0]) == number


def test_values_stand_as_a_person_reads_them() -> None:
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)
    row = [None, True, at, date(2026, 11, 22), UUID(int=1), b"\x01\xff", {"a": -1}, 'a "b",\nc']
    written = csv_lines([row]).decode()
    assert written.endswith("\r\n")
    assert next(csv.reader(io.StringIO(written, newline=""))) == [
        "", "true", "2026-11-22T10:00:00+00:00", "2026-11-22", str(UUID(int=1)), "01ff", '{"a":-1}', 'a "b",\nc',
    ]  # fmt: skip


@given(st.lists(st.one_of(st.text(), st.integers(), st.none(), st.lists(st.text())), min_size=1))
def test_h15_whatever_is_written_no_text_cell_begins_a_formula(row: list[object]) -> None:
    read = next(csv.reader(io.StringIO(csv_lines([row]).decode(), newline="")), [""])
    for value, written in zip(row, read, strict=True):
        assert isinstance(value, int) or not written.startswith(STARTS_A_FORMULA)
