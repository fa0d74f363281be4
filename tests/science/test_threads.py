import sys

import threadpoolctl

from osler.science.threads import one_thread


def threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}


def test_everything_runs_on_one_thread_inside_and_as_before_outside():
    before = threads()
    with one_thread():
        assert threads() <= {1}
    assert threads() == before


def test_without_the_library_nothing_happens(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    before = threads()
    with one_thread():
        assert threads() == before
