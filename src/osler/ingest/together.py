"""The steps for many candidates at once, column by column, where none of them fails; `steps` is their oracle.

Both functions give None where they do not vouch for all, and the caller goes on with fewer, down to the plain steps.
So they may give up at anything that is rare, but must conclude the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain, compress
from typing import Any

import numpy as np

from osler.domain import clock_rules as rules
from osler.domain.content_hash import content_hashes
from osler.domain.event_types import QUESTION_TYPES, Body
from osler.domain.event_types import Sender as TypeSender
from osler.domain.outcomes import EventProblem, Warn
from osler.domain.privacy_gate import looks_personal
from osler.eventlog.entries import DAY_ZERO, Rows
from osler.ingest.columns import Columns, Group
from osler.ingest.concluded import rows_as_concluded
from osler.ingest.gate_fields import ID_FIELDS
from osler.ingest.instants import Ints, milliseconds_of, read_instants, zone_offsets
from osler.ingest.steps import FUTURE_US, grade, is_pseudonym, is_right
from osler.ingest.work import Candidates, Context, Learner, Ready

_DAYS_TO_ZERO = DAY_ZERO.toordinal() - rules.EPOCH.toordinal()
Flags = tuple[Warn, list[bool]]
"""A warning, and for each event whether it has it."""


def pass_before(c: Candidates, ctx: Context) -> Candidates | None:
    """`BEFORE_LOOKUPS` for all: who may send them, whose they are, what their ids look like."""
    columns = c.columns
    topics = [names for names in columns.topic_ids if names is not None]
    if not all(_may_send(group, ctx, has_topics=bool(topics)) for group in columns.groups):
        return None
    user_ids = _names(columns, ctx)
    chosen = chain(_texts(columns), chain.from_iterable(topics))
    return None if user_ids is None or any(map(looks_personal, set(chosen))) else replace(c, user_ids=user_ids)


def pass_after(c: Candidates, ctx: Context) -> Ready | None:
    """`AFTER_LOOKUPS` for all: a row and warnings for each candidate."""
    columns, users = c.columns, set(c.user_ids)
    if not users <= ctx.learners.keys() or not users.isdisjoint(ctx.over_rate):
        return None
    learners = [ctx.learners[user_id] for user_id in c.user_ids]
    try:
        us, offsets = read_instants(columns.occurred_at)
        for zone in set(columns.zones) - {None}:
            rules.zone_named(str(zone))
    except EventProblem:
        return None
    if not _are_in_time(columns, us, learners, ctx):
        return None
    skew = _skew(columns, us, ctx)
    if int(np.abs(skew).max()) > rules.SKEW_LIMIT_US:
        return None
    shift = np.where(np.abs(skew) > rules.SKEW_TOLERATED_US, skew, 0)
    return _Conclusions(c, ctx, learners, us, shift).ready(offsets)


def _may_send(group: Group, ctx: Context, *, has_topics: bool) -> bool:
    sender, kind = ctx.sender, group.kind
    if kind.sender is TypeSender.SERVER and not sender.is_server:
        return False
    if sender.is_service or sender.is_import or sender.is_server:
        return True
    if kind.sender is TypeSender.SERVICE or has_topics:
        return False
    return not any(group.given(name) for name in kind.service_fields)


def _names(columns: Columns, ctx: Context) -> list[str] | None:
    """Whose each event is; None when one of them may not be named, or must be and is not."""
    own = ctx.own
    named = set(columns.user_ids)
    if own is not None:
        return [own] * len(columns) if named <= ({None, own} if ctx.sender.names_learners else {None}) else None
    lowered = {name: name.lower() for name in named if name is not None}
    if len(lowered) != len(named) or not all(map(is_pseudonym, lowered.values())):
        return None
    return [lowered[name or ""] for name in columns.user_ids]


def _texts(columns: Columns) -> Iterable[str]:
    """The ids that somebody chose."""
    return chain.from_iterable(group.given(name) for group in columns.groups for name in ID_FIELDS[group.kind.name])


def _are_in_time(columns: Columns, us: Ints, learners: Sequence[Learner], ctx: Context) -> bool:
    ms = milliseconds_of(columns.ids)
    kept = [learner.checkpoint_ms for learner in learners]
    has_none = kept.count(None) == len(kept)
    return (
        int(np.abs(us // 1000 - ms).max()) <= rules.ID_TOLERANCE_MS
        and int(ms.max()) * 1000 - ctx.received_us <= FUTURE_US
        and int(ms.min()) >= ctx.retention_from_ms
        and (has_none or all(until is None or until < at for until, at in zip(kept, ms.tolist(), strict=True)))
    )


def _skew(columns: Columns, us: Ints, ctx: Context) -> Ints:
    """How wrong each one's clock was: exact where event and sending share a boot, else the request's."""
    skew = np.full(len(columns), ctx.skew_us, dtype=np.int64)
    if ctx.boot_id is None or ctx.sent_monotonic_ms is None:
        return skew
    for n, (boot_id, monotonic_ms) in enumerate(zip(columns.boot_ids, columns.monotonic_ms, strict=True)):
        if boot_id == ctx.boot_id:
            exact = rules.exact_skew_us(
                int(us[n]), ctx.received_us, monotonic_ms, ctx.sent_monotonic_ms, same_boot=True
            )
            skew[n] = ctx.skew_us if exact is None else exact
    return skew


@dataclass(slots=True)
class _Conclusions:
    """What is stored beside the clients' own words."""

    candidates: Candidates
    ctx: Context
    learners: Sequence[Learner]
    us: Ints
    shift: Ints

    @property
    def effective(self) -> Ints:
        """Corrected instants."""
        return self.us + self.shift

    def ready(self, sent: Sequence[int | None]) -> Ready:
        """Rows and warnings; `sent` are the offsets as written."""
        c, ctx, columns = self.candidates, self.ctx, self.candidates.columns
        offsets, sources, is_mismatch = self._offsets(sent)
        starts = _column([learner.home.day_start_minutes for learner in self.learners])
        days = (self.effective + (offsets - starts) * rules.MINUTE_US) // rules.DAY_US - _DAYS_TO_ZERO
        verdicts, versions = self._grades()
        precisions = [each or "ms" for each in columns.precisions]
        warnings = _combined(len(c), [
            (Warn.CLOCK_SKEWED, (self.shift != 0).tolist()),
            (Warn.ZONE_MISMATCH, is_mismatch),
            (Warn.CLOCK_AHEAD, (self.effective - ctx.received_us > rules.AHEAD_LIMIT_US).tolist()),
            (Warn.LATE, (ctx.received_us - self.effective > rules.LATE_AFTER_US).tolist()),
            (Warn.TIME_COARSE, [each in rules.COARSE for each in precisions]),
            (Warn.QUESTION_UNKNOWN, self._lacks_question()),
            (Warn.SESSION_UNKNOWN, self._lacks_session()),
            (Warn.MATERIAL_UNKNOWN, self._lacks_material()),
        ])  # fmt: skip
        types, us = columns.types(), self.us.tolist()
        hashes = content_hashes(
            event_types=types, schemas=columns.schemas, occurred_us=us, offsets=sent, zones=columns.zones,
            sessions=columns.session_ids, topics=columns.topic_ids, precisions=precisions, data=c.data,
        )  # fmt: skip
        rows = Rows(
            c.user_ids, columns.ids, types, columns.schemas, us, columns.occurred_at, self.shift.tolist(),
            offsets.tolist(), days.tolist(), columns.session_ids, columns.zones, sources, precisions, columns.boot_ids,
            columns.monotonic_ms, columns.topic_ids, verdicts, versions, hashes,
            b"\n".join(c.data).decode().split("\n"),
        )  # fmt: skip
        return Ready(c.places, rows_as_concluded(rows, ctx.sender.concluded), warnings)

    def _offsets(self, sent: Sequence[int | None]) -> tuple[Ints, list[str], list[bool]]:
        """Offsets that count, where they come from, and whether the named zone disagrees with a written one."""
        zones, count = self.candidates.columns.zones, len(sent)
        if zones.count(None) == count and None not in sent:
            return _column(sent), self._sources("offset", count), []
        has_zone = np.array([zone is not None for zone in zones], dtype=np.bool_)
        is_written = np.array([offset is not None for offset in sent], dtype=np.bool_)
        written = _column([offset or 0 for offset in sent])
        named = [zone or learner.home.zone for zone, learner in zip(zones, self.learners, strict=True)]
        of_zone = zone_offsets(named, np.where(is_written, self.us, self.effective))
        is_mismatch = is_written & has_zone & (of_zone != written)
        otherwise = ["tz" if zone else "learner" for zone in zones]
        sources = ["offset" if known else other for known, other in zip(is_written.tolist(), otherwise, strict=True)]
        return np.where(is_written, written, of_zone), self._sources(sources, count), is_mismatch.tolist()

    def _sources(self, found: list[str] | str, count: int) -> list[str]:
        if self.ctx.sender.is_import:
            found = "import"
        return [found] * count if isinstance(found, str) else found

    def _grades(self) -> tuple[list[bool | None], list[int | None]]:
        """Verdict and version of the key of each."""
        columns = self.candidates.columns
        verdicts: list[bool | None] = [None] * len(columns)
        versions: list[int | None] = [None] * len(columns)
        for group in columns.groups:
            if group.kind.name == "question_submit":
                found = self._graded(group)
            elif group.kind.name == "question_regrade":
                found = list(zip(group.fields["is_correct"], group.fields["key_version"], strict=True))
            else:
                continue
            for place, (verdict, version) in zip(group.places, found, strict=True):
                verdicts[place], versions[place] = verdict, version
        return verdicts, versions

    def _graded(self, group: Group) -> Sequence[tuple[bool | None, int | None]]:
        """Verdicts on answers, as `grade` gives each."""
        known = list(map(self.ctx.grades.get, group.fields["question_id"]))
        if group.given("is_correct") or group.given("score"):
            data = self.candidates.columns.data
            return [grade(data[place], each) for place, each in zip(group.places, known, strict=True)]
        return [
            (None, None) if each is None or each.key is None else (is_right(answer, each.key), each.key_version)
            for answer, each in zip(group.fields["answer"], known, strict=True)
        ]

    def _lacks_question(self) -> list[bool]:
        get, groups = self.ctx.grades.get, self.candidates.columns.groups
        of_questions = [group for group in groups if group.kind.name in QUESTION_TYPES]
        return self._marked(of_questions, "question_id", lambda question: get(question) is None)

    def _lacks_material(self) -> list[bool]:
        get, groups = self.ctx.materials.get, self.candidates.columns.groups
        of_materials = [group for group in groups if group.kind.body is Body.MATERIAL]
        return self._marked(of_materials, "material_id", lambda material: not get(material, False))

    def _marked(self, groups: Sequence[Group], field: str, is_unknown: Callable[[str], bool]) -> list[bool]:
        """Which events name something unknown in a field; empty when none could."""
        made = [False] * len(self.candidates) if groups else []
        for group in groups:
            unknown = {each for each in set(group.given(field)) if is_unknown(each)}
            for place, value in zip(group.places, group.fields[field], strict=True) if unknown else ():
                made[place] = value in unknown
        return made

    def _lacks_session(self) -> list[bool]:
        c, known = self.candidates, self.ctx.sessions
        sessions = c.columns.session_ids
        if sessions.count(None) == len(sessions):
            return []
        named = zip(c.user_ids, sessions, c.columns.types(), strict=True)
        return [
            session is not None and kind != "session_start" and (user_id, session) not in known
            for user_id, session, kind in named
        ]


def _column(values: Sequence[Any]) -> Ints:
    """Numbers as an array; equal ones, as they nearly always are, are not read one by one."""
    first = values[0]
    if values.count(first) == len(values):
        return np.full(len(values), first, dtype=np.int64)
    return np.array(values, dtype=np.int64)


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
