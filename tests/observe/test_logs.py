"""H13, P16, P17: lines and reports in which nobody and no secret can be found."""

import io
import json
import logging
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sentry_sdk
import structlog
from sentry_sdk.transport import Transport

from osler.observe.keys import secret_key
from osler.observe.logs import configure_logs, current_request
from osler.observe.redaction import ALLOWED_KEYS, allowed, redacted, short_pseudonym
from osler.observe.reports import configure_reports, report
from osler.observe.statements import note_statement
from osler.settings import Settings, load_settings

CANARIES = {
    "e-mail": "canary.person@example.org",
    "token": "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJl",
    "address": "203.0.113.77",
    "database password": "postgresql://osler_app:canary-hunter2@db.example/osler",
    "pseudonym": "5b0c6d1e-9a50-4a5e-8f3e-0d6b8f3a1c11",
}


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    out = io.StringIO()
    configure_logs(load_settings(home=tmp_path, log_json=True), out)
    yield out
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def written(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_h13_line_feeds_escapes_and_json_stay_one_line(lines: io.StringIO) -> None:
    evil = 'x\r\n{"event":"forged"}\x1b[31m\u2028"}'
    structlog.get_logger("t").warning(evil, reason=evil)
    logging.getLogger("lib").error("%s", evil)
    assert len(written(lines)) == 2
    assert "\x1b" not in lines.getvalue()
    assert all(entry["event"] != "forged" for entry in written(lines))


def test_p16_canaries_reach_no_line_whatever_way_they_come(lines: io.StringIO) -> None:
    for name, canary in CANARIES.items():
        structlog.get_logger("t").error(f"failed for {canary}", reason=canary, answer=canary, headers={"a": canary})
        logging.getLogger("lib").warning("said %s", canary)
        try:
            int(canary)
        except ValueError:
            structlog.get_logger("t").exception("broken", code=canary)
        assert canary not in lines.getvalue(), name
        assert canary.split("@")[0].split("/")[-1] not in lines.getvalue(), name
    assert len(written(lines)) == 3 * len(CANARIES)


def test_keys_that_are_not_on_the_list_are_dropped_and_learners_are_short(tmp_path: Path) -> None:
    learner = uuid.UUID(CANARIES["pseudonym"])
    key = secret_key(tmp_path, "logs")
    kept = allowed({"event": "e", "answer": "A", "email": "x", "n": 3, "user_id": learner}, key)
    assert kept == {"event": "e", "n": 3, "learner": short_pseudonym(key, learner)}
    assert len(kept["learner"]) == 8
    assert not ALLOWED_KEYS & {"user_id", "email", "body", "data", "answer", "headers", "params"}
    assert short_pseudonym(b"another" * 5, learner) != kept["learner"]


def test_every_line_of_a_request_bears_its_id_and_no_other_line_does(lines: io.StringIO) -> None:
    import contextvars

    def served(request_id: str) -> None:
        current_request.set(request_id)
        structlog.get_logger("t").warning("ours")
        logging.getLogger("lib").warning("a library's")

    contextvars.copy_context().run(served, "a1")
    contextvars.copy_context().run(served, "b2")
    structlog.get_logger("t").warning("between")
    assert [entry.get("request_id") for entry in written(lines)] == ["a1", "a1", "b2", "b2", None]


def test_a_slow_statement_is_told_by_name_and_time_alone(lines: io.StringIO) -> None:
    for name, seconds in (("user", 1.01), ("user", 1.0), (None, 2.5), ("long", 99.0), ("jobs.daily_stats", 99.0)):
        note_statement(name, seconds)
    told = [(entry["query"], entry["seconds"]) for entry in written(lines)]
    assert told == [("user", 1.01), ("other", 2.5)]


def test_redaction_is_linear_and_bounded() -> None:
    import time

    for evil in ("a" * 100_000, "1." * 50_000, "a@" * 50_000, "x://" * 25_000, "password=" * 10_000):
        began = time.thread_time()
        assert len(redacted(evil)) <= 500
        assert time.thread_time() - began < 0.05


def test_p16_settings_show_no_secret(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, database_url=CANARIES["database password"], sentry_dsn="https://canary@x/1")
    for shown in (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())):
        assert "canary" not in shown


def test_keys_are_private_and_the_same_for_two_who_come_at_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: secret_key(tmp_path, "k"), range(32)))
    assert len(keys) == 1
    assert len(keys.pop()) == 32
    path = tmp_path / "keys" / "k"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["k"]


class Collector(Transport):
    """Stands where Sentry would: keeps what is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[str] = []

    def capture_envelope(self, envelope) -> None:
        self.sent += [item.payload.get_bytes().decode() for item in envelope.items]


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    collected = Collector()
    settings = load_settings(home=tmp_path, sentry_dsn="https://key@sentry.invalid/1")
    configure_reports(settings, transport=collected)
    yield collected
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


def fail_with(secret: str) -> None:
    local = {"body": secret}
    raise RuntimeError(f"insert into users values ('{secret}') {local}")


def test_p17_reports_hold_kind_and_place_and_no_canary(collector: Collector) -> None:
    for canary in CANARIES.values():
        scope = {"method": "POST", "headers": [(b"authorization", canary.encode())], "state": {"request_id": "r1"}}
        try:
            fail_with(canary)
        except RuntimeError as error:
            report(error, scope)
    sentry_sdk.flush(2)
    assert len(collector.sent) == len(CANARIES), "each canary must really have been reported"
    for sent, canary in zip(collector.sent, CANARIES.values(), strict=True):
        assert "RuntimeError" in sent
        assert "fail_with" in sent
        assert canary not in sent
        assert "insert into" not in sent
        assert '"vars"' not in sent


def test_without_a_dsn_nothing_is_sent_anywhere(tmp_path: Path, settings_none: Settings) -> None:
    configure_reports(settings_none)
    assert not sentry_sdk.get_client().is_active()


@pytest.fixture
def settings_none(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path)
