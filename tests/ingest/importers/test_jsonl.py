"""Which files are read as Osler's own events, and which are said to be something else before anything is stored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from osler.errors import UnreadableSource
from osler.ingest.importers.jsonl import LOOKED_AT, JsonlSource
from osler.ingest.importers.record import ImportOptions

EVENT = json.dumps({"id": "x", "type": "question_submit", "data": {}})
STATEMENT = json.dumps({"actor": {}, "verb": {}, "object": {}})


def opened(tmp_path: Path, lines: list[str]) -> JsonlSource:
    path = tmp_path / "some.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return JsonlSource(path, ImportOptions(zone="UTC"))


def test_good_lines_among_bad_ones_are_all_read(tmp_path: Path) -> None:
    bad = ['{"torn', *['{"a": 1}'] * (LOOKED_AT - 2)]
    source = opened(tmp_path, ["", *bad, EVENT, *['{"b": 2}'] * (3 * LOOKED_AT), EVENT])
    records = list(source.records())
    assert len(records) == 4 * LOOKED_AT + 1
    assert sum(record.events[:1] == ({"id": "x", "type": "question_submit", "data": {}},) for record in records) == 2


def test_a_file_of_which_nothing_is_understood_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnreadableSource, match=r"first 1,000 lines.*osler import --help"):
        opened(tmp_path, ['{"a": 1}'] * LOOKED_AT)


@pytest.mark.parametrize("n", [1, 22, LOOKED_AT + 1])
def test_statements_are_told_by_name_however_few(tmp_path: Path, n: int) -> None:
    with pytest.raises(UnreadableSource, match=r"xAPI statements.*: osler import xapi .*some\.jsonl"):
        opened(tmp_path, [STATEMENT] * n)


def test_a_few_lines_that_say_nothing_are_counted_as_ever(tmp_path: Path) -> None:
    assert len(list(opened(tmp_path, ['{"a": 1}', '{"torn']).records())) == 2
