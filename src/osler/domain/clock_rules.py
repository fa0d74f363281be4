"""What the server concludes about time: the instant, its offset, the corrected instant, the learner's day.

Instants are integer microseconds since 1970, because a float cannot hold them. Nothing here reads a clock.
Source: ingestion contract, section 8; golden cases in tests/golden/local_days.json.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from osler.domain.event_fields import ZONE_PATTERN
from osler.domain.outcomes import Code, EventProblem, Warn

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
DAY_US = 86_400 * SECOND_US
SKEW_TOLERATED_US = 120 * SECOND_US
SKEW_LIMIT_US = DAY_US
AHEAD_LIMIT_US = 5 * MINUTE_US
LATE_AFTER_US = 7 * DAY_US
ID_TOLERANCE_MS = 1_000
OFFSET_MIN_MINUTES, OFFSET_MAX_MINUTES = -12 * 60, 14 * 60
COARSE = frozenset({"min", "hour", "day"})

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_INSTANT = re.compile(r"((?:20\d\d|2100)-\d\d-\d\dT\d\d:\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_ZONE = re.compile(ZONE_PATTERN, re.ASCII)


class Instant(msgspec.Struct, frozen=True, gc=False):
    """A time as sent: microseconds since 1970, and the offset in minutes; None after a plain Z (RFC 9557)."""

    us: int
    offset_minutes: int | None


class Home(msgspec.Struct, frozen=True, gc=False):
    """Where a learner's day is counted when the event does not say: IANA zone, and minutes after midnight."""

    zone: str = "UTC"
    day_start_minutes: int = 240


class Conclusion(msgspec.Struct, frozen=True, gc=False):
    """What is stored beside what was sent."""

    effective_us: int
    utc_offset_minutes: int
    zone_source: str
    local_date: date
    warnings: tuple[Warn, ...]


def parse_instant(raw: str) -> Instant:
    """A wire time. The leap second `:60` is read as `:59.999`; digits beyond microseconds are cut.

    Errors: EventProblem with `time.unparseable`, `time.no_offset`, `time.offset_range`.
    """
    match = _INSTANT.fullmatch(raw)
    if match is None:
        raise EventProblem(Code.TIME_UNPARSEABLE)
    minute, seconds, fraction, zone = match.groups()
    second = int(seconds)
    micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
    if second >= 60:
        if second > 60 or minute[-2:] != "59":
            raise EventProblem(Code.TIME_UNPARSEABLE)
        second, micro = 59, 999_000
    start_us, offset = _minute(minute, zone)
    return Instant(start_us + second * SECOND_US + micro, offset)


@lru_cache(maxsize=65_536)
def _minute(text: str, zone: str | None) -> tuple[int, int | None]:
    """Where a minute begins, in microseconds, and its offset: the events of a batch share few of them."""
    try:
        wall = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise EventProblem(Code.TIME_UNPARSEABLE) from None
    offset = _offset_minutes(zone)
    return us_of(wall) - (offset or 0) * MINUTE_US, offset


def _offset_minutes(zone: str | None) -> int | None:
    """Minutes of `+05:30`; None for `Z` and for `-00:00`, which say that the local offset is unknown."""
    if zone is None:
        raise EventProblem(Code.TIME_NO_OFFSET)
    if zone in {"Z", "-00:00"}:
        return None
    minutes = int(zone[1:3]) * 60 + int(zone[4:6])
    offset = -minutes if zone[0] == "-" else minutes
    if int(zone[4:6]) > 59 or not OFFSET_MIN_MINUTES <= offset <= OFFSET_MAX_MINUTES:
        raise EventProblem(Code.TIME_OFFSET_RANGE)
    return offset


def us_of(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def instant_of(us: int) -> datetime:
    """The aware UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=us)


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """A zone of the IANA database. Errors: EventProblem `time.zone_unknown`; OSError when the files cannot be read now.

    That a process has no file left to open says nothing about a zone: the event would be rejected for good.
    """
    if _ZONE.fullmatch(name) is None or name.startswith("/") or name in {"localtime", "posixrules"}:
        raise EventProblem(Code.TIME_ZONE_UNKNOWN)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, IsADirectoryError, NotADirectoryError, PermissionError):
        raise EventProblem(Code.TIME_ZONE_UNKNOWN) from None


@lru_cache(maxsize=65_536)
def _zone_offset(name: str, minute: int) -> int:
    """Minutes east of UTC; since 2000 zones change on whole minutes of UTC, some at 00:01 local."""
    offset = instant_of(minute * MINUTE_US).astimezone(zone_named(name)).utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0


def zone_offset_minutes(name: str, us: int) -> int:
    """Minutes east of UTC that a zone keeps at an instant."""
    return _zone_offset(name, us // MINUTE_US)


@lru_cache(maxsize=8_192)
def _day(number: int) -> date:
    return date.fromordinal(_EPOCH_DAY + number)


def local_date_of(us: int, offset_minutes: int, day_start_minutes: int) -> date:
    """The study day of an instant: the day start is taken off on the wall clock, not off the instant."""
    return _day((us + (offset_minutes - day_start_minutes) * MINUTE_US) // DAY_US)


def exact_skew_us(
    occurred_us: int, received_us: int, monotonic_ms: int | None, sent_monotonic_ms: int | None, *, same_boot: bool
) -> int | None:
    """How wrong the clock was when this event happened, known exactly when event and sending share a boot."""
    if not same_boot or monotonic_ms is None or sent_monotonic_ms is None or sent_monotonic_ms < monotonic_ms:
        return None
    return received_us - (sent_monotonic_ms - monotonic_ms) * 1_000 - occurred_us


def correction_us(skew_us: int) -> int:
    """What is added to `occurred_at`: nothing within two minutes, the skew beyond.

    Errors: EventProblem `clock.unusable` over 24 h.
    """
    if abs(skew_us) > SKEW_LIMIT_US:
        raise EventProblem(Code.CLOCK_UNUSABLE)
    return skew_us if abs(skew_us) > SKEW_TOLERATED_US else 0


def conclude(
    sent: Instant, *, tz: str | None, home: Home, received_us: int, skew_us: int, time_precision: str | None = None
) -> Conclusion:
    """Everything the server stores beside the client's own words.

    An explicit offset wins; after a plain Z the event's `tz` counts, else the learner's home zone. The offset is
    resolved at the corrected instant and stored, so that replay needs no zone database.

    Errors: EventProblem `clock.unusable`, `time.zone_unknown`.
    """
    shift = correction_us(skew_us)
    effective = sent.us + shift
    warnings = [Warn.CLOCK_SKEWED] if shift else []
    if sent.offset_minutes is not None:
        offset, source = sent.offset_minutes, "offset"
        if tz is not None and zone_offset_minutes(tz, sent.us) != offset:
            warnings.append(Warn.ZONE_MISMATCH)
    elif tz is not None:
        offset, source = zone_offset_minutes(tz, effective), "tz"
    else:
        offset, source = zone_offset_minutes(home.zone, effective), "learner"
    if effective - received_us > AHEAD_LIMIT_US:
        warnings.append(Warn.CLOCK_AHEAD)
    elif received_us - effective > LATE_AFTER_US:
        warnings.append(Warn.LATE)
    if time_precision in COARSE:
        warnings.append(Warn.TIME_COARSE)
    day = local_date_of(effective, offset, home.day_start_minutes)
    return Conclusion(effective, offset, source, day, tuple(warnings))
