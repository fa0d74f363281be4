"""Where does one study session end and the next begin?

Rules, with golden cases in tests/analytics/efficiency/test_model.py (fault row E21):

* A session is opened by study (an answer, material, a note, the coach) or by `session_start`; pauses, focus changes,
  heartbeats, ends, and what merely rode along (`api_request`, `recommendation`, `day_report`, regrades) open none.
* A gap over 30 min closes it, unless the next event carries a session id that is open in it: then 4 h may pass.
* `session_end` closes the ids it names; the session closes when no id is open. An end whose id is not open is ignored
  (double end, end without start), but closes a session that has no ids at all.
* Ends by `timeout`, `app_closed` or `server` do not prolong a session: it ends with the event before them.
* A new id on the same device closes the session and opens another (the end was lost). A new id on another device
  while one is open joins it: one person, one session; its time is a union and counts once.
* What comes after the close opens a new session if it is of a kind that opens one, whatever id it carries.
* A late event before everything refolds from the last session that began before it: no session depends on an earlier
  one, so `split` of the log from any session's first event gives the same sessions from there on.
* A skipped question is no attempt, an answer changed before submitting is one; what is undone is a later event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from osler.domain.events import LoggedEvent

GAP_SECONDS = 30 * 60
NAMED_GAP_SECONDS = 4 * 3600
RIDES_ALONG = frozenset({"api_request", "recommendation", "day_report", "question_regrade", "flashcard_reset"})
SILENT_ENDS = frozenset({"timeout", "app_closed", "server"})
OPENS_NONE = frozenset({"session_heartbeat", "session_pause", "session_resume", "session_focus", "session_end"})


@dataclass(slots=True)
class _Open:
    """The session being folded: its events, the ids open in it, and which device named which id."""

    events: list[LoggedEvent]
    ids: dict[str, str] = field(default_factory=dict[str, str])
    closed: bool = False


def _opens(event: LoggedEvent) -> bool:
    return event.event_type not in OPENS_NONE and event.event_type not in RIDES_ALONG


def _continues(current: _Open, event: LoggedEvent) -> bool:
    """Whether the event belongs to the current session: near enough in time, and not a new id on the same device."""
    if current.closed:
        return False
    elapsed = max(0.0, (event.effective_at - current.events[-1].effective_at).total_seconds())
    named = event.session_id is not None and event.session_id in current.ids
    if elapsed > (NAMED_GAP_SECONDS if named else GAP_SECONDS):
        return False
    if named or event.event_type == "session_end":
        return True
    if event.event_type == "session_start" and event.session_id is None:
        return False
    other_on_device = (event.device_id or "") in current.ids.values()
    return not (event.session_id is not None and other_on_device and _opens(event))


def _take(current: _Open, event: LoggedEvent) -> None:
    if event.event_type == "session_end":
        if event.session_id not in current.ids and current.ids:
            return
        current.ids.pop(event.session_id or "", None)
        current.closed = not current.ids
        if str(event.data.get("reason")) in SILENT_ENDS:
            return
    elif event.session_id is not None:
        current.ids[event.session_id] = event.device_id or ""
    current.events.append(event)


def split(events: Iterable[LoggedEvent]) -> Iterator[tuple[list[LoggedEvent], bool]]:
    """The events of each session, with whether it was ended explicitly; `events` in fold order from any session on."""
    current: _Open | None = None
    for event in events:
        if event.event_type in RIDES_ALONG:
            continue
        if current is not None and _continues(current, event):
            _take(current, event)
            continue
        if not _opens(event):
            continue
        if current is not None:
            yield current.events, current.closed
        current = _Open([])
        _take(current, event)
    if current is not None:
        yield current.events, current.closed
