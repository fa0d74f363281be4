"""H01 to H06, H08, H11, H17, H18: what hostile senders put into events. No 5xx, and nothing of it is kept."""

from __future__ import annotations

import gzip
import json
import logging
import time
import tracemalloc
import zlib
from typing import Any

import pytest
import zstandard
from tests.support.matrix import count
from tests.support.sending import Send, assert_adds_up, codes, fresh_database, sending, stored_ids  # noqa: F401
from tests.support.wire_events import batch, event, learner, raw_batch

from osler.db.engine import Database
from osler.errors import OslerError
from osler.ingest.body import unpack
from osler.ingest.decoding import UnreadableBatch, decode
from osler.ingest.limits import MAX_BODY_BYTES, BatchTooLarge

pytestmark = [pytest.mark.integration, pytest.mark.fault]


@pytest.fixture
def send(database: Database) -> Send:
    return sending(database)


def raw(one: dict, old: str = "", new: str = "") -> bytes:
    text = json.dumps(one)
    assert old in text
    return text.replace(old, new, 1).encode()


async def _one_bad(send, admin, bad: bytes) -> str:
    """The code of a bad event among good ones, which are all stored."""
    user = learner()
    good = [json.dumps(event()).encode() for _ in range(6)]
    taken = await send(raw_batch([*good[:3], bad, *good[3:]]), user)
    assert_adds_up(taken, 7)
    assert len(await stored_ids(admin, user)) == 6
    return codes(taken)[3]


@pytest.mark.parametrize("text", [('"q-4711"', '"q\\u0000"'), ('"mode"', '"mo\\u0000de"'), ('["A"]', '["\\u0000"]')])
async def test_h01_nul_in_key_value_and_list(send, admin, text):
    assert await _one_bad(send, admin, raw(event(), *text)) == "json.nul"


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00\\ud800"', '"\\udbff"'])
def test_h02_lone_and_reversed_surrogates_are_no_text(text):
    with pytest.raises(UnreadableBatch) as refused:
        decode(raw_batch([raw(event(), '"q-4711"', text)] * 6))
    assert refused.value.code == "json.encoding"


async def test_h02_invalid_utf8_inside_one_event(send, admin):
    assert await _one_bad(send, admin, raw(event()).replace(b"q-4711", b"q-\xff\xfe")) == "json.encoding"


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf", b"\xff\xfe", b"\x00"])
def test_h02_byte_order_marks_and_utf16_are_unreadable(body):
    with pytest.raises(UnreadableBatch):
        decode(body + batch([event()]))
    with pytest.raises(UnreadableBatch):
        decode(batch([event()]).decode().encode("utf-16-le"))


@pytest.mark.parametrize("number", ["1e400", "1e131071", "-1e16", "1e300"])
async def test_h03_numbers_without_measure(send, admin, number):
    assert await _one_bad(send, admin, raw(event(), "45.0", number)) in {"json.number"}


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_h03_what_json_does_not_know_is_unreadable(number):
    with pytest.raises(UnreadableBatch):
        decode(raw_batch([raw(event(), "45.0", number)] * 6))


@pytest.mark.parametrize("zero", ["-0", "-0.0", "-0e0"])
async def test_h03_minus_zero_is_zero(send, admin, zero):
    user = learner()
    bodies = [raw(event(), "45.0", zero)] + [raw(event()) for _ in range(6)]
    assert codes(await send(raw_batch(bodies), user)) == ["accepted"] * 7
    stored = await admin.fetch("select data->>'time_to_answer_seconds' from study_events where user_id = $1", user)
    assert sorted(row[0] for row in stored) == ["0"] + ["45"] * 6


@pytest.mark.parametrize("number", [str(2**53), str(2**53 + 1), str(2**63), str(2**70), "9" * 5000])
async def test_h04_integers_that_parsers_disagree_about(send, admin, number):
    one = event("flashcard_review", data={"interval_seconds": 77})
    assert await _one_bad(send, admin, raw(one, ": 77", f": {number}")) == "json.number"


@pytest.mark.parametrize("depth", [17, 33, 900])
async def test_h05_nesting(send, admin, depth):
    nested = "[" * depth + "]" * depth
    assert await _one_bad(send, admin, raw(event(), '["A"]', nested)) == "json.depth"


def test_h05_a_hundred_thousand_brackets_are_refused_at_once():
    body = raw_batch([b"[" * 100_000 + b"]" * 100_000])
    began = time.thread_time()
    with pytest.raises(UnreadableBatch):
        decode(body)
    assert time.thread_time() - began < 0.25


@pytest.mark.parametrize("old", ['"mode": "timed"', '"schema": 1', '"type": "question_submit"'])
async def test_h06_a_key_said_twice(send, admin, old):
    assert await _one_bad(send, admin, raw(event(), old, f"{old}, {old}")) == "json.duplicate_key"


async def test_h06_a_key_said_twice_with_an_escape(send, admin):
    escaped = '"mode": "timed", "\\u006dode": "exam"'
    assert await _one_bad(send, admin, raw(event(), '"mode": "timed"', escaped)) == "json.duplicate_key"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_h08_bombs_are_cut_while_they_grow(encoding):
    packed, size = _bomb(count("H08", "bytes"), encoding), count("H08", "bytes")
    assert len(packed) < size / 900
    tracemalloc.start()
    with pytest.raises(BatchTooLarge):
        unpack(packed, encoding)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * 1024 * 1024
    began = time.thread_time()  # not traced, and processor time: a busy machine is not what is measured
    with pytest.raises(BatchTooLarge):
        unpack(packed, encoding)
    assert time.thread_time() - began < 0.1


def _bomb(size: int, encoding: str) -> bytes:
    """Zeros, packed piece by piece so that this process never holds them."""
    packer: Any = gzip_packer() if encoding == "gzip" else zstandard.ZstdCompressor().compressobj()
    piece = bytes(1_000_000)
    return b"".join(packer.compress(piece) for _ in range(size // len(piece))) + packer.flush()


def gzip_packer() -> Any:
    return zlib.compressobj(9, zlib.DEFLATED, 31)


def _packed(content: bytes, encoding: str) -> bytes:
    return gzip.compress(content, 1) if encoding == "gzip" else zstandard.compress(content)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_h08_whole_cut_and_prolonged_frames(encoding):
    body = batch([event() for _ in range(50)])
    packed = _packed(body, encoding)
    assert unpack(packed, encoding) == body
    for bad in (packed[:-6], packed + b"more", b"no " + packed, _packed(packed, encoding)[:20], b""):
        with pytest.raises((UnreadableBatch, BatchTooLarge)):
            unpack(bad, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_h08_what_is_packed_twice_is_unpacked_once(encoding):
    inner = _bomb(20_000_000, encoding)
    assert unpack(_packed(inner, encoding), encoding) == inner, "the inner bomb stays packed: it is no batch"
    with pytest.raises(UnreadableBatch):
        decode(unpack(_packed(inner, encoding), encoding))


def test_h08_a_ratio_above_a_hundred_is_no_batch():
    for encoding in ("gzip", "zstd"):
        with pytest.raises(OslerError) as refused:
            unpack(_packed(b" " * (MAX_BODY_BYTES - 1), encoding), encoding)
        assert refused.value.status in {400, 413}


INJECTIONS = [
    "'; drop table study_events; --", "1' or '1'='1", "\\'; select 1 --", '{"a":1}', "$1", "q\nq", "A\tB", "{A,B}",
]  # fmt: skip


@pytest.mark.parametrize("text", INJECTIONS)
async def test_h11_sql_in_every_text(send, admin, text):
    one = event(tz="UTC", session_id=event()["id"])
    for field in ("question_id", "mode"):
        bad = {**one, "data": {**one["data"], field: text}}
        assert await _one_bad(send, admin, json.dumps(bad).encode()) in {"schema.pattern", "schema.enum"}
    for field in ("tz", "session_id", "boot_id", "id", "type", "occurred_at", "time_precision"):
        code = await _one_bad(send, admin, json.dumps({**one, field: text}).encode())
        assert code.split(".")[0] in {"schema", "time", "id", "type"}
    assert await admin.fetchval("select count(*) from study_events where event_type !~ '^[a-z_]+$'") == 0


CANARIES = {
    "jane.canary@example.com": "schema.pattern",
    "+44 7700 900123": "schema.pattern",
    "https://example.com/jane": "schema.pattern",
    "4111-1111-1111-1111": "privacy.pattern",
    "192.168.77.12": "privacy.pattern",
    "00:1A:2B:3C:4D:5E": "privacy.pattern",
    "2001:db8::ff00:42:8329": "privacy.pattern",
    "123-45-6789": "privacy.pattern",
    "amFuZS5jYW5hcnlAZXhhbXBsZS5jb20": "privacy.pattern",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a": "privacy.pattern",
}


@pytest.mark.parametrize(("canary", "code"), CANARIES.items())
async def test_h17_personal_data_in_an_id_are_refused_and_kept_nowhere(send, admin, caplog, canary, code):
    caplog.set_level(logging.DEBUG)
    bad = event(data={"question_id": canary})
    assert canary in json.dumps(bad)
    assert await _one_bad(send, admin, json.dumps(bad).encode()) == code
    assert canary not in caplog.text
    assert await admin.fetchval("select count(*) from study_events where data::text like '%' || $1 || '%'", canary) == 0


async def test_h17_personal_data_as_a_key_are_not_repeated(send):
    bad = event(data={"jane.canary@example.com": 1})
    taken = await send(batch([bad]), learner())
    assert codes(taken) == ["schema.unknown_field"]
    assert "canary" not in repr(taken.outcomes)


@pytest.mark.parametrize("text", ["q\u202e1174", "q\u200b1", "caf\u00e9", "cafe\u0301", "\uff11", "q-\U0001f600"])
async def test_h18_ids_are_ascii(send, admin, text):
    assert (
        await _one_bad(send, admin, json.dumps(event(data={"question_id": text}), ensure_ascii=False).encode())
        == "schema.pattern"
    )
    assert await _one_bad(send, admin, json.dumps(event(data={"question_id": text})).encode()) == "schema.pattern"


async def test_a06_what_the_server_concludes_cannot_be_sent(send, admin):
    refused = {
        "schema.unknown_field": [
            {**event(), name: "2026-11-22"} for name in ("received_at", "event_ts", "local_date", "effective_at")
        ],
        "type.forbidden": [
            event("question_regrade"), event("api_request"), event(data={"is_correct": True}), event(topic_ids=["t"])
        ],
        "subject.forbidden": [event(user_id=str(learner()))],
    }  # fmt: skip
    for code, events in refused.items():
        for bad in events:
            assert await _one_bad(send, admin, json.dumps(bad).encode()) == code
