"""What past results taught, as it is stored: read back the same, refused when it could not serve."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.errors import InvalidModelInput
from osler.science.calibration import Calibration, isotonic_recalibration, logistic_recalibration
from osler.science.exam_learned import ExamModel, around, decode, encode

LEARNED = ExamModel("step", 0.6, 240, 200, Calibration("logistic", 240, (-0.2,), (0.8,)), 1.8, {"class": 1.5}, 0.002)


def test_a_model_is_read_back_as_it_was():
    assert decode(encode(LEARNED)) == LEARNED
    assert encode(decode(encode(LEARNED))) == encode(LEARNED)


def test_a_learner_has_the_width_of_their_class_where_it_has_one():
    assert (LEARNED.factor("class"), LEARNED.factor("other"), LEARNED.factor(None)) == (1.5, 1.8, 1.8)
    assert LEARNED.source == "closed_form"


@pytest.mark.parametrize(
    "broken",
    [
        {"interval_factor": 0.0},
        {"cohort_factors": {"class": -1.0}},
        {"error_variance": -0.1},
        {"calibration": Calibration("logistic", 40, (0.0,), (-0.5,))},
        {"calibration": Calibration("logistic", 40, (), ())},
        {"calibration": Calibration("isotonic", 1200, (0.1, 0.5), (0.6, 0.4))},
        {"calibration": Calibration("isotonic", 1200, (0.1, 0.5), (0.6, 1.4))},
    ],
)
def test_what_could_not_serve_is_refused(broken):
    with pytest.raises(InvalidModelInput):
        decode(encode(msgspec.structs.replace(LEARNED, **broken)))
    with pytest.raises(InvalidModelInput):
        decode(b'{"exam_id": "step"}')


chances = st.floats(0.001, 0.999)


@given(chances, chances, chances, chances)
def test_a_carried_interval_holds_its_value_and_stays_a_chance(value, centre, low, high):
    low, centre, high = sorted((low, centre, high))
    made = around(value, centre, low, high)
    assert 0 <= made[0] <= value <= made[1] <= 1
    assert around(centre, centre, low, high) == pytest.approx((low, high), abs=1e-9)


def test_the_threshold_is_the_forecast_that_is_worth_as_much():
    forecasts = [0.1, 0.3, 0.5, 0.7, 0.9] * 60
    came = [0, 0, 0, 1, 1] * 60
    for made in (logistic_recalibration(forecasts, came), isotonic_recalibration(forecasts, came)):
        found = made.threshold(0.5)
        assert made.apply(found) >= 0.5 > made.apply(found - 0.002)
    assert Calibration("isotonic", 1000, (0.1, 0.9), (0.2, 0.8)).threshold(0.9) == float("inf")
    assert Calibration("uncalibrated", 0).threshold(0.9) == 0.9
