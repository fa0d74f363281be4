"""What an answer means, whatever came back."""

import pytest

from osler.tracking.sinks import parse_reply


def test_results_are_read_by_index_and_the_rest_is_ignored():
    body = b'{"received_at":"x","results":[{"index":1,"id":"a","status":"retry","retry_after_seconds":7,"new":1}]}'
    reply = parse_reply(200, body, "12")
    assert reply.verdicts[1].retry_after_seconds == 7
    assert reply.retry_after_seconds == 12.0


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b'{"results":[{"index":0}]}', b"\xff", b"null"])
def test_what_is_no_answer_has_no_verdicts(body: bytes):
    assert parse_reply(200, body).verdicts == {}


@pytest.mark.parametrize("header", ["-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "١٢", "", None])
def test_a_wait_that_is_no_number_of_seconds_is_none(header: str | None):
    assert parse_reply(503, b"", header).retry_after_seconds is None


def test_a_wait_below_zero_is_none():
    body = b'{"results":[{"index":0,"status":"retry","retry_after_seconds":-5}]}'
    assert parse_reply(200, body).verdicts[0].retry_after_seconds is None
