"""Celery as a bell: one task without arguments that runs what the database says is due."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

from celery import Celery, signals  # pyright: ignore[reportMissingTypeStubs] - ships no types

from osler.domain.transport import redis_options
from osler.errors import Misconfigured
from osler.observe.listener import metrics_listener
from osler.observe.statements import note_statement
from osler.observe.traces import require_packages, tracing
from osler.settings import Settings, load_settings
from osler.worker.night import opened
from osler.worker.watching import Watch

RING = "osler.ring"
QUEUE = "osler"
RING_SECONDS = 60.0
LONGEST_JOB_SECONDS = 4 * 3600


def make_celery(settings: Settings) -> Celery:
    """The Celery application of the broker that is set.

    JSON alone, one task at a time, acknowledged when it is done: a killed worker's ring is heard by another, and
    finds in the database what is left to do. The visibility time-out lies above the longest job.
    Errors: Misconfigured without a broker.
    """
    if settings.broker_url is None:
        raise Misconfigured("OSLER_BROKER_URL is not set; without a broker the jobs run in `osler serve`")
    url = settings.broker_url.get_secret_value()
    app = Celery("osler", broker=url, set_as_current=False)
    if tls := redis_options(url):
        checked = {**tls, "ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
        app.conf.broker_use_ssl = checked  # pyright: ignore[reportUnknownMemberType] - ships no types
    app.conf.update(  # pyright: ignore[reportUnknownMemberType] - ships no types
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        task_default_queue=QUEUE,
        beat_schedule={"ring": {"task": RING, "schedule": RING_SECONDS, "options": {"expires": RING_SECONDS}}},
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": LONGEST_JOB_SECONDS, "socket_connect_timeout": 5},
        enable_utc=True,
        timezone="UTC",
    )
    app.task(name=RING, expires=RING_SECONDS)(ring)  # pyright: ignore[reportUnknownMemberType] - ships no types
    return app


def ring() -> dict[str, list[str]]:
    """Run what is due, in this worker process, with a database of its own."""
    return asyncio.run(_ring(load_settings()))


async def _ring(settings: Settings) -> dict[str, list[str]]:
    with tracing(settings, "worker"):
        async with opened(settings) as night:
            night.database.on_query = note_statement
            return await night.ring()


def run_worker(settings: Settings, *, concurrency: int = 1, extra: tuple[str, ...] = ()) -> None:
    """Take rings until stopped. Each runs in a child process, so that one out of memory does not end the worker.

    Errors: Misconfigured without a broker, when the port of /metrics is taken, or when packages for traces are missing.
    """
    app: Any = make_celery(settings)
    require_packages(settings)
    with metrics_listener(settings):
        pass  # is opened again once the children are there, where an error would end nothing
    watch = Watch(settings)

    def start(**_: object) -> None:
        watch.start()

    def stop(**_: object) -> None:
        watch.stop()

    # After the children are there: what a thread holds at the moment of a fork stays held in the child.
    heard: Any = signals
    heard.worker_ready.connect(start)
    heard.worker_shutdown.connect(stop)
    heard.setup_logging.connect(_keep_logs)
    app.worker_main(
        ["worker", "--loglevel", settings.log_level, "--concurrency", str(concurrency), "--queues", QUEUE,
         "--without-gossip", "--without-mingle", "--hostname", "osler@%h", *extra]
    )  # fmt: skip


def _keep_logs(**_: object) -> None:
    """Celery sets up no logs of its own where somebody answers this signal: ours are set up already."""
