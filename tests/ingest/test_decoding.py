"""The quick way and the careful way take and refuse the same events."""

from __future__ import annotations

import json
from typing import cast

import msgspec
import msgspec.inspect as mi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.event_strategies import broken_event, valid_event
from tests.support.wire_events import batch, event, raw_batch

from osler.domain.event_types import EVENT_TYPES
from osler.domain.outcomes import Code, EventProblem
from osler.ingest import careful, quick
from osler.ingest.decoding import UnreadableBatch, decode
from osler.ingest.wire import WIRE_TYPES, CommonFields, WireEvent, plain

QUICK, CAREFUL = 1, 10**9
EVERY_CHECK = cast("list[HealthCheck]", list(HealthCheck))  # the iterator of its metaclass names the metaclass
RELAXED = settings(max_examples=120, deadline=None, suppress_health_check=EVERY_CHECK)


def told(body: bytes, quick_from: int) -> list[tuple[object, ...]]:
    """What a way says of each event: its content, or code and path."""
    return [
        (each.code, each.path) if isinstance(each, EventProblem) else (type(each), plain.encode(each))
        for each in decode(body, quick_from=quick_from).events
    ]


@RELAXED
@given(st.lists(valid_event(), min_size=1, max_size=6))
def test_valid_events_go_the_quick_way_and_mean_the_same(events):
    body = batch(events)
    found = decode(body, quick_from=QUICK)
    assert all(isinstance(each, WireEvent) for each in found.events)
    assert told(body, QUICK) == told(body, CAREFUL)


@RELAXED
@given(st.lists(st.one_of(broken_event(), valid_event().map(lambda e: json.dumps(e).encode())), min_size=1, max_size=5))
def test_whatever_is_wrong_both_ways_say_the_same(raws):
    body = raw_batch(raws)
    assert told(body, QUICK) == told(body, CAREFUL)


def test_a_clean_batch_needs_no_careful_look(monkeypatch):
    monkeypatch.setattr("osler.ingest.decoding.read_carefully", lambda raw: pytest.fail("went the careful way"))
    decode(batch([event(type_) for type_ in EVENT_TYPES if type_ in ("question_submit", "note_taken", "bookmark")] * 4))


def test_one_bad_event_sends_only_itself_the_careful_way(monkeypatch):
    from osler.ingest import decoding

    seen = []
    original = decoding.read_carefully
    monkeypatch.setattr(decoding, "read_carefully", lambda raw: seen.append(raw) or original(raw))
    events = [event() for _ in range(40)]
    events[7]["data"]["confidence"] = 9
    events[23]["data"]["question_id"] = "no spaces please"
    found = decoding.decode(batch(events))
    assert len(seen) == 2
    assert [n for n, each in enumerate(found.events) if isinstance(each, EventProblem)] == [7, 23]


def test_every_text_field_has_a_pattern_or_a_closed_list():
    from msgspec import inspect as mi

    def texts(kind):
        if isinstance(kind, mi.Metadata):
            yield from texts(kind.type)
        elif isinstance(kind, mi.UnionType):
            for each in kind.types:
                yield from texts(each)
        elif isinstance(kind, mi.ListType):
            yield from texts(kind.item_type)
        elif isinstance(kind, mi.StrType):
            yield kind

    for kind in EVENT_TYPES.values():
        declared = mi.type_info(kind.data)
        assert isinstance(declared, mi.StructType)
        for field in declared.fields:
            assert all(text.pattern for text in texts(field.type)), f"{kind.name}.{field.name} is free text"


def test_both_families_of_structs_have_the_same_fields():
    for name, kind in EVENT_TYPES.items():
        loose = {f.encode_name for f in msgspec.structs.fields(msgspec.structs.fields(WIRE_TYPES[name])[-1].type)}
        assert loose == {f.encode_name for f in msgspec.structs.fields(kind.data)}
        assert name in quick._FITS


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json.encoding"),
        (b"[]", "batch.envelope"),
        (b'{"events":[]}', "batch.envelope"),
        (b'{"sent_at":"x","events":[],"more":1}', "batch.envelope"),
        (b'{"sent_at":"x","sent_at":"y","events":[]}', "json.duplicate_key"),
        (b'\xef\xbb\xbf{"sent_at":"x","events":[]}', "json.encoding"),
        ('{"sent_at":"x","events":[]}'.encode("utf-16"), "json.encoding"),
        (b'{"sent_at":"\xff","events":[]}', "json.encoding"),
        (b'{"sent_at":"x","events":' + b"[" * 100_000, "json.depth"),
    ],
)
def test_what_is_no_batch_is_said_to_be_none(body, code):
    with pytest.raises(UnreadableBatch) as refused:
        decode(body)
    assert refused.value.code == code


def test_an_event_may_have_16_kib():
    small, large = event(), event()
    padding = b" " * (16 * 1024)
    raws = [json.dumps(small).encode(), json.dumps(large).encode()[:-1] + padding + b"}"]
    found = decode(raw_batch(raws * 5)).events
    assert [getattr(each, "code", None) for each in found] == [None, Code.EVENT_TOO_LARGE] * 5


def test_the_careful_way_has_a_check_for_every_kind_of_field():
    left = [mi.type_info(CommonFields), *(mi.type_info(kind.data) for kind in EVENT_TYPES.values())]
    seen = 0
    while left:
        found = left.pop()
        seen += 1
        assert any(isinstance(found, kind) for kind, _ in careful._CHECKS), found  # pyright: ignore[reportPrivateUsage]
        left += [field.type for field in getattr(found, "fields", ())]
        left += [t for t in getattr(found, "types", ()) if not isinstance(t, mi.NoneType)]
        left += [t for t in (getattr(found, "type", None), getattr(found, "item_type", None)) if t is not None]
    assert seen > len(EVENT_TYPES) * 3
