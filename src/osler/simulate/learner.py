"""A simulated learner at work: days, sessions, blocks. Answers come from the truth, events go onto the timeline."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np

from osler.simulate.bank import OPTIONS, Bank, SimMaterial, SimQuestion
from osler.simulate.progress import CardMemory, Progress
from osler.simulate.timeline import HEARTBEAT_SECONDS, Timeline
from osler.simulate.truth import (
    Effects,
    LearnerTruth,
    chance_correct,
    chance_recall,
    draw_learner,
    skill_after_practice,
)

MINUTES_A_DAY_AT_DENSITY_1 = 52.0
"""Study minutes of an active day that make the brief's 50,000 events, 5,000 attempts, 2,000 interactions a year."""
MINUTES_BETWEEN_PROGRESS = 12.0
TOPICS_A_DAY = 4
CLASS_TOPICS_A_WEEK = 8
CLASS_SHARE = 0.5


class SimLearner:
    """One learner from the first day to the last."""

    def __init__(self, index: int, seed: int, bank: Bank, *, density: float, effects: Effects | None = None) -> None:
        self.effects = effects or Effects()
        self.truth: LearnerTruth = draw_learner(index, seed, bank.topics)
        self.bank = bank
        self.density = density
        self.namespace = f"simulate:{seed}:{index}"
        self.rng = np.random.default_rng([seed, index, 0xDA75])
        self.pauses = np.random.default_rng([seed, index, 0xB4EA, 1])
        self.progress = Progress(dict(self.truth.skills))

    def study(self, first_day: date, days: int, until: datetime) -> list[dict[str, Any]]:
        """All events of `days` local days from `first_day` on, none after `until`, in the order of their ids."""
        zone = self.truth.habits.zone
        start = datetime.combine(first_day, wall_time(12), tzinfo=ZoneInfo(zone))
        line = Timeline(self.namespace, zone, start)
        for n in range(days):
            day = first_day + timedelta(days=n)
            if self.rng.random() < self.truth.habits.weekday_share[day.weekday()]:
                self._day(line, day)
        sent = [event for event in line.events if datetime.fromisoformat(event["occurred_at"]) <= until]
        return sorted(sent, key=lambda event: str(event["id"]))

    def exam_share(self, shares: dict[str, float]) -> float:
        """The true expected share of points on an exam with this blueprint, as of now."""
        return sum(
            share * chance_correct(self.truth.ability, self.progress.skills[topic], 0.0, tired=False)
            for topic, share in shares.items()
        )

    def _day(self, line: Timeline, day: date) -> None:
        habits = self.truth.habits
        minutes = MINUTES_A_DAY_AT_DENSITY_1 * self.density * float(self.rng.lognormal(0.0, 0.35))
        sessions = 1 + int(minutes > habits.session_minutes * 1.3)
        hour = float(np.clip(self.rng.normal(habits.start_hour, habits.start_spread_hours), 4.5, 21.0))
        for n in range(sessions):
            begin = datetime.combine(day, wall_time(0), tzinfo=line.zone) + timedelta(hours=hour + 3.1 * n)
            line.now = max(begin, line.now + timedelta(minutes=45))
            self._session(line, minutes / sessions)

    def _session(self, line: Timeline, minutes: float) -> None:
        habits = self.truth.habits
        session_id = UUID(bytes=self.rng.bytes(16), version=4)
        began = line.open_session(session_id, "mixed", "web" if self.rng.random() < 0.7 else "ios")
        blocks: list[tuple[float, Callable[[Timeline, datetime, float], None]]] = [
            (habits.share_cards, self._cards),
            (habits.share_questions, self._questions),
            (habits.share_reading, self._reading),
        ]
        for share, block in blocks:
            if minutes * share >= 0.5:
                self._maybe_interrupt(line, minutes * share)
                block(line, began, minutes * share)
        line.pass_seconds(2.0)
        line.close_session(began, heartbeats_every_seconds=HEARTBEAT_SECONDS)

    def _maybe_interrupt(self, line: Timeline, minutes: float) -> None:
        if self.rng.random() >= self.truth.habits.interruption_per_hour * minutes / 60:
            return
        line.add("session_focus", state="hidden")
        line.pass_seconds(float(self.rng.uniform(12, 240)))
        line.add("session_focus", state="visible")
        line.pass_seconds(1.0)

    def _is_tired(self, line: Timeline, began: datetime) -> bool:
        return (line.now - began).total_seconds() / 60 > self.truth.habits.tires_after_minutes

    # ------------------------------------------------------------------ questions
    def _questions(self, line: Timeline, began: datetime, minutes: float) -> None:
        end = line.now + timedelta(minutes=minutes)
        topics = self._topics_of_the_day(line)
        block_id = f"b{int(self.rng.integers(1 << 40)):x}"
        size = max(1, round(minutes * 60 / (self.truth.seconds_per_question + 40)))
        line.add("block_start", block_id=block_id, kind="practice", n_questions=size)
        position = 0
        while line.now < end:
            position += 1
            topic = topics[int(self.rng.integers(len(topics)))]
            end += self._maybe_rest(line) if position > 1 else timedelta()
            choices = self.bank.questions[topic]
            self._answer(line, began, choices[int(self.rng.integers(len(choices)))], block_id, position)
        line.add("block_end", block_id=block_id, reason="finished")
        line.pass_seconds(3.0)

    def _maybe_rest(self, line: Timeline) -> timedelta:
        """A break between two questions, as often and as long as is the learner's habit; gives how long it took."""
        habits, since = self.truth.habits, line.now
        if self.pauses.random() < habits.breaks_per_hour * (self.truth.seconds_per_question + 40) / 3600:
            line.pause(round(60 * float(self.pauses.uniform(*habits.break_minutes)), 1))
            self.progress.answers_since_break = 0
        return line.now - since

    def _topics_of_the_day(self, line: Timeline) -> list[str]:
        """A few neighbouring topics: learners work through an organ system, not through the whole exam at once.

        On half of the days those of the week's lectures, which the whole class hears: so that a class can be compared.
        """
        start = int(self.rng.integers(len(self.bank.topics)))
        if self.rng.random() < CLASS_SHARE:
            week = line.now.date().toordinal() // 7
            start = week * CLASS_TOPICS_A_WEEK + start % (CLASS_TOPICS_A_WEEK - TOPICS_A_DAY + 1)
        return [self.bank.topics[(start + n) % len(self.bank.topics)] for n in range(TOPICS_A_DAY)]

    def _answer(self, line: Timeline, began: datetime, question: SimQuestion, block_id: str, position: int) -> None:
        skill = sum(self.progress.skills[t] for t in question.topic_ids) / len(question.topic_ids)
        chance = chance_correct(self.truth.ability, skill, question.difficulty, tired=self._is_tired(line, began))
        right = bool(self.rng.random() < chance + self._planted(line, question))
        seconds = round(min(600.0, float(self.rng.lognormal(math.log(self.truth.seconds_per_question), 0.4))), 1)
        line.add("question_view", question_id=question.question_id, block_id=block_id, position=position)
        line.pass_seconds(seconds)
        answer = question.key if right else self._wrong_answer(question.key)
        line.add(
            "question_submit",
            question_id=question.question_id,
            answer=[answer],
            time_to_answer_seconds=seconds,
            mode="tutor",
            confidence=self._confidence(chance) if self.rng.random() < 0.6 else None,
            block_id=block_id,
            position=position,
        )
        read_seconds = round(float(self.rng.uniform(8, 25 if right else 70)), 1)
        line.pass_seconds(read_seconds)
        line.add("question_explanation", question_id=question.question_id, seconds=read_seconds)
        line.pass_seconds(1.5)
        self._practise(question.topic_ids)

    def _planted(self, line: Timeline, question: SimQuestion) -> float:
        """What habits add to the chance of this answer."""
        today = line.now.astimezone(line.zone).date()
        self.progress.answers_since_break += 1
        rested = self.progress.answers_since_break <= 10
        noted = self.progress.is_noted(question.topic_ids, today)
        return self.effects.rest * rested + self.effects.notes * noted

    def _practise(self, topic_ids: tuple[str, ...]) -> None:
        for topic in topic_ids:
            done = self.progress.practised.get(topic, 0)
            self.progress.skills[topic] = skill_after_practice(self.progress.skills[topic], done, self.truth.gain)
            self.progress.practised[topic] = done + 1

    def _wrong_answer(self, key: str) -> str:
        wrong = [option for option in OPTIONS if option != key]
        return wrong[int(self.rng.integers(len(wrong)))]

    def _confidence(self, chance: float) -> int:
        stated = 1 + 4 * chance + self.truth.confidence_bias + float(self.rng.normal(0, 0.7))
        return int(np.clip(round(stated), 1, 5))

    # ------------------------------------------------------------------ cards
    def _cards(self, line: Timeline, began: datetime, minutes: float) -> None:
        end = line.now + timedelta(minutes=minutes)
        today = line.now.astimezone(line.zone).date()
        due = sorted((m.due, card) for card, m in self.progress.cards.items() if m.due <= today)
        topics = self._topics_of_the_day(line)
        new = [c for topic in topics for c in self.bank.cards[topic] if c not in self.progress.cards]
        for card in [*(card for _, card in due), *new]:
            if line.now >= end:
                return
            self._review(line, card, today, tired=self._is_tired(line, began))

    def _review(self, line: Timeline, card: str, today: date, *, tired: bool) -> None:
        memory = self.progress.cards.get(card)
        if memory is None:
            rating, kind, previous = int(self.rng.choice([1, 2, 3, 4], p=[0.25, 0.1, 0.55, 0.1])), "learning", None
            stability = self.truth.stability_days * (0.3 if rating == 1 else 1.0)
        else:
            elapsed = (line.now - memory.last).total_seconds() / 86_400
            recalled = self.rng.random() < chance_recall(elapsed, memory.stability_days) * (0.93 if tired else 1.0)
            rating = int(self.rng.choice([2, 3, 4], p=[0.12, 0.76, 0.12])) if recalled else 1
            kind, previous = "review", memory.interval_days * 86_400
            stability = max(0.5, memory.stability_days * (self.truth.growth if recalled else 0.4))
        seconds = round(float(self.rng.uniform(3, 9 if rating > 1 else 16)), 1)
        line.pass_seconds(seconds)
        interval = max(1, round(stability * 0.25)) if rating > 1 else 1
        line.add(
            "flashcard_review",
            card_id=card,
            rating=rating,
            kind=kind,
            time_to_answer_seconds=seconds,
            previous_interval_seconds=previous,
            interval_seconds=interval * 86_400,
            affects_schedule=True,
        )
        line.pass_seconds(0.8)
        due = today + timedelta(days=interval)
        self.progress.cards[card] = CardMemory(stability, line.now, due, interval)

    # ------------------------------------------------------------------ reading and the coach
    def _reading(self, line: Timeline, began: datetime, minutes: float) -> None:
        end = line.now + timedelta(minutes=minutes)
        for topic in self._topics_of_the_day(line):
            for material in self.bank.materials[topic]:
                if line.now >= end:
                    return
                self._read(line, material, min(material.minutes, (end - line.now).total_seconds() / 60 + 0.5))
        if self.rng.random() < 0.3 and not self._is_tired(line, began):
            self._ask_the_coach(line)

    def _read(self, line: Timeline, material: SimMaterial, minutes: float) -> None:
        line.add("material_open", material_id=material.material_id, kind=material.kind)
        today = line.now.astimezone(line.zone).date()
        self.progress.readings.setdefault(material.topic_id, []).append((today, material.material_id))
        is_video = material.kind == "video"
        if is_video:
            line.add("video_play", material_id=material.material_id, position_seconds=0.0)
        parts = max(1, round(minutes / MINUTES_BETWEEN_PROGRESS))
        for n in range(parts):
            seconds = round(minutes * 60 / parts, 1)
            line.pass_seconds(seconds)
            reached = round(min(1.0, (n + 1) / parts * minutes / material.minutes), 3)
            line.add("material_progress", material_id=material.material_id, progress=reached, active_seconds=seconds)
        if is_video:
            line.add("video_pause", material_id=material.material_id, position_seconds=round(minutes * 60, 1))
        if self.rng.random() < 0.35:
            note = f"n{int(self.rng.integers(1 << 40)):x}"
            length = int(self.rng.integers(20, 400))
            self.progress.noted.add(material.material_id)
            line.add("note_taken", material_id=material.material_id, note_id=note, action="create", length_chars=length)
        if minutes >= material.minutes * 0.98:
            line.add("material_complete", material_id=material.material_id)
            self.progress.read.add(material.material_id)
            self.progress.skills[material.topic_id] += 0.08
        line.add("material_close", material_id=material.material_id, reason="user")
        line.pass_seconds(4.0)

    def _ask_the_coach(self, line: Timeline) -> None:
        conversation = f"k{int(self.rng.integers(1 << 40)):x}"
        line.add("coach_start", conversation_id=conversation, context="none")
        for n, role in enumerate(("learner", "coach")):
            line.pass_seconds(float(self.rng.uniform(6, 25)))
            line.add(
                "coach_message",
                conversation_id=conversation,
                message_id=f"{conversation}.{n}",
                role=role,
                intent="explain",
                length_chars=int(self.rng.integers(30, 900)),
                latency_ms=int(self.rng.integers(400, 4000)) if role == "coach" else None,
            )
        line.pass_seconds(5.0)
        line.add("coach_end", conversation_id=conversation, reason="user")
