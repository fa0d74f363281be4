"""The steps between the wire and the log, in order, each with its own reasons to drop an event.

A step looks at one candidate, fills in what it found, or raises EventProblem. None of them does I/O: what has to be
looked up stands in the context.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from osler.domain import clock_rules
from osler.domain.clock_rules import ID_TOLERANCE_MS, conclude, exact_skew_us, parse_instant, zone_named
from osler.domain.content_hash import content_hash
from osler.domain.event_types import QUESTION_TYPES, Body
from osler.domain.event_types import Sender as TypeSender
from osler.domain.outcomes import Code, EventProblem, Warn
from osler.domain.privacy_gate import looks_personal
from osler.eventlog.entries import DAY_ZERO, Entry
from osler.ingest.concluded import as_concluded
from osler.ingest.gate_fields import ID_FIELDS
from osler.ingest.limits import FUTURE_HOURS
from osler.ingest.work import Candidate, Context, Grade

_DAY_ZERO = DAY_ZERO.toordinal()
FUTURE_US = FUTURE_HOURS * 3600 * clock_rules.SECOND_US
_NO_USERS = frozenset({"00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"})
HALF = 0.5
"""An attempt that brings points instead of a verdict counts as correct from half of them on."""


def check_sender(c: Candidate, ctx: Context) -> None:
    """Types that the server alone writes, types and fields that only services and imports may send."""
    sender, kind, event = ctx.sender, c.kind, c.event
    if kind.sender is TypeSender.LEARNER and not kind.service_fields and event.topic_ids is None:
        return
    if kind.sender is TypeSender.SERVER and not sender.is_server:
        raise EventProblem(Code.TYPE_FORBIDDEN, "/type")
    if sender.is_service or sender.is_import or sender.is_server:
        return
    if kind.sender is TypeSender.SERVICE:
        raise EventProblem(Code.TYPE_FORBIDDEN, "/type")
    if event.topic_ids is not None:
        raise EventProblem(Code.TYPE_FORBIDDEN, "/topic_ids")
    for name in kind.service_fields:
        if getattr(event.data, name) is not None:
            raise EventProblem(Code.TYPE_FORBIDDEN, f"/data/{name}")


def find_learner(c: Candidate, ctx: Context) -> None:
    """Whose event it is: the token's, or the one that a service names."""
    learner = ctx.learners.get(c.user_id)
    if learner is None:
        raise EventProblem(Code.SUBJECT_FORBIDDEN)
    if c.user_id in ctx.over_rate:
        raise EventProblem(Code.RATE_USER)
    c.learner = learner


def name_learner(c: Candidate, ctx: Context) -> None:
    """The id of the learner, before anything is known of them."""
    own, named = ctx.own, c.event.user_id
    if own is not None:
        c.user_id = own
        if named is not None and named.lower() != own:
            raise EventProblem(Code.SUBJECT_FORBIDDEN, "/user_id")
        if named is not None and not ctx.sender.names_learners:
            raise EventProblem(Code.TYPE_FORBIDDEN, "/user_id")
        return
    if named is None:
        raise EventProblem(Code.USER_MISSING, "/user_id")
    named = named.lower()
    if not is_pseudonym(named):
        raise EventProblem(Code.USER_MALFORMED, "/user_id")
    c.user_id = named


@lru_cache(maxsize=50_000)
def is_pseudonym(text: str) -> bool:
    """A UUID in canonical form that can belong to somebody: neither nil nor all ones."""
    shape = len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-" and text.count("-") == 4
    return shape and not text.encode().translate(None, b"0123456789abcdef-") and text not in _NO_USERS


def check_time(c: Candidate, ctx: Context) -> None:
    """The time in the id, the time beside it, and whether both lie where the log reaches."""
    event = c.event
    text = event.id
    c.ms = ms = int(text[:8] + text[9:13], 16)
    try:
        c.sent = sent = parse_instant(event.occurred_at)
    except EventProblem as problem:
        raise EventProblem(problem.code, "/occurred_at") from None
    if abs(sent.us // 1000 - ms) > ID_TOLERANCE_MS:
        raise EventProblem(Code.ID_TIME_MISMATCH, "/occurred_at")
    if ms * 1000 - ctx.received_us > FUTURE_US:
        raise EventProblem(Code.IN_FUTURE, "/id")
    checkpoint = c.learner.checkpoint_ms
    if ms < ctx.retention_from_ms or (checkpoint is not None and ms <= checkpoint):
        raise EventProblem(Code.TOO_OLD, "/id")
    if event.tz is not None:
        try:
            zone_named(event.tz)
        except EventProblem as problem:
            raise EventProblem(problem.code, "/tz") from None


def check_privacy(c: Candidate, ctx: Context) -> None:  # noqa: ARG001  (every step takes the context)
    """No id may look like an address, a token or a number of a person."""
    data = c.event.data
    for name in ID_FIELDS[c.kind.name]:
        value = getattr(data, name)
        if value is not None and looks_personal(value):
            raise EventProblem(Code.PRIVACY_PATTERN, f"/data/{name}")
    if c.event.topic_ids is not None and any(map(looks_personal, c.event.topic_ids)):
        raise EventProblem(Code.PRIVACY_PATTERN, "/topic_ids")


def conclude_and_grade(c: Candidate, ctx: Context) -> None:
    """Everything that is stored beside the client's own words."""
    event, sent = c.event, c.sent
    precision = event.time_precision or "ms"
    same_boot = event.boot_id is not None and event.boot_id == ctx.boot_id
    exact = (
        exact_skew_us(sent.us, ctx.received_us, event.monotonic_ms, ctx.sent_monotonic_ms, same_boot=True)
        if same_boot
        else None
    )
    skew = ctx.skew_us if exact is None else exact
    end = conclude(
        sent, tz=event.tz, home=c.learner.home, received_us=ctx.received_us, skew_us=skew, time_precision=precision
    )
    is_correct: bool | None = None
    key_version: int | None = None
    if c.kind.name == "question_submit":
        is_correct, key_version = grade(event.data, ctx.grades.get(event.data.question_id))
    elif c.kind.name == "question_regrade":
        is_correct, key_version = event.data.is_correct, event.data.key_version
    c.warnings = _look_around(c, ctx, end.warnings)
    c.entry = Entry(
        user_id=c.user_id,
        event_id=event.id,
        event_type=c.kind.name,
        schema_version=event.schema,
        occurred_us=sent.us,
        occurred_at_raw=event.occurred_at,
        shift_us=end.effective_us - sent.us,
        utc_offset_minutes=end.utc_offset_minutes,
        local_day=end.local_date.toordinal() - _DAY_ZERO,
        session_id=event.session_id,
        tz=event.tz,
        zone_source="import" if ctx.sender.is_import else end.zone_source,
        time_precision=precision,
        boot_id=event.boot_id,
        monotonic_ms=event.monotonic_ms,
        topic_ids=event.topic_ids,
        is_correct=is_correct,
        key_version=key_version,
        content_hash=content_hash(
            event_type=c.kind.name,
            schema=event.schema,
            occurred_us=sent.us,
            offset_minutes=sent.offset_minutes,
            tz=event.tz,
            session_id=event.session_id,
            topic_ids=event.topic_ids,
            time_precision=precision,
            data=c.data_json,
        ),
        data_json=c.data_json.decode(),
    )
    if ctx.sender.concluded and (found := ctx.sender.concluded.get(event.id)) is not None:
        c.entry = as_concluded(c.entry, found)


def grade(data: Any, found: Grade | None) -> tuple[bool | None, int | None]:
    """Whether an answer is right, and by which version of the key.

    A verdict that an import or a service brings is taken; points count as right from half of them on.
    """
    if data.is_correct is not None:
        return data.is_correct, None
    if data.score is not None:
        return data.score >= HALF, None
    if found is None or found.key is None:
        return None, None
    return is_right(data.answer, found.key), found.key_version


def is_right(answer: list[str], key: tuple[str, ...]) -> bool:
    """Whether the chosen options are those of the key, in whatever order and however often each was said."""
    return tuple(answer) == key or tuple(sorted(set(answer))) == key


def _look_around(c: Candidate, ctx: Context, warnings: tuple[Warn, ...]) -> tuple[Warn, ...]:
    if c.kind.name in QUESTION_TYPES:
        question = c.event.data.question_id
        if question is not None and ctx.grades.get(question) is None:
            warnings += (Warn.QUESTION_UNKNOWN,)
    session = c.event.session_id
    if session is not None and c.kind.name != "session_start" and (c.user_id, session) not in ctx.sessions:
        warnings += (Warn.SESSION_UNKNOWN,)
    if c.kind.body is Body.MATERIAL:
        material = c.event.data.material_id
        if material is not None and not ctx.materials.get(material, False):
            warnings += (Warn.MATERIAL_UNKNOWN,)
    return warnings


Step = Callable[[Candidate, Context], None]

BEFORE_LOOKUPS: tuple[Step, ...] = (check_sender, name_learner, check_privacy)
AFTER_LOOKUPS: tuple[Step, ...] = (find_learner, check_time, conclude_and_grade)
