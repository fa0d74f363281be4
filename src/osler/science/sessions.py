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

Source: this project's rules (docs/decisions/0028-rules-of-a-study-session.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

US = 1_000_000
GAP_US = 30 * 60 * US
NAMED_GAP_US = 4 * 3600 * US
RIDES_ALONG = frozenset({"api_request", "recommendation", "day_report", "question_regrade", "flashcard_reset"})
SILENT_ENDS = frozenset({"timeout", "app_closed", "server"})
OPENS_NONE = frozenset({"session_heartbeat", "session_pause", "session_resume", "session_focus", "session_end"})
_EDGES = frozenset({"session_start", "session_end"}) | RIDES_ALONG


class Step(NamedTuple):
    """An event as the rules see it: when (microseconds), of which type, under which id, where, an end's reason."""

    at_us: int
    event_type: str
    session_id: str | None
    device: str
    reason: str | None = None


@dataclass(slots=True)
class _Open:
    """The session being folded: when its last event was, the ids open in it and which device named which."""

    last_us: int = 0
    ids: dict[str, str] = field(default_factory=dict[str, str])
    closed: bool = False

    def continues(self, step: Step) -> bool:
        """Whether the event belongs to it: near enough in time, and not a new id on the same device."""
        if self.closed:
            return False
        named = step.session_id is not None and step.session_id in self.ids
        if step.at_us - self.last_us > (NAMED_GAP_US if named else GAP_US):
            return False
        if named or step.event_type == "session_end":
            return True
        if step.event_type == "session_start" and step.session_id is None:
            return False
        other_on_device = step.device in self.ids.values()
        return not (step.session_id is not None and other_on_device and step.event_type not in OPENS_NONE)

    def take(self, step: Step) -> bool:
        """Whether the event is in the session and prolongs it; an end may be ignored, or only close it."""
        if step.event_type == "session_end":
            if step.session_id not in self.ids and self.ids:
                return False
            self.ids.pop(step.session_id or "", None)
            self.closed = not self.ids
            if step.reason in SILENT_ENDS:
                return False
        elif step.session_id is not None:
            self.ids[step.session_id] = step.device
        self.last_us = step.at_us
        return True


def split(
    at_us: Sequence[int],
    event_types: Sequence[str],
    session_ids: Sequence[str | None],
    devices: Sequence[str],
    reasons: Sequence[str | None],
) -> tuple[list[int], list[bool]]:
    """For each event the number of its session (-1: in none), and for each session whether it was ended explicitly.

    Columns of events in fold order, from the log's start or from any session's first event.
    """
    member: list[int] = []
    closed: list[bool] = []
    current = _Open()
    # The id and device of the event before, where that one was in the session and at no edge of it: more of the same
    # goes on there without any question, which is nearly every event.
    usual: tuple[str | None, str] | None = None
    for at, kind, named, device, reason in zip(at_us, event_types, session_ids, devices, reasons, strict=True):
        if usual == (named, device) and kind not in _EDGES and at - current.last_us <= GAP_US:
            current.last_us = at
            member.append(len(closed) - 1)
            continue
        if kind in RIDES_ALONG:
            member.append(-1)
            continue
        step = Step(at, kind, named, device, reason)
        if not closed or not current.continues(step):
            if kind in OPENS_NONE:
                member.append(-1)
                continue
            current = _Open(at)
            closed.append(False)
        is_in = current.take(step)
        closed[-1] = current.closed
        member.append(len(closed) - 1 if is_in else -1)
        usual = (named, device) if is_in and kind not in _EDGES else None
    return member, closed
