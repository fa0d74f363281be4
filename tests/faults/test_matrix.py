"""Does every row that is owed have a test, and does that test read the counts that the row declares?"""

import pytest
from tests.support.matrix import ROOT, ROWS, covering_tests

COVERED = covering_tests()


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_test_named_after_it(row: str) -> None:
    assert COVERED.get(row), f"{row} ({ROWS[row].what}): no test's name starts with test_{row.lower()}_"
    vitest = ROWS[row].vitest
    assert vitest is None or f"{row}:" in (ROOT / vitest).read_text()


@pytest.mark.parametrize("row", [name for name, row in ROWS.items() if row.counts])
def test_every_count_is_read_by_a_test_of_its_row(row: str) -> None:
    texts = [(ROOT / name.split("::")[0]).read_text() for name in COVERED[row] if "::" in name]
    for name in ROWS[row].counts:
        assert any(f'count("{row}", "{name}")' in text for text in texts), f"nobody reads {name} of {row}"


def test_a_full_count_is_never_under_the_small_one() -> None:
    for name, row in ROWS.items():
        for counted, (small, full) in row.counts.items():
            assert 0 < small <= full, (name, counted)
