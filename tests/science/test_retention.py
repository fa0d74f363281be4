import numpy as np
import pytest

from osler.science import fsrs_many
from osler.science.retention import Fading, alerts, forgetting_curve, weekly_retention


def test_each_week_has_its_share_its_interval_and_what_was_forecast():
    day = np.repeat([700, 708], 40)
    passed = np.arange(80) % 4 > 0
    forecast = np.where(np.arange(80) % 2 == 0, 0.8, np.nan)
    periods = weekly_retention(day, passed, forecast)
    assert [(p.first_day, p.n) for p in periods] == [(700, 40), (708, 40)]
    assert periods[0].retention.value == 0.75
    assert periods[0].retention.low < 0.75 < periods[0].retention.high
    assert periods[0].forecast == pytest.approx(0.8)


def test_thin_weeks_are_joined_with_their_neighbour():
    day = np.repeat([700, 707, 714, 721], [15, 10, 30, 5])
    periods = weekly_retention(day, np.ones(60, bool), np.full(60, np.nan))
    assert [(p.first_day, p.last_day, p.n) for p in periods] == [(700, 707, 25), (714, 721, 35)]
    assert periods[0].forecast is None
    assert weekly_retention(np.array([3]), np.array([True]), np.array([0.9]))[0].n == 1
    assert weekly_retention(np.zeros(0, int), np.zeros(0, bool), np.zeros(0)) == []


def test_a_curve_falls_and_its_band_widens_on_the_logit_scale():
    stability = np.array([3.0, 20.0, 90.0])
    curve = forgetting_curve(lambda day: fsrs_many.retrievability_many(stability, np.full(3, float(day))))
    assert len(curve) == 181
    values = [point.value for point in curve]
    assert values == sorted(values, reverse=True)

    def width(point):
        return np.log(point.high / (1 - point.high)) - np.log(point.low / (1 - point.low))

    assert width(curve[180]) > width(curve[10])
    assert all(p.low <= p.value <= p.high for p in curve)


def test_alerts_name_what_fades_most_exam_points_first():
    topics = [
        Fading("strong", 0.95, 0.5, 0),
        Fading("weak and small", 0.5, 0.1, 0),
        Fading("less weak and large", 0.8, 0.6, 2),
        Fading("strong but overdue", 0.95, 0.2, 1),
    ]
    assert [t.topic for t in alerts(topics, 0.9)] == ["less weak and large", "weak and small", "strong but overdue"]
