import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science import sbd
from osler.science.waves import waves_of

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "sbd.json").read_text())


@pytest.mark.parametrize("path", GOLDEN["paths"])
def test_golden_paths(path):
    trace = None
    for rating, days, recall, s, fails in path:
        if trace is None:
            trace = sbd.first(rating)
        else:
            assert sbd.recall(trace, days) == pytest.approx(recall, abs=5e-7)
            trace = sbd.step(trace, days, rating)
        assert math.exp(trace.log_s) == pytest.approx(s, abs=5e-7)
        assert trace.fails == fails


def test_the_fold_in_waves_equals_each_item_by_itself():
    rng = np.random.default_rng(0)
    item, rating = rng.integers(0, 50, 700), rng.integers(1, 5, 700)
    days = np.where(rng.random(700) < 0.2, rng.random(700) / 50, rng.exponential(6, 700))
    folded = sbd.fold(waves_of(item), days, rating)
    traces: dict[int, sbd.Trace] = {}
    for row, (i, t, g) in enumerate(zip(item.tolist(), days.tolist(), rating.tolist(), strict=True)):
        if i in traces:
            assert folded.forecast[row] == pytest.approx(sbd.recall(traces[i], t), rel=1e-12)
            traces[i] = sbd.step(traces[i], t, g)
        else:
            assert np.isnan(folded.forecast[row])
            traces[i] = sbd.first(g)
        assert folded.log_s[row] == pytest.approx(traces[i].log_s, rel=1e-11, abs=1e-11)
        assert folded.fails[row] == traces[i].fails


@given(
    st.lists(st.tuples(st.integers(1, 4), st.floats(0, 4000)), min_size=1, max_size=80),
    st.floats(0, 300),
    st.floats(0, 300),
)
def test_any_history_stays_inside_its_ranges_and_recall_falls_with_time(history, a, b):
    trace = sbd.first(history[0][0])
    for rating, days in history[1:]:
        trace = sbd.step(trace, days, rating)
        assert sbd.LOG_S[0] <= trace.log_s <= sbd.LOG_S[1]
        assert 0 <= trace.fails <= sbd.FAILS_MAX
    sooner, later = sorted((a, b))
    assert sbd.RECALL[0] <= sbd.recall(trace, later) <= sbd.recall(trace, sooner) <= sbd.RECALL[1]


def test_a_pass_adds_and_a_failure_takes_away():
    trace = sbd.first(3)
    assert sbd.step(trace, 2, 3).log_s > trace.log_s > sbd.step(trace, 2, 1).log_s


def test_time_within_a_day_counts():
    trace = sbd.first(1)
    assert sbd.recall(trace, 1 / 1440) > sbd.recall(trace, 0.4)


@pytest.mark.parametrize("bad", [{"k": 0.4}, {"c": -0.1}, {"low": 2.0, "high": 1.0}, {"v": float("nan")}])
def test_parameters_that_cannot_be_used_are_refused(bad):
    with pytest.raises(InvalidModelInput):
        sbd.checked(sbd.POPULATION._replace(**bad))


def test_a_rating_outside_the_scale_is_refused():
    with pytest.raises(InvalidModelInput):
        sbd.first(0)
    with pytest.raises(InvalidModelInput):
        sbd.step(sbd.first(3), 1, 5)
