"""Tracking in the process that has the database: the same ingestion, the same answers, on the host's own loop."""

import asyncio

import pytest
from tests.support.asgi import ask
from tests.support.learning import small_catalogue
from tests.support.tracked_host import tracked_host
from tests.support.tracking import KEY, note, options

from osler.api.local_sink import LocalSink, local_sink
from osler.db.engine import Database
from osler.errors import Misconfigured
from osler.tracking import Osler
from osler.tracking.sinks import Reply

pytestmark = pytest.mark.integration


class _Counting(LocalSink):
    """Counts the batches it is given: whether two events make one or two is a matter of moments."""

    batches = 0

    def send(self, body: bytes) -> Reply:
        self.batches += 1
        return super().send(body)


async def test_a_host_in_the_same_process_stores_and_wakes(database: Database, admin, tmp_path) -> None:
    await small_catalogue(database)
    woken: list = []
    sink = _Counting(database, asyncio.get_running_loop(), woken.append)
    osler = Osler(sink, KEY, options(tmp_path))
    try:
        seen = await ask(tracked_host(osler), "POST", "/quiz/q0/answer", b'{"answer":"A"}', x_subject="s1")
        assert seen.status == 200
        assert await osler.flush(10), osler.counts
        learner = osler.pseudonym("s1")
        rows = await admin.fetch("select question_id, is_correct from question_attempts where user_id = $1", learner)
        assert [tuple(row) for row in rows] == [("q0", True)]
        assert woken == [learner] * sink.batches, "each batch wakes its learner once"
        assert osler.counts.delivered == 2
    finally:
        await asyncio.to_thread(osler.close)


async def test_a_loop_that_is_gone_leaves_everything_on_disk(database: Database, tmp_path) -> None:
    async def made():
        return local_sink(database)

    other = asyncio.new_event_loop()
    sink = await asyncio.to_thread(other.run_until_complete, made())
    other.close()
    osler = Osler(sink, KEY, options(tmp_path, shutdown_seconds=0.3))
    note(osler, 1)
    assert await osler.flush(0.5) is False
    assert osler.counts.failures > 0
    await asyncio.to_thread(osler.close)
    assert list(tmp_path.rglob("*.seg"))


def test_without_a_loop_there_is_no_sink() -> None:
    with pytest.raises(Misconfigured, match="event loop"):
        local_sink(None)  # type: ignore[arg-type]
