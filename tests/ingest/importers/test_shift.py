"""Moving a data set keeps weekday, time of day, gaps and the random part of ids; the same move gives the same ids."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from osler.domain.identity import uuid7_ms
from osler.ingest.importers.record import SourceRecord, WireEvent, event
from osler.ingest.importers.shift import shifted, weeks_to

instants = st.datetimes(datetime(2006, 1, 1), datetime(2030, 1, 1)).map(
    lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000, tzinfo=UTC)
)


def records(times: list[datetime]) -> list[SourceRecord]:
    made = [event("t", str(n), "session_end", at, {}) for n, at in enumerate(times)]
    return [SourceRecord((each,)) for each in made]


@given(st.lists(instants, min_size=1, max_size=5), st.dates(date(2015, 1, 1), date(2026, 12, 31)))
def test_the_newest_event_ends_on_the_day_or_in_the_week_before(times: list[datetime], end_on: date) -> None:
    by = weeks_to(records(times), end_on)
    assert by % timedelta(weeks=1) == timedelta(0)
    assert timedelta(0) <= end_on - (max(times) + by).date() < timedelta(weeks=1)


@given(instants, st.integers(-500, 500))
def test_id_and_time_move_together(at: datetime, weeks: int) -> None:
    by = timedelta(weeks=weeks)
    before = records([at])[0].events[0]
    after = shifted(before, by)
    assert datetime.fromisoformat(after["occurred_at"]) == at + by
    assert uuid7_ms(UUID(after["id"])) == round((at + by).timestamp() * 1000)
    assert UUID(after["id"]).int & (1 << 80) - 1 == UUID(before["id"]).int & (1 << 80) - 1
    assert shifted(before, by) == after


def test_a_time_that_said_only_utc_still_says_only_that() -> None:
    made = event("t", "1", "session_end", datetime(2020, 1, 1, tzinfo=UTC), {}, offset_is_known=False)
    assert made["occurred_at"] == "2020-01-01T00:00:00.000Z"
    assert shifted(made, timedelta(weeks=1))["occurred_at"] == "2020-01-08T00:00:00.000Z"


def test_an_event_without_a_time_is_left_for_ingestion_to_reject() -> None:
    broken: list[WireEvent] = [{}, {"id": "x", "occurred_at": "now"}]
    assert [shifted(each, timedelta(weeks=1)) for each in broken] == broken
    assert weeks_to([SourceRecord((each,)) for each in broken], date(2020, 1, 1)) == timedelta(0)
