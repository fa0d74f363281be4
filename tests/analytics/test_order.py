"""Jobs run after those that they name, and an order that there is not is refused."""

from __future__ import annotations

import pytest

from osler.analytics.contract import Analytic, Refresh, Task
from osler.analytics.registry import SHIPPED, refreshes_of, resting_on, tasks_of
from osler.errors import Misconfigured


async def nothing(*_: object) -> None:
    """Stands for work."""


def made(*names_and_after: tuple[str, tuple[str, ...]]) -> list[Analytic]:
    jobs = [Refresh(name, nothing, after) for name, after in names_and_after]
    return [Analytic(job.name, "?", refreshes=(job,)) for job in jobs]


def test_every_shipped_job_comes_after_those_that_it_names():
    counted = [rollup.name for analytic in SHIPPED for rollup in analytic.rollups]
    names = [*counted, "mastery", *(job.name for job in (*refreshes_of(SHIPPED), *tasks_of(SHIPPED)))]
    for job in (*refreshes_of(SHIPPED), *tasks_of(SHIPPED)):
        for earlier in job.after:
            assert names.index(earlier) < names.index(job.name)
    assert len(names) == len(set(names))


def test_the_order_of_the_registry_stays_where_nothing_is_named():
    found = refreshes_of(made(("b", ()), ("a", ()), ("d", ("c",)), ("c", ("a",))))
    assert [job.name for job in found] == ["b", "a", "c", "d"]


@pytest.mark.parametrize("after", [("x",), ("b",)])
def test_a_name_that_there_is_not_and_a_circle_are_refused(after: tuple[str, ...]):
    with pytest.raises(Misconfigured, match="a is to run after"):
        refreshes_of(made(("a", after), ("b", ("a",))))


def test_tasks_come_after_everything_of_one_learner():
    [one] = made(("a", ()))
    task = Analytic("t", "?", tasks=(Task("t", nothing, ("a",)),))
    assert [job.name for job in tasks_of([task, one])] == ["t"]


def test_what_rests_on_a_job_is_what_comes_after_it_by_way_of_others_too():
    found = refreshes_of(made(("a", ()), ("b", ("a",)), ("c", ("b",)), ("d", ())))
    assert [resting_on(found, name) for name in "abcd"] == [["b", "c"], ["c"], [], []]
