"""What may happen: every event type as a closed struct, who may send it, and which typed table it has.

There is no free text in any type: what was written is never sent, only its length. A field that is absent and a
field that is null mean the same. Durations are active time since the last event of that thing, in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from osler.domain import event_fields as f


class EventData(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False, kw_only=True):
    """Base of all `data` objects."""


class SessionStart(EventData, frozen=True, kw_only=True):
    """A study session begins."""

    mode: f.SessionMode
    platform: f.Platform
    goal_minutes: f.GoalMinutes | None = None
    exam_id: f.Id | None = None


class SessionHeartbeat(EventData, frozen=True, kw_only=True):
    """Sent every 30 s while a session is open."""

    active_seconds: f.Seconds120
    idle_seconds: f.Seconds120
    visible: bool


class SessionPause(EventData, frozen=True, kw_only=True):
    """The session pauses."""

    reason: f.PauseReason


class SessionResume(EventData, frozen=True, kw_only=True):
    """The session goes on."""


class SessionFocus(EventData, frozen=True, kw_only=True):
    """The application or tab was left or came back: the multitasking indicator."""

    state: f.FocusState


class SessionEnd(EventData, frozen=True, kw_only=True):
    """The session ends; totals are derived, never sent."""

    reason: f.SessionEndReason


class BlockStart(EventData, frozen=True, kw_only=True):
    """A block of questions begins."""

    block_id: f.Id
    kind: f.BlockKind
    n_questions: f.Count1000
    time_limit_seconds: f.Seconds36000 | None = None
    exam_id: f.Id | None = None


class BlockEnd(EventData, frozen=True, kw_only=True):
    """A block of questions ends."""

    block_id: f.Id
    reason: f.BlockEndReason


class QuestionView(EventData, frozen=True, kw_only=True):
    """A question is shown."""

    question_id: f.Id
    block_id: f.Id | None = None
    position: f.Position2000 | None = None


class QuestionAnswerChange(EventData, frozen=True, kw_only=True):
    """The marked answer changed before it was submitted."""

    question_id: f.Id
    from_: f.Keys = msgspec.field(name="from")
    to: f.Keys


class QuestionSubmit(EventData, frozen=True, kw_only=True):
    """A question is answered. `is_correct` or `score` come from imports and services only; else it is graded here."""

    question_id: f.Id
    answer: f.Keys
    time_to_answer_seconds: f.Seconds14400
    mode: f.AnswerMode
    confidence: f.Likert5 | None = None
    hints_used: f.Hints20 | None = None
    block_id: f.Id | None = None
    position: f.Position2000 | None = None
    is_correct: bool | None = None
    score: f.Share | None = None


class QuestionSkip(EventData, frozen=True, kw_only=True):
    """A question is passed over."""

    question_id: f.Id
    seconds: f.Seconds14400


class QuestionFlag(EventData, frozen=True, kw_only=True):
    """A question is marked for later, or no longer."""

    question_id: f.Id
    flagged: bool


class QuestionHint(EventData, frozen=True, kw_only=True):
    """A hint is opened."""

    question_id: f.Id
    hint_index: f.HintIndex


class QuestionExplanation(EventData, frozen=True, kw_only=True):
    """An explanation was read."""

    question_id: f.Id
    seconds: f.Seconds3600


class QuestionRegrade(EventData, frozen=True, kw_only=True):
    """A corrected key changed the grade of an attempt; the attempt itself is never rewritten."""

    attempt_event_id: f.UuidText
    key_version: f.Integer
    is_correct: bool


class FlashcardReview(EventData, frozen=True, kw_only=True):
    """A card was rated. `affects_schedule` is false for cramming."""

    card_id: f.Id
    rating: f.Rating4
    kind: f.CardKind
    time_to_answer_seconds: f.Seconds3600
    affects_schedule: bool
    previous_interval_seconds: f.Integer | None = None
    interval_seconds: f.Integer | None = None
    ease_permille: f.EasePermille | None = None


class FlashcardReset(EventData, frozen=True, kw_only=True):
    """A card was set back to new."""

    card_id: f.Id


class MaterialOpen(EventData, frozen=True, kw_only=True):
    """A material is opened."""

    material_id: f.Id
    kind: f.MaterialKind
    section_id: f.Id | None = None


class MaterialProgress(EventData, frozen=True, kw_only=True):
    """How far a material has been followed; `progress` is the furthest point."""

    material_id: f.Id
    progress: f.Share
    active_seconds: f.Seconds3600
    scroll_depth: f.Share | None = None
    position_seconds: f.Seconds | None = None
    section_id: f.Id | None = None


class MaterialComplete(EventData, frozen=True, kw_only=True):
    """A material was followed to its end."""

    material_id: f.Id


class MaterialClose(EventData, frozen=True, kw_only=True):
    """A material was left."""

    material_id: f.Id
    reason: f.CloseReason


class VideoPlay(EventData, frozen=True, kw_only=True):
    """A video starts or goes on."""

    material_id: f.Id
    position_seconds: f.Seconds86400
    rate: f.PlaybackRate | None = None


class VideoPause(EventData, frozen=True, kw_only=True):
    """A video pauses."""

    material_id: f.Id
    position_seconds: f.Seconds86400
    rate: f.PlaybackRate | None = None


class VideoSeek(EventData, frozen=True, kw_only=True):
    """A video is moved to another place."""

    material_id: f.Id
    from_seconds: f.Seconds86400
    to_seconds: f.Seconds86400


class Bookmark(EventData, frozen=True, kw_only=True):
    """A bookmark is set or taken away."""

    material_id: f.Id
    on: bool


class Highlight(EventData, frozen=True, kw_only=True):
    """A passage is marked: its length and place, never its words."""

    material_id: f.Id
    highlight_id: f.Id
    action: f.EditAction
    length_chars: f.MarkedChars
    position: f.Share
    colour: f.Colour


class NoteTaken(EventData, frozen=True, kw_only=True):
    """A note is written beside one material or one question: its length, never its text."""

    note_id: f.Id
    action: f.EditAction
    length_chars: f.WrittenChars
    material_id: f.Id | None = None
    question_id: f.Id | None = None


class CoachStart(EventData, frozen=True, kw_only=True):
    """A conversation with the coach begins."""

    conversation_id: f.Id
    context: f.CoachContext
    context_id: f.Id | None = None


class CoachEnd(EventData, frozen=True, kw_only=True):
    """A conversation with the coach ends."""

    conversation_id: f.Id
    reason: f.CoachEndReason


class CoachMessage(EventData, frozen=True, kw_only=True):
    """A message in a conversation: role, intent, length, never its text."""

    conversation_id: f.Id
    message_id: f.Id
    role: f.CoachRole
    intent: f.CoachIntent
    length_chars: f.WrittenChars
    latency_ms: f.Milliseconds600k | None = None
    topic_id: f.Id | None = None


class CoachFeedback(EventData, frozen=True, kw_only=True):
    """The learner says whether a message helped."""

    conversation_id: f.Id
    message_id: f.Id
    helpful: bool
    reason: f.CoachVerdict | None = None


class CoachAction(EventData, frozen=True, kw_only=True):
    """The coach offered something to study, and what came of it."""

    conversation_id: f.Id
    action: f.CoachAct
    target: f.Target
    target_id: f.Id


class Recommendation(EventData, frozen=True, kw_only=True):
    """A recommendation was shown, taken or left."""

    recommendation_id: f.Id
    action: f.RecommendationAct
    target: f.Target
    target_id: f.Id
    rank: f.Rank100


class DayReport(EventData, frozen=True, kw_only=True):
    """Sleep and energy as the learner reports them; only with the consent `wellbeing`."""

    sleep_minutes: f.Minutes1440 | None = None
    energy: f.Likert5 | None = None


class ApiRequest(EventData, frozen=True, kw_only=True):
    """One request to a host application, written by the tracking middleware."""

    route: f.Route
    method: f.HttpMethod
    status: f.HttpStatus
    duration_ms: f.Milliseconds600k
    client: f.Client


class Sender(StrEnum):
    """Who may send a type: a learner, a service token or an import, or the server alone."""

    LEARNER = "learner"
    SERVICE = "service"
    SERVER = "server"


class Body(StrEnum):
    """Which typed table an event has beside its row in `study_events`."""

    ATTEMPT = "question_attempts"
    MATERIAL = "material_interactions"


@dataclass(frozen=True, slots=True)
class EventType:
    """One type: its closed `data`, its newest schema version, its typed table, its sender, the consent it needs."""

    name: str
    data: type[EventData]
    version: int = 1
    body: Body | None = None
    sender: Sender = Sender.LEARNER
    consent: str | None = None
    service_fields: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    at_most_one: tuple[str, ...] = ()


_A, _M = Body.ATTEMPT, Body.MATERIAL

_ALL = (
    EventType("session_start", SessionStart),
    EventType("session_heartbeat", SessionHeartbeat),
    EventType("session_pause", SessionPause),
    EventType("session_resume", SessionResume),
    EventType("session_focus", SessionFocus),
    EventType("session_end", SessionEnd),
    EventType("block_start", BlockStart),
    EventType("block_end", BlockEnd),
    EventType("question_view", QuestionView),
    EventType("question_answer_change", QuestionAnswerChange),
    EventType(
        "question_submit", QuestionSubmit, body=_A,
        service_fields=("is_correct", "score"), at_most_one=("is_correct", "score"),
    ),
    EventType("question_skip", QuestionSkip),
    EventType("question_flag", QuestionFlag),
    EventType("question_hint", QuestionHint),
    EventType("question_explanation", QuestionExplanation),
    EventType("question_regrade", QuestionRegrade, sender=Sender.SERVER),
    EventType("flashcard_review", FlashcardReview, body=_A),
    EventType("flashcard_reset", FlashcardReset),
    EventType("material_open", MaterialOpen, body=_M),
    EventType("material_progress", MaterialProgress, body=_M),
    EventType("material_complete", MaterialComplete, body=_M),
    EventType("material_close", MaterialClose, body=_M),
    EventType("video_play", VideoPlay, body=_M),
    EventType("video_pause", VideoPause, body=_M),
    EventType("video_seek", VideoSeek, body=_M),
    EventType("bookmark", Bookmark, body=_M),
    EventType("highlight", Highlight, body=_M),
    EventType("note_taken", NoteTaken, body=_M, one_of=("material_id", "question_id")),
    EventType("coach_start", CoachStart),
    EventType("coach_end", CoachEnd),
    EventType("coach_message", CoachMessage),
    EventType("coach_feedback", CoachFeedback),
    EventType("coach_action", CoachAction),
    EventType("recommendation", Recommendation),
    EventType("day_report", DayReport, consent="wellbeing"),
    EventType("api_request", ApiRequest, sender=Sender.SERVICE),
)  # fmt: skip

EVENT_TYPES: Mapping[str, EventType] = {each.name: each for each in _ALL}
"""Every event type by its wire name, in the order of the documentation."""

QUESTION_TYPES = frozenset(name for name, kind in EVENT_TYPES.items() if "question_id" in kind.data.__struct_fields__)
"""Types that name a question; `note_taken` may name none."""
