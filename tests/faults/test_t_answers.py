"""T01, T03: Osler away or answering badly. Nothing is deleted without a result of its own."""

import json

import pytest
from tests.support import tracking as t
from tests.support.tracking import note, tracking, until

from osler.tracking import HttpSink, Osler
from osler.tracking.http_sink import token_in

pytestmark = pytest.mark.fault

MANY = 40


def _all_arrived(server: t.Server, osler: t.Osler, count: int = MANY) -> None:
    assert until(lambda: len(server.stored) >= count), (len(server.stored), osler.counts)
    assert sorted(e["data"]["note_id"] for e in server.stored.values()) == sorted(f"n{n}" for n in range(count))


def test_t01_osler_down_at_the_hosts_boot_then_up_gets_the_whole_backlog(tmp_path) -> None:
    with t.listening() as gone:
        port = gone.server_address[1]
    with tracking(f"http://127.0.0.1:{port}", tmp_path) as osler:
        assert all(note(osler, n) for n in range(MANY))
        assert until(lambda: osler.counts.failures >= 3), "nobody was there, and it was not noticed"
        assert osler.counts.delivered == 0
        with t.listening(port) as back:
            _all_arrived(back, osler)
            assert back.duplicates == 0


BAD = {
    "401": t.says(401), "403": t.says(403), "404": t.says(404), "429": t.says(429, Retry_After="0"),
    "500": t.says(500), "503": t.says(503), "redirect": t.says(302, Location="http://127.0.0.1:9/"),
    "html": t.says(200, b"<html>welcome to the captive portal</html>"), "empty": t.says(200, b""),
    "no results": t.says(200, b'{"results":[]}'), "results of a wrong kind": t.says(200, b'{"results":{"0":"ok"}}'),
    "results of other events": lambda h, e: h.answer(200, json.dumps({"results": [
        {"index": n, "id": "01a200f9-a73c-75fe-b3ad-9bff21bce365", "status": "accepted"}
        for n in range(len(e["events"]))]}).encode()),
    "another batch's status": t.verdicts("whatever"),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_t03_an_answer_without_a_result_deletes_nothing(what: str, tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        server.script = [BAD[what]] * 2
        assert all(note(osler, n) for n in range(MANY))
        _all_arrived(server, osler)
        assert not server.script, "the fault did not happen"
        assert osler.counts.lost == {}


def test_t03_cut_json_is_sent_again_and_stored_once(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        server.script = [t.cut]
        assert all(note(osler, n) for n in range(MANY))
        _all_arrived(server, osler)
        assert until(lambda: osler.counts.delivered == MANY)
        assert server.duplicates > 0, "the first answer was not lost"


def test_t03_events_without_a_result_are_sent_again_and_the_others_not(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        server.script = [t.half_of_the_results]
        assert all(note(osler, n) for n in range(MANY))
        _all_arrived(server, osler)
        assert server.duplicates == 0


def test_t03_too_much_is_split_until_it_fits(tmp_path) -> None:
    def at_most_four(handler: t.Handler, envelope: dict) -> None:
        (t.take if len(envelope["events"]) <= 4 else t.says(413))(handler, envelope)

    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        server.otherwise = at_most_four
        assert all(note(osler, n) for n in range(MANY))
        _all_arrived(server, osler)
        assert max(len(e["events"]) for e in server.envelopes) > 4, "nothing was ever too much"


def test_t03_one_event_that_no_answer_names_waits_and_holds_up_nobody(tmp_path) -> None:
    def refuse_n7(handler: t.Handler, envelope: dict) -> None:
        is_there = any(e["data"]["note_id"] == "n7" for e in envelope["events"])
        (t.says(400) if is_there else t.take)(handler, envelope)

    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        server.otherwise = refuse_n7
        assert all(note(osler, n) for n in range(MANY))
        assert until(lambda: len(server.stored) == MANY - 1), osler.counts
        server.otherwise = t.take
        _all_arrived(server, osler)


def test_t03_a_token_that_runs_out_is_renewed_in_its_file_and_nothing_is_lost(tmp_path) -> None:
    file = tmp_path / "token"

    def of_today(handler: t.Handler, envelope: dict) -> None:
        is_good = handler.headers["Authorization"] == "Bearer today"
        (t.take if is_good else t.says(401))(handler, envelope)

    with t.listening() as server:
        server.otherwise = of_today
        osler = Osler(HttpSink(server.url, token_in(file)), t.KEY, t.options(tmp_path))
        try:
            assert all(note(osler, n) for n in range(MANY))
            assert until(lambda: osler.counts.failures >= 2), "no token at all was no fault"
            assert not server.envelopes
            file.write_text("yesterday\n")
            assert until(lambda: len(server.envelopes) >= 2), "the token that had run out was never tried"
            file.write_text("today\n")
            _all_arrived(server, osler)
            assert server.duplicates == 0
        finally:
            osler.close()


ODD = {
    "207 without results": t.says(207, b'{"results":[]}'), "204": t.says(204, b""), "999": t.says(999),
    "a negative index": t.says(200, b'{"results":[{"index":-1,"status":"accepted"}]}'),
    "an index beyond all bounds": t.says(200, b'{"results":[{"index":99999999999999999999,"status":"accepted"}]}'),
    "a wait for ever": t.says(200, b'{"results":[{"index":0,"status":"retry","retry_after_seconds":1e999}]}'),
    "depth": t.says(200, b"[" * 100_000), "no UTF-8": t.says(200, b"\xff\xfe"),
    "five megabytes": t.says(200, b" " * 5_000_000),
    "a date to retry after": t.says(429, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"),
    "a negative time to retry after": t.says(429, Retry_After="-5"),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD)
def test_t03_an_odd_answer_deletes_nothing_and_stops_nothing(what: str, tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        server.script = [ODD[what]]
        note(osler, 0)
        assert until(lambda: len(server.stored) == 1), osler.counts
        assert not server.script, "the fault did not happen"
        assert not osler.counts.lost


def test_t03_retry_after_is_honoured_even_by_a_flush(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path, shutdown_seconds=0.3) as osler:
        server.script = [t.says(429, Retry_After="3600")]
        note(osler, 0)
        assert until(lambda: osler.counts.failures == 1)
        assert osler._sender.wait_until_answered(0.4) is False
        assert len(server.envelopes) == 1


def test_t03_an_event_that_osler_wants_later_waits_alone(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        server.script = [t.verdicts("retry", "schema.too_new", retry_after_seconds=86_400)]
        note(osler, 0)
        assert until(lambda: len(server.envelopes) == 1 and not server.script)
        for n in range(1, 4):
            note(osler, n)
        assert until(lambda: len(server.stored) == 3)
        assert [e["data"]["note_id"] for e in server.stored.values()] == ["n1", "n2", "n3"]
        [waiting] = tmp_path.rglob("*.wait")
        assert b'"n0"' in waiting.read_bytes()


def test_t03_final_verdicts_delete_and_are_reported(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path) as osler:
        server.script = [t.verdicts("rejected", "schema.enum"), t.verdicts("conflict", "conflict.stored")]
        note(osler, 0)
        assert until(lambda: len(server.envelopes) == 1)
        note(osler, 1)
        assert until(lambda: osler.counts.lost.total() == 2)
        assert osler.counts.lost == {("note_taken", "schema.enum"): 1, ("note_taken", "conflict.stored"): 1}
        note(osler, 2)
        assert until(lambda: len(server.stored) == 1)


def test_t03_an_erased_learners_queue_is_purged_and_nobody_elses(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path, batch_events=1) as osler:
        erased = str(osler.pseudonym("subject-1"))
        server.otherwise = t.hang
        for n in range(6):
            note(osler, n, user=f"subject-{n % 2}")
        assert server.hanging.wait(5)

        def refuse_the_erased(handler: t.Handler, envelope: dict) -> None:
            is_erased = envelope["events"][0]["user_id"] == erased
            (t.verdicts("refused", "subject.erased") if is_erased else t.take)(handler, envelope)

        server.otherwise = refuse_the_erased
        assert until(lambda: len(server.stored) == 3), osler.counts
        sent = [e["events"][0]["data"]["note_id"] for e in server.envelopes if e["events"][0]["user_id"] == erased]
        assert set(sent) == {"n1"}, "what was queued for an erased learner was sent"
        assert osler.counts.lost == {("note_taken", "subject.erased"): 1}


def test_t03_a_batch_never_holds_more_learners_than_osler_takes(tmp_path) -> None:
    with t.listening() as server, tracking(server.url, tmp_path, batch_learners=5) as osler:
        for n in range(MANY):
            note(osler, n, user=f"subject-{n}")
        _all_arrived(server, osler)
        assert max(len({e["user_id"] for e in envelope["events"]}) for envelope in server.envelopes) == 5
