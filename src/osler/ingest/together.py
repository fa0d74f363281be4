"""The steps for many candidates at once, column by column, where none of them fails; `steps` is their oracle.

Both functions say whether they vouch for all. Where they do not, nothing they filled in counts, and the caller goes
on with fewer, down to the plain steps. So they may give up at anything that is rare, but must conclude the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from operator import attrgetter
from typing import Any

import numpy as np

from osler.domain import clock_rules as rules
from osler.domain.content_hash import content_hashes
from osler.domain.event_types import QUESTION_TYPES, Body, EventType
from osler.domain.event_types import Sender as TypeSender
from osler.domain.outcomes import EventProblem, Warn
from osler.domain.privacy_gate import looks_personal
from osler.eventlog.entries import DAY_ZERO, Entry
from osler.ingest.concluded import as_concluded
from osler.ingest.gate_fields import ID_FIELDS
from osler.ingest.instants import Ints, milliseconds_of, read_instants, zone_offsets
from osler.ingest.quick import by_class
from osler.ingest.steps import FUTURE_US, grade, is_pseudonym
from osler.ingest.wire import KIND_OF, WireEvent
from osler.ingest.work import Candidate, Context, Learner

_DAYS_TO_ZERO = DAY_ZERO.toordinal() - rules.EPOCH.toordinal()
_ABSENT = (None, None)
Flags = tuple[Warn, list[bool]]
"""A warning, and for each event whether it has it."""


def pass_before(alive: Sequence[Candidate], ctx: Context) -> bool:
    """`BEFORE_LOOKUPS` for all: who may send them, whose they are, what their ids look like."""
    events = [c.event for c in alive]
    groups = [(KIND_OF[each], [event.data for event in members]) for each, members in by_class(events).items()]
    topics = [names for event in events if (names := event.topic_ids) is not None]
    return (
        all(_may_send(kind, data, ctx, has_topics=bool(topics)) for kind, data in groups)
        and _name(alive, events, ctx)
        and not any(map(looks_personal, set(chain(_texts(groups), chain.from_iterable(topics)))))
    )


def pass_after(alive: Sequence[Candidate], ctx: Context) -> bool:
    """`AFTER_LOOKUPS` for all: an entry and warnings for each candidate."""
    user_ids = [c.user_id for c in alive]
    users = set(user_ids)
    if not users <= ctx.learners.keys() or not users.isdisjoint(ctx.over_rate):
        return False
    learners = [ctx.learners[user_id] for user_id in user_ids]
    events = [c.event for c in alive]
    try:
        us, offsets = read_instants([event.occurred_at for event in events])
        zones = [event.tz for event in events]
        for zone in set(zones) - {None}:
            rules.zone_named(str(zone))
    except EventProblem:
        return False
    if not _are_in_time(events, us, learners, ctx):
        return False
    skew = _skew(events, us, ctx)
    if int(np.abs(skew).max()) > rules.SKEW_LIMIT_US:
        return False
    shift = np.where(np.abs(skew) > rules.SKEW_TOLERATED_US, skew, 0)
    _Conclusions(alive, ctx, events, learners, zones, us, shift).fill_in(offsets)
    return True


def _may_send(kind: EventType, data: list[Any], ctx: Context, *, has_topics: bool) -> bool:
    sender = ctx.sender
    if kind.sender is TypeSender.SERVER and not sender.is_server:
        return False
    if sender.is_service or sender.is_import or sender.is_server:
        return True
    if kind.sender is TypeSender.SERVICE or has_topics:
        return False
    return all(list(map(attrgetter(name), data)).count(None) == len(data) for name in kind.service_fields)


def _name(alive: Sequence[Candidate], events: Sequence[WireEvent], ctx: Context) -> bool:
    own = ctx.own
    named = {event.user_id for event in events}
    if own is not None:
        if not named <= ({None, own} if ctx.sender.names_learners else {None}):
            return False
        for c in alive:
            c.user_id = own
        return True
    lowered = {name: name.lower() for name in named if name is not None}
    if len(lowered) != len(named) or not all(map(is_pseudonym, lowered.values())):
        return False
    for c in alive:
        c.user_id = lowered[c.event.user_id or ""]
    return True


def _texts(groups: Iterable[tuple[EventType, list[Any]]]) -> Iterable[str]:
    """The ids that somebody chose."""
    for kind, data in groups:
        for get in map(attrgetter, ID_FIELDS[kind.name]):
            yield from set(map(get, data)) - {None}


def _are_in_time(events: Sequence[WireEvent], us: Ints, learners: Sequence[Learner], ctx: Context) -> bool:
    ms = milliseconds_of([event.id for event in events])
    kept = [learner.checkpoint_ms for learner in learners]
    has_none = kept.count(None) == len(kept)
    return (
        int(np.abs(us // 1000 - ms).max()) <= rules.ID_TOLERANCE_MS
        and int(ms.max()) * 1000 - ctx.received_us <= FUTURE_US
        and int(ms.min()) >= ctx.retention_from_ms
        and (has_none or all(until is None or until < at for until, at in zip(kept, ms.tolist(), strict=True)))
    )


def _skew(events: Sequence[WireEvent], us: Ints, ctx: Context) -> Ints:
    """How wrong each one's clock was: exact where event and sending share a boot, else the request's."""
    skew = np.full(len(events), ctx.skew_us, dtype=np.int64)
    if ctx.boot_id is None or ctx.sent_monotonic_ms is None:
        return skew
    for n, event in enumerate(events):
        if event.boot_id == ctx.boot_id:
            exact = rules.exact_skew_us(
                int(us[n]), ctx.received_us, event.monotonic_ms, ctx.sent_monotonic_ms, same_boot=True
            )
            skew[n] = ctx.skew_us if exact is None else exact
    return skew


@dataclass(slots=True)
class _Conclusions:
    """What is stored beside the clients' own words, as columns that become entries at the end."""

    alive: Sequence[Candidate]
    ctx: Context
    events: Sequence[WireEvent]
    learners: Sequence[Learner]
    zones: Sequence[str | None]
    us: Ints
    shift: Ints

    @property
    def effective(self) -> Ints:
        """Corrected instants."""
        return self.us + self.shift

    def fill_in(self, sent: Sequence[int | None]) -> None:
        """Give every candidate its entry and warnings; `sent` are the offsets as written."""
        alive, events, ctx = self.alive, self.events, self.ctx
        offsets, sources, is_mismatch = self._offsets(sent)
        starts = np.array([learner.home.day_start_minutes for learner in self.learners], dtype=np.int64)
        days = (self.effective + (offsets - starts) * rules.MINUTE_US) // rules.DAY_US - _DAYS_TO_ZERO
        verdicts, versions = self._grades()
        kinds = [c.kind.name for c in alive]
        precisions = [event.time_precision or "ms" for event in events]
        warnings = _combined(len(alive), [
            (Warn.CLOCK_SKEWED, (self.shift != 0).tolist()),
            (Warn.ZONE_MISMATCH, is_mismatch),
            (Warn.CLOCK_AHEAD, (self.effective - ctx.received_us > rules.AHEAD_LIMIT_US).tolist()),
            (Warn.LATE, (ctx.received_us - self.effective > rules.LATE_AFTER_US).tolist()),
            (Warn.TIME_COARSE, [each in rules.COARSE for each in precisions]),
            (Warn.QUESTION_UNKNOWN, self._lacks_question()),
            (Warn.SESSION_UNKNOWN, self._lacks_session()),
            (Warn.MATERIAL_UNKNOWN, self._lacks_material()),
        ])  # fmt: skip
        us = self.us.tolist()
        schemas, sessions = [event.schema for event in events], [event.session_id for event in events]
        topics, data = [event.topic_ids for event in events], [c.data_json for c in alive]
        hashes = content_hashes(
            event_types=kinds, schemas=schemas, occurred_us=us, offsets=sent, zones=self.zones, sessions=sessions,
            topics=topics, precisions=precisions, data=data,
        )  # fmt: skip
        entries = map(
            Entry,
            [c.user_id for c in alive], [event.id for event in events], kinds, schemas, us,
            [event.occurred_at for event in events], self.shift.tolist(), offsets.tolist(), days.tolist(), sessions,
            self.zones, sources, precisions, [event.boot_id for event in events],
            [event.monotonic_ms for event in events], topics, verdicts, versions, hashes,
            b"\n".join(data).decode().split("\n"),
        )  # fmt: skip
        taken_over = ctx.sender.concluded
        for c, entry, warned in zip(alive, entries, warnings, strict=True):
            found = taken_over.get(entry.event_id) if taken_over else None
            c.entry = entry if found is None else as_concluded(entry, found)
            c.warnings = warned

    def _offsets(self, sent: Sequence[int | None]) -> tuple[Ints, list[str], list[bool]]:
        """Offsets that count, where they come from, and whether the named zone disagrees with a written one."""
        named = [zone or learner.home.zone for zone, learner in zip(self.zones, self.learners, strict=True)]
        has_zone = np.array([zone is not None for zone in self.zones], dtype=np.bool_)
        is_written = np.array([offset is not None for offset in sent], dtype=np.bool_)
        written = np.array([offset or 0 for offset in sent], dtype=np.int64)
        if not has_zone.any() and is_written.all():
            offsets, is_mismatch = written, has_zone
        else:
            of_zone = zone_offsets(named, np.where(is_written, self.us, self.effective))
            offsets = np.where(is_written, written, of_zone)
            is_mismatch = is_written & has_zone & (of_zone != written)
        sources = (
            ["import"] * len(sent)
            if self.ctx.sender.is_import
            else np.where(is_written, "offset", np.where(has_zone, "tz", "learner")).tolist()
        )
        return offsets, sources, is_mismatch.tolist()

    def _grades(self) -> tuple[list[bool | None], list[int | None]]:
        """Verdict and version of the key of each."""
        get = self.ctx.grades.get
        found = [
            grade(data, get(data.question_id))
            if (name := c.kind.name) == "question_submit"
            else ((data.is_correct, data.key_version) if name == "question_regrade" else _ABSENT)
            for c, data in zip(self.alive, (event.data for event in self.events), strict=True)
        ]
        verdicts, versions = zip(*found, strict=True)
        return list(verdicts), list(versions)

    def _lacks_question(self) -> list[bool]:
        known = self.ctx.grades
        if QUESTION_TYPES.isdisjoint(c.kind.name for c in self.alive):
            return []
        return [
            c.kind.name in QUESTION_TYPES
            and (question := c.event.data.question_id) is not None
            and known.get(question) is None
            for c in self.alive
        ]

    def _lacks_session(self) -> list[bool]:
        known = self.ctx.sessions
        if [event.session_id for event in self.events].count(None) == len(self.events):
            return []
        return [
            (session := c.event.session_id) is not None
            and c.kind.name != "session_start"
            and (c.user_id, session) not in known
            for c in self.alive
        ]

    def _lacks_material(self) -> list[bool]:
        known = self.ctx.materials
        if not any(kind.body is Body.MATERIAL for kind in {c.kind.name: c.kind for c in self.alive}.values()):
            return []
        return [
            c.kind.body is Body.MATERIAL
            and (material := c.event.data.material_id) is not None
            and not known.get(material, False)
            for c in self.alive
        ]


def _combined(count: int, flags: Sequence[Flags]) -> list[tuple[Warn, ...]]:
    """The warnings of each event, in the order of `flags`."""
    found = [(warning, marks) for warning, marks in flags if True in marks]
    if not found:
        return [()] * count
    names = [warning for warning, _ in found]
    made: dict[Any, tuple[Warn, ...]] = {}
    rows = list(zip(*(marks for _, marks in found), strict=True))
    for row in set(rows):
        made[row] = tuple(compress(names, row))
    return [made[row] for row in rows]
