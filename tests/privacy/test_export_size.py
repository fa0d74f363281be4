"""P06: an export of 50,000 events takes at most 30 seconds and 50 MB, whatever is derived from them."""

from __future__ import annotations

import os
from datetime import timedelta

import psutil
import pytest
from tests.support.learning import LEARNER, START, answer, small_catalogue

from osler import clock
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.ingest.intake import ingest_events
from osler.live.catch_up import Live
from osler.privacy.archive import archive
from osler.privacy.export import Export

pytestmark = [pytest.mark.integration, pytest.mark.fault, pytest.mark.slow]

EVENTS = 50_000 if os.environ.get("OSLER_FULL") else 12_000
MB = 1024 * 1024


async def test_p06_fifty_thousand_events_take_thirty_seconds_and_fifty_megabytes(database: Database) -> None:
    await small_catalogue(database)
    sent = (
        answer(START + timedelta(minutes=n), n, f"q{n % 12}", right=n % 3 != 0, seconds=1 + n % 90)
        for n in range(EVENTS)
    )
    result = await ingest_events(database, sent, LEARNER, keep_outcomes=False)
    assert result.counts["accepted"] == EVENTS
    await Live(database, analytics()).catch_up(LEARNER)
    export = Export(database, LEARNER, clock.now())
    async for _ in Export(database, LEARNER, clock.now()).lines(with_derived=True):
        break  # what the first export loads stays loaded
    process = psutil.Process()
    before, most, began = process.memory_info().rss, 0, clock.monotonic_seconds()
    async for _ in archive(export, LEARNER):
        most = max(most, process.memory_info().rss)
    took = clock.monotonic_seconds() - began
    assert export.counts["events"] == EVENTS
    assert export.counts["predictions"] > EVENTS / 2
    assert took <= 30 * EVENTS / 50_000, f"{took:.1f} s"
    assert most - before <= 50 * MB, f"{(most - before) / MB:.0f} MB"
