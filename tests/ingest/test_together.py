"""What is concluded of a batch at once is what the plain steps conclude of each event; nothing odd is let through."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.event_strategies import valid_event
from tests.support.wire_events import iso

from osler.domain.clock_rules import Home
from osler.ingest import passing
from osler.ingest.concluded import Concluded
from osler.ingest.decoding import read_carefully
from osler.ingest.instants import are_uuid7, read_instants
from osler.ingest.work import Context, Grade, Learner, Sender

OWN = "018f3a5b-7c1d-7e2f-9a3b-4c5d6e7f8091"
OTHER = "018f3a5b-7c1d-7e2f-9a3b-4c5d6e7f8092"
BOOT = "77c1b1de-0000-4000-8000-000000000001"
RECEIVED_MS = 1_790_000_500_000


@st.composite
def sent_event(draw: st.DrawFn) -> bytes:
    """A valid event with what the steps look at: clocks, boots, names, personal ids."""
    event = draw(valid_event())
    near = RECEIVED_MS - draw(st.sampled_from([0, 1000, 200_000, 700_000_000, 10**11]))
    if draw(st.booleans()):
        event["id"] = f"{near >> 16:08x}-{near & 0xFFFF:04x}" + event["id"][13:]
        event["occurred_at"] = iso(near + draw(st.sampled_from([0, 900, 1100])), draw(st.sampled_from(["Z", "+00:00"])))
    how = draw(st.sampled_from(["as is", "micro", "whole", "leap", "naive", "boot", "named", "other", "personal"]))
    if how == "micro":
        event["occurred_at"] = event["occurred_at"][:23] + "123" + event["occurred_at"][23:]
    elif how == "whole":
        event["occurred_at"] = event["occurred_at"][:19] + event["occurred_at"][23:]
    elif how == "leap":
        event["occurred_at"] = event["occurred_at"][:17] + "60" + event["occurred_at"][19:]
    elif how == "naive":
        event["occurred_at"] = event["occurred_at"][:23]
    elif how == "boot":
        event |= {"boot_id": BOOT, "monotonic_ms": draw(st.integers(0, 10**6))}
    elif how in {"named", "other"}:
        event["user_id"] = OWN if how == "named" else OTHER
    elif how == "personal" and "question_id" in event["data"]:
        event["data"]["question_id"] = "192.168.0.12"
    return json.dumps(event).encode()


class OfAll(dict[str, Concluded]):
    """What an export concluded, the same of every event."""

    def __init__(self) -> None:
        super().__init__(some=self.get(""))

    def get(self, key: str, default: object = None) -> Concluded:  # type: ignore[override]
        return Concluded(datetime(2026, 9, 21, 14, 21, tzinfo=UTC), 60, date(2026, 9, 21), "tz", True, 7)


@st.composite
def context(draw: st.DrawFn) -> Context:
    """A request of a learner, a service or an import."""
    own = UUID(OWN)
    imported = Sender(own, is_import=True, is_service=True)
    sender = draw(st.sampled_from([
        Sender(own), Sender(None, is_service=True), Sender(own, is_server=True),
        imported, replace(imported, concluded=OfAll()),
    ]))  # fmt: skip
    skew = draw(st.sampled_from([0, 119, -121, 86_401]))
    ctx = Context(sender, RECEIVED_MS * 1000, skew * 1_000_000, RECEIVED_MS - 10**10, sent_monotonic_ms=500_000)
    ctx.boot_id = draw(st.sampled_from([None, BOOT]))
    ctx.learners = {OWN: Learner(Home("Asia/Kathmandu", 300), draw(st.sampled_from([None, RECEIVED_MS - 150_000])))}
    if draw(st.booleans()):
        ctx.learners[OTHER] = Learner()
    ctx.grades = {"q": Grade(("A",), 3)}
    return ctx


def concluded(ctx: Context, raws: list[bytes], together_from: int):
    """Entry, warnings and outcome of every event."""
    outcomes = {}
    before = passing.TOGETHER_FROM
    passing.TOGETHER_FROM = together_from
    try:
        alive = passing.before_lookups(
            passing.candidates(list(map(read_carefully, raws)), None, outcomes), ctx, outcomes
        )
        ready = passing.after_lookups(alive, ctx, outcomes)
    finally:
        passing.TOGETHER_FROM = before
    return list(zip(ready.places, ready.rows.entries(), ready.warnings, strict=True)), outcomes


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(context(), st.lists(sent_event(), min_size=1, max_size=8))
def test_together_they_come_to_the_same_as_one_by_one(ctx, raws):
    assert concluded(ctx, raws, 2) == concluded(ctx, raws, 10**9)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(sent_event(), min_size=1, max_size=2), context())
def test_one_odd_event_among_many_is_the_only_one_dropped(raws, ctx):
    many = raws * 9
    assert concluded(ctx, many, 8) == concluded(ctx, many, 10**9)


def test_instants_written_unevenly_are_read_as_alone():
    even, odd = "2026-11-22T07:28:11.004+05:30", "2026-11-22T07:28:11.004123+05:30"
    for raws in ([even, even], [odd, odd], [even, odd], ["2026-11-22T23:59:60.000Z"] * 2):
        us, offsets = read_instants(raws)
        alone = [read_instants([raw]) for raw in raws]
        assert us.tolist() == [int(each[0][0]) for each in alone]
        assert offsets == [each[1][0] for each in alone]


def test_ids_are_looked_at_character_by_character():
    good = "01a200f9-a73c-75fe-b3ad-9bff21bce365"
    assert are_uuid7([good, good])
    for bad in (good.upper(), good[:-1], good.replace("-75", "-45"), good.replace("-b3", "-c3"), good[:-1] + "é"):
        assert not are_uuid7([good, bad])
