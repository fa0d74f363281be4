"""What the API says about retrieval strength."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from osler.analytics.contract import Card, Interval


class TopicRecall(BaseModel):
    """How well a topic is remembered. `sm2_*` is the brief's rule to the letter, beside ours."""

    topic_id: str = Field(examples=["renal.acid-base"])
    name: str = Field(examples=["Acid–base disorders"])
    exam_share: float | None = Field(examples=[0.02])
    retrieval_strength: float | None = Field(description="chance to recall a seen item; null: none", examples=[0.72])
    retrieval_low: float | None = Field(examples=[0.64])
    retrieval_high: float | None = Field(examples=[0.79])
    items_seen: int = Field(description="n: items met", examples=[9])
    items_remembered: int = Field(description="of these: with a memory of their own", examples=[9])
    due: int = Field(description="items due today or before", examples=[4])
    due_tomorrow: int = Field(examples=[5])
    next_review_on: date | None = Field(examples=["2026-11-23"])
    sm2_interval_days: int = Field(examples=[6])
    sm2_next_review_at: datetime | None = Field(examples=["2026-11-25T18:04:00Z"])
    as_of: datetime = Field(examples=["2026-11-22T02:00:00Z"])


class RetentionWeek(BaseModel):
    """Share of next-day reviews passed, beside the mean forecast; thin weeks are joined with their neighbours."""

    week_on: date = Field(description="Monday of the first week", examples=["2026-11-16"])
    weeks: int = Field(description="weeks joined", examples=[1])
    n: int = Field(examples=[86])
    retention: float = Field(examples=[0.88])
    interval: Interval
    forecast: float = Field(description="mean of what was forecast", examples=[0.9])


class RecallModelReport(BaseModel):
    """Whose parameters forecast recall, what the last fit decided, and how far the forecasts are trusted."""

    version: str | None = Field(description="null before the first fit", examples=["memory-20261116-4f2a90c1"])
    source: str = Field(description="population, or own: fitted to this learner", examples=["own"])
    fsrs: str | None = Field(description="too_few, refused or accepted", examples=["accepted"])
    sbd: str | None = Field(description="the same", examples=["refused"])
    fitted_to: int = Field(description="next-day reviews", examples=[620])
    fitted_until: date | None = Field(description="day of the newest event in it (UTC)", examples=["2026-11-16"])
    next_day_reviews: int = Field(description="forecast and scored so far", examples=[700])
    weight_of_model: float = Field(
        description="share of the model in the forecast of a review, by how it did beside the learner's running mean",
        examples=[0.97],
    )
    says: str = Field(
        examples=["Own parameters serve for FSRS-6: they forecast the newest fifth of the reviews better."]
    )


class RetrievalAnswer(Card):
    """What can be recalled now, and what is due."""

    desired_retention: float = Field(examples=[0.9])
    due: int = Field(description="items due today or before", examples=[34])
    due_minutes: float | None = Field(description="at the learner's pace", examples=[11.0])
    topics: list[TopicRecall]
    alerts: list[TopicRecall] = Field(description="below the target or due, those that cost most exam points first")
    retention: list[RetentionWeek]
    model_report: RecallModelReport


class CalendarDay(BaseModel):
    """A local day: what was done on it, or what will be due."""

    day: date = Field(examples=["2026-11-24"])
    done: int = Field(examples=[0])
    due: int = Field(description="items due; today's holds what is overdue", examples=[84])
    minutes: float | None = Field(examples=[28.0])


class CalendarAnswer(Card):
    """90 days back and ahead."""

    today: date = Field(examples=["2026-11-22"])
    days: list[CalendarDay]


class CurvePoint(BaseModel):
    """Recall of a topic on a coming day if nothing is reviewed."""

    day: date = Field(examples=["2026-12-01"])
    retrievability: float = Field(examples=[0.81])
    low: float = Field(examples=[0.74])
    high: float = Field(examples=[0.87])


class ObservedDay(BaseModel):
    """What was answered on a past day."""

    day: date = Field(examples=["2026-11-20"])
    n: int = Field(examples=[12])
    correct: int = Field(examples=[9])


class TopicRecallAnswer(Card):
    """The forgetting curve of a topic: the past as it was seen, the future as a band."""

    topic_id: str = Field(examples=["renal.acid-base"])
    name: str = Field(examples=["Acid–base disorders"])
    desired_retention: float = Field(examples=[0.9])
    exam_on: date | None = Field(examples=["2027-01-10"])
    topic: TopicRecall | None
    items_total: int | None = Field(description="questions and own cards on the topic; null: none known", examples=[40])
    coverage: float | None = Field(description="share of them that was met", examples=[0.22])
    whole_topic_strength: float | None = Field(
        description="chance over all items of the topic, unseen ones as at zero practice", examples=[0.51]
    )
    curve: list[CurvePoint] = Field(description="to day 180, denser at first")
    observed: list[ObservedDay]
