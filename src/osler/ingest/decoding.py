"""Turns the body of a batch into events: the quick way for all, the careful way for each that is odd."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from osler.domain.outcomes import EventProblem
from osler.errors import OslerError
from osler.ingest import careful, quick, strict_json
from osler.ingest.columns import Columns
from osler.ingest.wire import Envelope, WireEvent, plain, quick_envelope, quick_event, quick_events, raw_envelope

QUICK_FROM = 5
"""Under five events the careful way is quicker."""

_PLACE = re.compile(r"`\$\[(\d+)\]")
_TRIES = 3
Read = WireEvent | EventProblem


class UnreadableBatch(OslerError):
    """The body is no batch: nothing of it was looked at."""

    status = 400
    default_code = "batch.unreadable"


@dataclass(frozen=True, slots=True)
class Decoded:
    """An envelope and, for each of its events, the event or what is wrong with it.

    `columns` are all events taken apart, where they were read together.
    """

    envelope: Envelope
    events: Sequence[Read]
    columns: Columns | None = None


def decode(body: bytes, *, quick_from: int = QUICK_FROM) -> Decoded:
    """Read a batch. `quick_from` events and more go the quick way. Errors: UnreadableBatch."""
    is_plain = quick.is_plain(body)
    whole = _decode_whole(body) if is_plain else None
    if whole is not None and len(whole.events) >= quick_from:
        return whole
    envelope = _decode_envelope(body)
    raws = [bytes(raw) for raw in envelope.events]
    bare = _shell(envelope)
    _refuse_repeated_keys(body, bare, raws)
    if len(raws) < quick_from:
        return Decoded(bare, [read_carefully(raw) for raw in raws])
    return Decoded(bare, _read_all(raws, is_plain=is_plain))


def _shell(envelope: Any) -> Envelope:
    """The fields around the events, whichever decoder read them."""
    names = Envelope.__struct_fields__
    return Envelope(**{name: getattr(envelope, name) for name in names if name != "events"}, events=[])


def _decode_whole(body: bytes) -> Decoded | None:
    """One typed decode of everything; None when anything at all is unusual."""
    try:
        found = quick_envelope.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    events: list[WireEvent] = found.events
    written = plain.encode(found)
    if not events or not _is_unpadded(body, written) or not quick.fits(columns := Columns(events)):
        return None
    return Decoded(_shell(found), events, columns)


def _is_unpadded(raw: bytes, written: bytes) -> bool:
    """Whether nothing was said twice (its quotes would be missing in what we write) and no event can be over-long."""
    if quick.quotes(raw) != quick.quotes(written):
        return False
    limit = careful.MAX_EVENT_BYTES
    return len(raw) <= limit or len(raw) - raw.count(b" ") - len(written) <= limit // 2


def _decode_envelope(body: bytes) -> Envelope:
    try:
        return raw_envelope.decode(body)
    except msgspec.ValidationError:
        raise UnreadableBatch(
            "The envelope needs sent_at and a list of events, and knows no other fields than the documented ones.",
            code="batch.envelope",
        ) from None
    except RecursionError:
        raise UnreadableBatch("The body is nested too deeply.", code="json.depth") from None
    except (msgspec.DecodeError, ValueError):
        raise UnreadableBatch("The body is not JSON in UTF-8.", code="json.encoding") from None


def _refuse_repeated_keys(body: bytes, bare: Envelope, raws: list[bytes]) -> None:
    """A key said twice in the envelope itself: parsers disagree about which one counts."""
    shell = plain.encode(bare).count(b'"')
    if body.count(b'"') - sum(raw.count(b'"') for raw in raws) == shell:
        return
    try:
        strict_json.parse(_without_events(body, raws), max_depth=strict_json.MAX_DEPTH)
    except EventProblem as problem:
        raise UnreadableBatch(problem.code.text, code=problem.code.value) from None
    except ValueError:
        raise UnreadableBatch("The body is not JSON in UTF-8.", code="json.encoding") from None


def _without_events(body: bytes, raws: list[bytes]) -> bytes:
    """The body with each event replaced by 0, so that the envelope can be looked at by itself."""
    parts: list[bytes] = []
    at = body.find(b"[") if raws else 0
    start = 0
    for raw in raws:
        at = body.find(raw, at)
        parts += [body[start:at], b"0"]
        start = at = at + len(raw)
    return b"".join([*parts, body[start:]])


def _read_all(raws: list[bytes], *, is_plain: bool) -> list[Read]:
    """Every event, most of them together; those that stop the typed decode, or do not fit, one by one."""
    read: list[Read | None] = [None] * len(raws)
    left = [
        place
        for place, raw in enumerate(raws)
        if (is_plain or quick.is_plain(raw)) and len(raw) <= careful.MAX_EVENT_BYTES
    ]
    found: list[WireEvent] = []
    for _ in range(_TRIES):
        try:
            found = quick_events.decode(b"[" + b",".join([raws[place] for place in left]) + b"]")
            break
        except msgspec.ValidationError as error:
            del left[_place_of(error)]
        except (msgspec.DecodeError, ValueError, RecursionError):
            left = []
    else:
        left, found = _one_by_one(raws, left)
    odd = set(quick.odd_ones(found))
    written = plain.encode_lines(found)
    is_sound = sum(raws[place].count(b'"') for place in left) == quick.quotes(written)
    for nth, (place, event) in enumerate(zip(left, found, strict=True)):
        if nth not in odd and (is_sound or _says_nothing_twice(raws[place], event)):
            read[place] = event
    return [each if each is not None else read_carefully(raws[place]) for place, each in enumerate(read)]


def _place_of(error: msgspec.ValidationError) -> int:
    match = _PLACE.search(str(error))
    return int(match[1]) if match else 0


def _one_by_one(raws: list[bytes], left: list[int]) -> tuple[list[int], list[WireEvent]]:
    places: list[int] = []
    events: list[WireEvent] = []
    for place in left:
        try:
            events.append(quick_event.decode(raws[place]))
        except (msgspec.DecodeError, ValueError, RecursionError):
            continue
        places.append(place)
    return places, events


def _says_nothing_twice(raw: bytes, event: WireEvent) -> bool:
    return raw.count(b'"') == plain.encode(event).count(b'"')


def read_carefully(raw: bytes) -> Read:
    """One event by the careful way, or what is wrong with it."""
    try:
        return careful.read(raw)
    except EventProblem as problem:
        return problem
