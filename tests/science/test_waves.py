from hypothesis import given
from hypothesis import strategies as st

from osler.science.waves import waves_of


@given(st.lists(st.integers(0, 6), max_size=60))
def test_each_wave_holds_the_items_of_the_one_before_in_the_same_places(items):
    waves = waves_of(items)
    assert sorted(waves.order.tolist()) == list(range(len(items)))
    seen: dict[int, list[int]] = {}
    before: list[int] = []
    for rows in waves:
        here = [items[row] for row in waves.order[rows]]
        assert len(set(here)) == len(here)
        assert not before or here == before[: len(here)]
        before = here
        for row in waves.order[rows].tolist():
            seen.setdefault(items[row], []).append(row)
    assert all(rows == sorted(rows) for rows in seen.values())
    assert waves.items == len(set(items))
