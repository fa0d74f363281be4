"""F31: the clock steps back while a job runs."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from tests.jobs.conftest import PERIOD
from tests.support.matrix import count

from osler import clock
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.jobs.queries import ended_since
from osler.jobs.run import Job, Run, run_once
from osler.live.gauges import Gauges
from osler.observe import metrics
from osler.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.fault]

# Found before PostgreSQL's own of these names by sessions that begin afterwards.
STEPPING = """
create table clock_steps (by_seconds float8);
grant select on clock_steps to public;
create function public.clock_timestamp() returns timestamptz language sql volatile as $$
  select pg_catalog.clock_timestamp()
         - make_interval(secs => coalesce((select sum(by_seconds) from public.clock_steps), 0)) $$;
create function public.now() returns timestamptz language sql as $$ select public.clock_timestamp() $$;
alter database "{database}" set search_path = public, pg_catalog
"""


async def test_f31_a_run_takes_as_long_as_it_takes_though_the_clock_is_set_back(
    settings: Settings, fresh_database: str, admin: Driver
):
    step, worked = float(count("F31", "seconds")), 0.3
    await admin.execute(STEPPING.format(database=fresh_database))

    async def work(run: Run) -> None:
        await asyncio.sleep(worked)
        await admin.execute(f"insert into clock_steps values ({step})")
        await run.progress("after the step", 1)

    async with Database.open(settings) as database:
        metrics.declare_jobs(["stepped"])
        gauges = Gauges(database)
        await gauges.look()
        began = clock.monotonic_seconds()
        assert await run_once(database, Job(name="stepped", what="waits", work=work), PERIOD) == "succeeded"
        most = clock.monotonic_seconds() - began
        async with database.read(primary=True) as s:
            row = await s.one(sa.text("select started_at, finished_at, seconds from job_runs where job = 'stepped'"))
            assert row is not None
            [ended] = await ended_since(s, row["finished_at"])
        await gauges.look()
    by_the_clock = (row["finished_at"] - row["started_at"]).total_seconds()
    assert -step < by_the_clock < most - step + 1, "unknown: the clock did not step back"
    assert worked <= row["seconds"] == ended.seconds <= most
    [told] = [one.value for one in metrics.job_seconds.labels("stepped")._child_samples() if one.name == "_sum"]
    assert told == pytest.approx(row["seconds"]), "the metric says the same, and nothing negative"
