"""How a value stands in a cell of CSV: a spreadsheet must read it, and must not run it. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def cell(value: Any) -> str | int | float:
    """The value as a cell. Text that a spreadsheet would run gets an apostrophe before it; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    text = _text(value)
    return f"'{text}" if text.startswith(STARTS_A_FORMULA) else text


def csv_lines(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows as RFC 4180 writes them: CR LF, quotes where they are needed, UTF-8."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([[cell(value) for value in row] for row in rows])
    return out.getvalue().encode("utf-8", "replace")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):
        return value
    if isinstance(value, list | dict | tuple | msgspec.Raw):
        return msgspec.json.encode(value, enc_hook=str).decode()
    return str(value)
