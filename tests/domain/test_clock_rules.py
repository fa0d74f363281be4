"""Instants, offsets, corrections, study days: forty golden cases and the rules around them."""

from __future__ import annotations

import json
import resource
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from osler.domain.clock_rules import (
    MINUTE_US,
    SECOND_US,
    Home,
    Instant,
    conclude,
    exact_skew_us,
    instant_of,
    local_date_of,
    parse_instant,
    us_of,
    zone_named,
    zone_offset_minutes,
)
from osler.domain.outcomes import Code, EventProblem, Warn

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "local_days.json").read_text())["cases"]
HOUR = 60 * MINUTE_US
NOW = us_of(datetime(2026, 11, 22, 12, tzinfo=UTC))


def test_there_are_forty_golden_cases():
    assert len(GOLDEN) == 40


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['utc']} {case['zone']}")
def test_golden_local_days(case):
    us = us_of(datetime.fromisoformat(case["utc"]).replace(tzinfo=UTC))
    offset = zone_offset_minutes(case["zone"], us)
    assert instant_of(us + offset * MINUTE_US).replace(tzinfo=None).isoformat() == case["wall_clock"]
    assert local_date_of(us, offset, 240).isoformat() == case["local_date"]


@pytest.mark.parametrize(
    ("raw", "us", "offset"),
    [
        ("2026-11-22T07:28:11.004+05:30", 1_795_312_691_004_000, 330),
        ("2026-11-22T01:58:11.004Z", 1_795_312_691_004_000, None),
        ("2026-11-22T01:58:11.004+00:00", 1_795_312_691_004_000, 0),
        ("2026-11-22T01:58:11.004-00:00", 1_795_312_691_004_000, None),
        ("2026-11-22T01:58:11.0041239Z", 1_795_312_691_004_123, None),
        ("2026-12-31T23:59:60Z", us_of(datetime(2026, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)), None),
    ],
)
def test_reads_an_instant(raw, us, offset):
    assert parse_instant(raw) == Instant(us, offset)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("2026-11-22T07:28:11", Code.TIME_NO_OFFSET),
        ("2026-11-22T07:28:11+14:01", Code.TIME_OFFSET_RANGE),
        ("2026-11-22T07:28:11-12:30", Code.TIME_OFFSET_RANGE),
        ("2026-11-22T07:28:11+05:75", Code.TIME_OFFSET_RANGE),
        ("2026-02-29T07:28:11Z", Code.TIME_UNPARSEABLE),
        ("2026-11-22 07:28:11Z", Code.TIME_UNPARSEABLE),
        ("2026-W47-1T07:28:11Z", Code.TIME_UNPARSEABLE),
        ("1999-12-31T23:59:59Z", Code.TIME_UNPARSEABLE),
        ("2101-01-01T00:00:00Z", Code.TIME_UNPARSEABLE),
        ("294276-01-01T00:00:00Z", Code.TIME_UNPARSEABLE),
        ("infinity", Code.TIME_UNPARSEABLE),
        ("-1", Code.TIME_UNPARSEABLE),
        ("２０26-11-22T07:28:11Z", Code.TIME_UNPARSEABLE),
        ("2026-11-22T07:28:60Z", Code.TIME_UNPARSEABLE),
    ],
)
def test_refuses_what_is_no_instant(raw, code):
    with pytest.raises(EventProblem) as refused:
        parse_instant(raw)
    assert refused.value.code is code


def _concluded(skew_us: int, **more: object):
    options: dict = {"tz": None, "home": Home("Asia/Kolkata"), "received_us": NOW, "skew_us": skew_us} | more
    return conclude(Instant(NOW - HOUR, options.pop("offset", None)), **options)


def test_a_small_skew_changes_nothing_and_a_large_one_shifts():
    assert _concluded(120 * SECOND_US).effective_us == NOW - HOUR
    shifted = _concluded(3 * HOUR)
    assert shifted.effective_us == NOW + 2 * HOUR
    assert Warn.CLOCK_SKEWED in shifted.warnings


def test_a_clock_that_is_a_day_wrong_cannot_be_used():
    with pytest.raises(EventProblem) as refused:
        _concluded(25 * HOUR)
    assert refused.value.code is Code.CLOCK_UNUSABLE


def test_an_explicit_offset_wins_then_the_zone_then_the_learner():
    assert (_concluded(0, offset=-210).utc_offset_minutes, _concluded(0, offset=-210).zone_source) == (-210, "offset")
    named = _concluded(0, tz="Europe/London")
    assert (named.utc_offset_minutes, named.zone_source) == (0, "tz")
    home = _concluded(0)
    assert (home.utc_offset_minutes, home.zone_source, home.local_date) == (330, "learner", date(2026, 11, 22))


def test_no_file_left_to_open_says_nothing_about_a_zone():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="open files"):
            zone_named("Pacific/Rarotonga")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert zone_named("Pacific/Rarotonga").key == "Pacific/Rarotonga"
    for name in ("Europe", "Europe/Nowhere", "/etc/passwd", "zone.tab"):
        with pytest.raises(EventProblem):
            zone_named(name)


def test_warnings_about_zone_lateness_and_the_future():
    assert Warn.ZONE_MISMATCH in _concluded(0, offset=0, tz="Asia/Kolkata").warnings
    assert Warn.LATE in _concluded(0, received_us=NOW + 8 * 24 * HOUR).warnings
    assert Warn.CLOCK_AHEAD in _concluded(0, received_us=NOW - HOUR - 6 * MINUTE_US).warnings
    assert Warn.CLOCK_AHEAD not in _concluded(0, received_us=NOW - HOUR - MINUTE_US).warnings
    assert Warn.TIME_COARSE in _concluded(0, time_precision="day").warnings


def test_the_monotonic_clock_tells_the_skew_of_each_event():
    assert exact_skew_us(NOW - 5 * HOUR, NOW, 1_000, 1_000 + 3_600_000, same_boot=True) == 4 * HOUR
    assert exact_skew_us(NOW, NOW, 1_000, 500, same_boot=True) is None
    assert exact_skew_us(NOW, NOW, 1_000, 2_000, same_boot=False) is None
