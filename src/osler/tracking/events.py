"""A typed function for each event type of a host; made by tools/generate_tracking.py, not by hand."""
# fmt: off

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

from osler.domain import event_fields as f


class Track(Protocol):
    """`Osler.track_nowait`."""

    def __call__(
        self, event_type: str, *, user: str, data: dict[str, Any], at: datetime | None, tz: str | None,
        session_id: str | None,
    ) -> bool:
        """Queue one event."""
        ...


class Events:
    """`osler.events`: each function queues one event and touches only memory, as `track_nowait` does."""

    def __init__(self, track: Track) -> None:
        self._track = track

    def session_start(
        self, *, user: str, mode: f.SessionMode, platform: f.Platform, goal_minutes: f.GoalMinutes | None = None,
        exam_id: f.Id | None = None, at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A study session begins."""
        data: dict[str, Any] = {
            "mode": mode, "platform": platform, "goal_minutes": goal_minutes, "exam_id": exam_id,
        }
        return self._track("session_start", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def session_heartbeat(
        self, *, user: str, active_seconds: f.Seconds120, idle_seconds: f.Seconds120, visible: bool,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """Sent every 30 s while a session is open."""
        data: dict[str, Any] = {
            "active_seconds": active_seconds, "idle_seconds": idle_seconds, "visible": visible,
        }
        return self._track("session_heartbeat", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def session_pause(
        self, *, user: str, reason: f.PauseReason, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """The session pauses."""
        data: dict[str, Any] = {
            "reason": reason,
        }
        return self._track("session_pause", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def session_resume(
        self, *, user: str, at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """The session goes on."""
        data: dict[str, Any] = {}
        return self._track("session_resume", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def session_focus(
        self, *, user: str, state: f.FocusState, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """The application or tab was left or came back: the multitasking indicator."""
        data: dict[str, Any] = {
            "state": state,
        }
        return self._track("session_focus", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def session_end(
        self, *, user: str, reason: f.SessionEndReason, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """The session ends; totals are derived, never sent."""
        data: dict[str, Any] = {
            "reason": reason,
        }
        return self._track("session_end", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def block_start(
        self, *, user: str, block_id: f.Id, kind: f.BlockKind, n_questions: f.Count1000,
        time_limit_seconds: f.Seconds36000 | None = None, exam_id: f.Id | None = None, at: datetime | None = None,
        tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A block of questions begins."""
        data: dict[str, Any] = {
            "block_id": block_id, "kind": kind, "n_questions": n_questions, "time_limit_seconds": time_limit_seconds,
            "exam_id": exam_id,
        }
        return self._track("block_start", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def block_end(
        self, *, user: str, block_id: f.Id, reason: f.BlockEndReason, at: datetime | None = None,
        tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A block of questions ends."""
        data: dict[str, Any] = {
            "block_id": block_id, "reason": reason,
        }
        return self._track("block_end", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def question_view(
        self, *, user: str, question_id: f.Id, block_id: f.Id | None = None, position: f.Position2000 | None = None,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A question is shown."""
        data: dict[str, Any] = {
            "question_id": question_id, "block_id": block_id, "position": position,
        }
        return self._track("question_view", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def question_answer_change(
        self, *, user: str, question_id: f.Id, from_: f.Keys, to: f.Keys, at: datetime | None = None,
        tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """The marked answer changed before it was submitted."""
        data: dict[str, Any] = {
            "question_id": question_id, "from": from_, "to": to,
        }
        return self._track("question_answer_change", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def question_submit(
        self, *, user: str, question_id: f.Id, answer: f.Keys, time_to_answer_seconds: f.Seconds14400,
        mode: f.AnswerMode, confidence: f.Likert5 | None = None, hints_used: f.Hints20 | None = None,
        block_id: f.Id | None = None, position: f.Position2000 | None = None, is_correct: bool | None = None,
        score: f.Share | None = None, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """A question is answered.

        `is_correct` or `score` come from imports and services only; else it is graded here.
        """
        data: dict[str, Any] = {
            "question_id": question_id, "answer": answer, "time_to_answer_seconds": time_to_answer_seconds,
            "mode": mode, "confidence": confidence, "hints_used": hints_used, "block_id": block_id,
            "position": position, "is_correct": is_correct, "score": score,
        }
        return self._track("question_submit", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def question_skip(
        self, *, user: str, question_id: f.Id, seconds: f.Seconds14400, at: datetime | None = None,
        tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A question is passed over."""
        data: dict[str, Any] = {
            "question_id": question_id, "seconds": seconds,
        }
        return self._track("question_skip", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def question_flag(
        self, *, user: str, question_id: f.Id, flagged: bool, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """A question is marked for later, or no longer."""
        data: dict[str, Any] = {
            "question_id": question_id, "flagged": flagged,
        }
        return self._track("question_flag", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def question_hint(
        self, *, user: str, question_id: f.Id, hint_index: f.HintIndex, at: datetime | None = None,
        tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A hint is opened."""
        data: dict[str, Any] = {
            "question_id": question_id, "hint_index": hint_index,
        }
        return self._track("question_hint", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def question_explanation(
        self, *, user: str, question_id: f.Id, seconds: f.Seconds3600, at: datetime | None = None,
        tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """An explanation was read."""
        data: dict[str, Any] = {
            "question_id": question_id, "seconds": seconds,
        }
        return self._track("question_explanation", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def flashcard_review(
        self, *, user: str, card_id: f.Id, rating: f.Rating4, kind: f.CardKind, time_to_answer_seconds: f.Seconds3600,
        affects_schedule: bool, previous_interval_seconds: f.Integer | None = None,
        interval_seconds: f.Integer | None = None, ease_permille: f.EasePermille | None = None,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A card was rated.

        `affects_schedule` is false for cramming.
        """
        data: dict[str, Any] = {
            "card_id": card_id, "rating": rating, "kind": kind, "time_to_answer_seconds": time_to_answer_seconds,
            "affects_schedule": affects_schedule, "previous_interval_seconds": previous_interval_seconds,
            "interval_seconds": interval_seconds, "ease_permille": ease_permille,
        }
        return self._track("flashcard_review", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def flashcard_reset(
        self, *, user: str, card_id: f.Id, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """A card was set back to new."""
        data: dict[str, Any] = {
            "card_id": card_id,
        }
        return self._track("flashcard_reset", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def material_open(
        self, *, user: str, material_id: f.Id, kind: f.MaterialKind, section_id: f.Id | None = None,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A material is opened."""
        data: dict[str, Any] = {
            "material_id": material_id, "kind": kind, "section_id": section_id,
        }
        return self._track("material_open", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def material_progress(
        self, *, user: str, material_id: f.Id, progress: f.Share, active_seconds: f.Seconds3600,
        scroll_depth: f.Share | None = None, position_seconds: f.Seconds | None = None,
        section_id: f.Id | None = None, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """How far a material has been followed; `progress` is the furthest point."""
        data: dict[str, Any] = {
            "material_id": material_id, "progress": progress, "active_seconds": active_seconds,
            "scroll_depth": scroll_depth, "position_seconds": position_seconds, "section_id": section_id,
        }
        return self._track("material_progress", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def material_complete(
        self, *, user: str, material_id: f.Id, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """A material was followed to its end."""
        data: dict[str, Any] = {
            "material_id": material_id,
        }
        return self._track("material_complete", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def material_close(
        self, *, user: str, material_id: f.Id, reason: f.CloseReason, at: datetime | None = None,
        tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A material was left."""
        data: dict[str, Any] = {
            "material_id": material_id, "reason": reason,
        }
        return self._track("material_close", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def video_play(
        self, *, user: str, material_id: f.Id, position_seconds: f.Seconds86400, rate: f.PlaybackRate | None = None,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A video starts or goes on."""
        data: dict[str, Any] = {
            "material_id": material_id, "position_seconds": position_seconds, "rate": rate,
        }
        return self._track("video_play", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def video_pause(
        self, *, user: str, material_id: f.Id, position_seconds: f.Seconds86400, rate: f.PlaybackRate | None = None,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A video pauses."""
        data: dict[str, Any] = {
            "material_id": material_id, "position_seconds": position_seconds, "rate": rate,
        }
        return self._track("video_pause", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def video_seek(
        self, *, user: str, material_id: f.Id, from_seconds: f.Seconds86400, to_seconds: f.Seconds86400,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A video is moved to another place."""
        data: dict[str, Any] = {
            "material_id": material_id, "from_seconds": from_seconds, "to_seconds": to_seconds,
        }
        return self._track("video_seek", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def bookmark(
        self, *, user: str, material_id: f.Id, on: bool, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """A bookmark is set or taken away."""
        data: dict[str, Any] = {
            "material_id": material_id, "on": on,
        }
        return self._track("bookmark", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def highlight(
        self, *, user: str, material_id: f.Id, highlight_id: f.Id, action: f.EditAction, length_chars: f.MarkedChars,
        position: f.Share, colour: f.Colour, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """A passage is marked: its length and place, never its words."""
        data: dict[str, Any] = {
            "material_id": material_id, "highlight_id": highlight_id, "action": action, "length_chars": length_chars,
            "position": position, "colour": colour,
        }
        return self._track("highlight", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def note_taken(
        self, *, user: str, note_id: f.Id, action: f.EditAction, length_chars: f.WrittenChars,
        material_id: f.Id | None = None, question_id: f.Id | None = None, at: datetime | None = None,
        tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A note is written beside one material or one question: its length, never its text."""
        data: dict[str, Any] = {
            "note_id": note_id, "action": action, "length_chars": length_chars, "material_id": material_id,
            "question_id": question_id,
        }
        return self._track("note_taken", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def coach_start(
        self, *, user: str, conversation_id: f.Id, context: f.CoachContext, context_id: f.Id | None = None,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A conversation with the coach begins."""
        data: dict[str, Any] = {
            "conversation_id": conversation_id, "context": context, "context_id": context_id,
        }
        return self._track("coach_start", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def coach_end(
        self, *, user: str, conversation_id: f.Id, reason: f.CoachEndReason, at: datetime | None = None,
        tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A conversation with the coach ends."""
        data: dict[str, Any] = {
            "conversation_id": conversation_id, "reason": reason,
        }
        return self._track("coach_end", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def coach_message(
        self, *, user: str, conversation_id: f.Id, message_id: f.Id, role: f.CoachRole, intent: f.CoachIntent,
        length_chars: f.WrittenChars, latency_ms: f.Milliseconds600k | None = None, topic_id: f.Id | None = None,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A message in a conversation: role, intent, length, never its text."""
        data: dict[str, Any] = {
            "conversation_id": conversation_id, "message_id": message_id, "role": role, "intent": intent,
            "length_chars": length_chars, "latency_ms": latency_ms, "topic_id": topic_id,
        }
        return self._track("coach_message", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def coach_feedback(
        self, *, user: str, conversation_id: f.Id, message_id: f.Id, helpful: bool,
        reason: f.CoachVerdict | None = None, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """The learner says whether a message helped."""
        data: dict[str, Any] = {
            "conversation_id": conversation_id, "message_id": message_id, "helpful": helpful, "reason": reason,
        }
        return self._track("coach_feedback", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def coach_action(
        self, *, user: str, conversation_id: f.Id, action: f.CoachAct, target: f.Target, target_id: f.Id,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """The coach offered something to study, and what came of it."""
        data: dict[str, Any] = {
            "conversation_id": conversation_id, "action": action, "target": target, "target_id": target_id,
        }
        return self._track("coach_action", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def recommendation(
        self, *, user: str, recommendation_id: f.Id, action: f.RecommendationAct, target: f.Target, target_id: f.Id,
        rank: f.Rank100, at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """A recommendation was shown, taken or left."""
        data: dict[str, Any] = {
            "recommendation_id": recommendation_id, "action": action, "target": target, "target_id": target_id,
            "rank": rank,
        }
        return self._track("recommendation", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def day_report(
        self, *, user: str, sleep_minutes: f.Minutes1440 | None = None, energy: f.Likert5 | None = None,
        at: datetime | None = None, tz: str | None = None, session_id: str | None = None,
    ) -> bool:
        """Sleep and energy as the learner reports them; only with the consent `wellbeing`."""
        data: dict[str, Any] = {
            "sleep_minutes": sleep_minutes, "energy": energy,
        }
        return self._track("day_report", user=user, data=data, at=at, tz=tz, session_id=session_id)

    def api_request(
        self, *, user: str, route: f.Route, method: f.HttpMethod, status: f.HttpStatus,
        duration_ms: f.Milliseconds600k, client: f.Client, at: datetime | None = None, tz: str | None = None,
        session_id: str | None = None,
    ) -> bool:
        """One request to a host application, written by the tracking middleware."""
        data: dict[str, Any] = {
            "route": route, "method": method, "status": status, "duration_ms": duration_ms, "client": client,
        }
        return self._track("api_request", user=user, data=data, at=at, tz=tz, session_id=session_id)
