"""An exported log says before each exam what the server had frozen then: features and closed form are made alike."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.support.exam_class import SNAPSHOT_DAYS, live_through, prepare, record, simulated
from tests.support.nightly import exam_catalogue

from osler import clock
from osler.analytics.readiness.features import FEATURES
from osler.db.engine import Database
from osler.evaluate.exam_as_of import known_at
from osler.evaluate.exam_log import read_log
from osler.privacy.export import Export

pytestmark = pytest.mark.integration


async def test_what_is_made_again_from_an_export_is_what_was_frozen(database: Database) -> None:
    await exam_catalogue(database)
    exam_on = clock.now().date() - timedelta(days=2)
    sat = simulated(await prepare(database), 5, [exam_on], density=0.4)
    await live_through(database, sat)
    await record(database, sat)
    export = Export(database, None, clock.now(), with_keys=True)
    parts = [part async for part in export.lines(with_derived=False)]
    log = read_log([("the export", text) for text in b"".join(parts).decode().splitlines()], None)

    assert len(log.frozen) >= len(SNAPSHOT_DAYS) * len(sat) // 2
    for (place, _), row in log.frozen.items():
        made = known_at(log, place, datetime.fromisoformat(row["as_of"]))
        assert made is not None
        assert made.closed_form == pytest.approx(row["closed_form"], abs=1e-9)
        for name, value in zip(FEATURES, made.features, strict=True):
            assert value == pytest.approx(row[name], abs=1e-9), name
