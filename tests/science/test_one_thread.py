import threadpoolctl

from osler.science import one_thread as module
from osler.science.one_thread import one_thread


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}


def test_blas_runs_on_one_thread_inside_and_as_before_outside():
    before = blas_threads()
    with one_thread():
        assert blas_threads() <= {1}
    assert blas_threads() == before


def test_without_the_library_nothing_happens(monkeypatch):
    monkeypatch.setattr(module, "_controller", lambda: None)
    with one_thread():
        pass
