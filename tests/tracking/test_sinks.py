"""What an answer means, whatever came back."""

from datetime import UTC, datetime

import pytest

from osler.tracking.sinks import asked_wait, parse_reply

NOW = datetime(2026, 10, 21, 7, 27, 30, tzinfo=UTC)


def test_results_are_read_by_index_and_the_rest_is_ignored():
    body = b'{"received_at":"x","results":[{"index":1,"id":"a","status":"retry","retry_after_seconds":7,"new":1}]}'
    reply = parse_reply(200, body, 12.0)
    assert reply.verdicts[1].retry_after_seconds == 7
    assert reply.retry_after_seconds == 12.0


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"results":[{"index":0}]}', b"\xff", b"null"])
def test_what_is_no_answer_has_no_verdicts(body: bytes):
    assert parse_reply(200, body).verdicts == {}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0), ("0", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 30.0), ("Tue, 20 Oct 2026 07:28:00 GMT", 0.0),
        ("-1", None), ("soon", None), ("١٢", None), ("", None), (None, None), ("Wed, 99 Oct 2026 07:28:00 GMT", None),
        ("Wed, 21 Oct 2026 07:28:00 -0000", None), ("9" * 5_000, float("inf")),
    ],
)  # fmt: skip
def test_a_wait_is_a_number_of_seconds_or_a_date(header: str | None, seconds: float | None):
    assert asked_wait(header, NOW) == seconds


def test_a_wait_below_zero_is_none():
    body = b'{"results":[{"index":0,"status":"retry","retry_after_seconds":-5}]}'
    assert parse_reply(200, body).verdicts[0].retry_after_seconds is None
