"""The answer to a batch as it is written is the answer as it is made of outcomes."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from osler.domain.identity import new_event_id
from osler.domain.outcomes import Code, EventProblem, Status, Warn
from osler.eventlog.entries import Rows
from osler.ingest.pipeline import Taken
from osler.ingest.routes.answers import results
from osler.ingest.work import Outcome, Ready

NONE, COARSE, TWO = (), (Warn.TIME_COARSE,), (Warn.LATE, Warn.QUESTION_UNKNOWN)


def taken(places: list[int], warnings: list[tuple[Warn, ...]], others: dict[int, Outcome] | None = None) -> Taken:
    ids = [str(new_event_id(1_790_000_000_000 + n)) for n in places]
    accepted = Ready(places, Rows(event_id=ids), warnings)
    return Taken(datetime(2026, 11, 22, tzinfo=UTC), None, accepted, others or {})


@pytest.mark.parametrize(
    ("places", "warnings", "others"),
    [
        ([0, 1, 2], [NONE, NONE, NONE], []),
        ([0, 1, 2], [NONE, COARSE, TWO], []),
        ([2, 0, 1], [TWO, NONE, NONE], []),
        ([3, 1], [NONE, COARSE], [0, 2]),
        ([], [], [0, 1]),
    ],
)
def test_what_is_written_is_what_the_outcomes_say(places, warnings, others):
    problem = EventProblem(Code.SCHEMA_RANGE, "/data/confidence")
    found = taken(places, warnings, {place: Outcome.of(place, None, problem) for place in others})
    assert results(found) == msgspec.json.encode(found.outcomes)
    assert [each.index for each in found.outcomes] == list(range(len(places) + len(others)))
    assert found.counts()[Status.ACCEPTED.value] == len(places)
    assert found.counts()[Status.REJECTED.value] == len(others)
