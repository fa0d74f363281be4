"""What the API says about mastery."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from osler.analytics.contract import Card


class TopicNow(BaseModel):
    """One topic as the learner stands in it. A value is null where there is nothing to say it from."""

    topic_id: str = Field(examples=["cardiovascular.failure"])
    name: str = Field(examples=["Heart failure"])
    parent_id: str | None = Field(examples=["cardiovascular"])
    exam_share: float | None = Field(description="share of the exam's points, 0 to 1", examples=[0.04])
    label: str = Field(description="unseen, insufficient_data, weak, developing or mastered", examples=["developing"])
    attempts: int = Field(description="n: answers and card reviews", examples=[38])
    mastery: float | None = Field(description="chance to know an unseen question, 0 to 1", examples=[0.61])
    mastery_low: float | None = Field(description="lower end of the 90 % interval", examples=[0.54])
    mastery_high: float | None = Field(description="upper end", examples=[0.68])
    status: str = Field(description="ok, provisional (see reason), insufficient_data or not_available", examples=["ok"])
    reason: str | None = Field(
        description="why it is provisional",
        examples=["Rests on 24 card reviews and 0 answers: they show which topics are weaker …"],
    )
    trend: str = Field(description="improving, stable, declining or insufficient_data", examples=["improving"])
    is_fading: bool = Field(description="retrieval strength below the learner's target", examples=[False])
    mastery_score: float | None = Field(description="the brief's weighted sum, 0 to 1", examples=[0.66])
    mastery_score_low: float | None = Field(examples=[0.58])
    mastery_score_high: float | None = Field(examples=[0.74])
    retrieval_strength: float | None = Field(description="chance to recall a seen item", examples=[0.87])
    retrieval_low: float | None = Field(examples=[0.81])
    retrieval_high: float | None = Field(examples=[0.91])
    questions_attempted: int = Field(examples=[31])
    questions_correct: int = Field(examples=[20])
    next_review_on: date | None = Field(examples=["2026-11-24"])
    last_at: datetime | None = Field(examples=["2026-11-21T18:04:00Z"])
    as_of: datetime = Field(description="instant that the row is as of", examples=["2026-11-22T02:00:00Z"])


class Group(BaseModel):
    """A top-level topic: what the radar draws."""

    topic_id: str = Field(examples=["cardiovascular"])
    name: str = Field(examples=["Cardiovascular system"])
    coverage: float = Field(description="share of the group's exam topics with 5 answers or more", examples=[0.41])
    mastery: float | None = Field(description="mean over its topics with data, by exam share", examples=[0.58])
    low: float | None = Field(examples=[0.5])
    high: float | None = Field(examples=[0.66])
    n: int = Field(description="answers on any of its topics, each once", examples=[120])
    topics: int = Field(description="topics that count to the exam", examples=[9])
    topics_seen: int = Field(examples=[5])
    exam_weight: float | None = Field(description="share of the exam's points", examples=[0.09])
    target: float = Field(description="mastery that counts as mastered", examples=[0.8])


class AnswerModelReport(BaseModel):
    """What answers of learners held back say of these forecasts, and why they come from where they come from."""

    version: str | None = Field(
        description="null: no trained model serves", examples=["next-answer-20261116-4f2a90c1d7"]
    )
    source: str = Field(description="online, or blend: the model trained on answers here", examples=["blend"])
    learners: int = Field(description="it was trained on", examples=[412])
    answers: int = Field(description="of theirs", examples=[188_300])
    held_back_learners: int = Field(description="it was judged on", examples=[103])
    held_back_answers: int = Field(examples=[46_120])
    trained_until: date | None = Field(description="day of the newest answer in it (UTC)", examples=["2026-11-16"])
    says: str = Field(examples=["No model has been fitted to answers here yet: the online model serves alone."])
    log_loss: dict[str, float] = Field(
        description="of each model on the learners held back; empty before a trial", examples=[{"online": 0.53}]
    )
    calibration_error: dict[str, float] = Field(
        description="expected calibration error of each there", examples=[{"online": 0.01}]
    )


class MasteryAnswer(Card):
    """What the learner knows, topic by topic."""

    exam_id: str | None = Field(examples=["usmle-step-1"])
    topics_total: int = Field(description="topics that count", examples=[64])
    topics_mastered: int = Field(examples=[12])
    topics_weak: int = Field(examples=[8])
    topics_unseen: int = Field(examples=[9])
    model_report: AnswerModelReport
    groups: list[Group]
    topics: list[TopicNow] = Field(description="topics with anything known; the others are in /api/topics")


class SeriesPoint(BaseModel):
    """A local day with answers."""

    day: date = Field(examples=["2026-11-20"])
    mastery: float = Field(examples=[0.6])
    low: float = Field(examples=[0.53])
    high: float = Field(examples=[0.67])
    n: int = Field(description="attempts up to the end of the day", examples=[36])


class TrendNow(BaseModel):
    """The change over 28 days."""

    label: str = Field(examples=["improving"])
    n: int = Field(description="first attempts in the window", examples=[14])
    slope: float | None = Field(description="logits over 28 days", examples=[0.7])
    low: float | None = Field(examples=[0.1])
    high: float | None = Field(examples=[1.3])


class Projection(BaseModel):
    """How long until the topic is mastered, at the plan's pace, or in hours of study where there is no plan."""

    unit: str = Field(description="days or hours", examples=["days"])
    low: float | None = Field(examples=[14.0])
    median: float | None = Field(description="null: not within the horizon at this pace", examples=[21.0])
    high: float | None = Field(examples=[35.0])
    share_never: float = Field(description="draws that never arrive", examples=[0.03])
    projected_on: date | None = Field(examples=["2026-12-13"])
    learning_rate: float = Field(description="γ: logits gained per ln(1 + answers on the topic)", examples=[0.25])
    learning_rate_source: str = Field(
        description="fitted: on this installation's answers, where it forecasts forward in time; else start",
        examples=["start"],
    )


class TopicAnswer(Card):
    """One topic in full. `mastery_score` and what it is made of carry the brief's own names."""

    topic_id: str = Field(examples=["cardiovascular.failure"])
    name: str = Field(examples=["Heart failure"])
    parent_id: str | None = Field(examples=["cardiovascular"])
    children: list[str] = Field(description="topics right below, none under a leaf", examples=[[]])
    topic: TopicNow | None
    first_attempt_accuracy: float | None = Field(examples=[0.64])
    overall_accuracy: float | None = Field(examples=[0.68])
    material_completion: float | None = Field(examples=[0.5])
    components_present: list[str] = Field(examples=[["first_attempt_accuracy", "overall_accuracy"]])
    first_attempts: int = Field(examples=[30])
    items_seen: int = Field(examples=[30])
    items_remembered: int = Field(description="items with a memory of their own", examples=[6])
    sm2_interval_days: int | None = Field(description="the brief's SM-2, served beside ours", examples=[6])
    sm2_next_review_at: datetime | None = Field(examples=["2026-11-25T18:04:00Z"])
    series: list[SeriesPoint]
    trend: TrendNow
    projection: Projection | None
