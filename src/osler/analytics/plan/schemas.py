"""What the API says about what to study next."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from osler.analytics.contract import Card, Finding


class BlockOut(BaseModel):
    """One stretch of study with its reason."""

    kind: str = Field(description="review or questions", examples=["questions"])
    topic_id: str | None = Field(description="null for reviews over all topics", examples=["renal.acid-base"])
    name: str = Field(examples=["Acid–base disorders"])
    minutes: float = Field(examples=[25.0])
    items: int | None = Field(description="cards that fit, for reviews", examples=[40])
    reason: Finding


class PlanDay(BaseModel):
    """One day of the week ahead."""

    day: date = Field(examples=["2026-11-22"])
    minutes: float = Field(examples=[45.0])
    due: int = Field(description="reviews due, with those that the days before had no minutes for", examples=[84])
    blocks: list[BlockOut]


class ReviewPlan(BaseModel):
    """How cards are reviewed until the exam, chosen by simulating the memory model itself."""

    desired_retention: float = Field(description="recall at which a card is due", examples=[0.8])
    last_days_from: date = Field(description="from then on all cards go by gain", examples=["2027-01-03"])
    expected_recall: float = Field(description="simulated for the exam day", examples=[0.93])
    usual_recall: float = Field(description="the same with a fixed retention of .90", examples=[0.9])
    cards: int = Field(description="cards with a memory", examples=[840])
    unseen: int = Field(description="cards not seen yet", examples=[120])
    today: dict[str, int] = Field(
        description="cards of today's list: due, new, ahead, last_days", examples=[{"due": 84, "new": 20}]
    )
    reviewed: int = Field(description="of these, reviewed since", examples=[12])
    as_of: datetime = Field(examples=["2026-11-22T02:00:00Z"])
    finding: Finding


class ListedCard(BaseModel):
    """One card of today's list."""

    item_kind: str = Field(examples=["card"])
    item_id: str = Field(examples=["sim.renal.acid-base.c1"])
    reason: Finding
    is_reviewed: bool = Field(description="since the list was made", examples=[False])


class ListAnswer(Card):
    """Today's cards in order; empty without an exam ahead: then what is due decides."""

    planned_on: date | None = Field(examples=["2026-11-22"])
    cards: list[ListedCard]


class PlanAnswer(Card):
    """Today's one decision, what else would do, and the week ahead."""

    minutes: float = Field(description="of today", examples=[45.0])
    minutes_from: str = Field(description="plan, usual or default", examples=["plan"])
    block: BlockOut | None = Field(description="start this; null when nothing is left to do")
    surety: float | None = Field(
        description="share of draws in which the first topic stays first; null without topics", examples=[0.72]
    )
    alternatives: list[BlockOut]
    days: list[PlanDay]
    exam_on: date | None = Field(examples=["2027-01-10"])
    review_plan: ReviewPlan | None = Field(description="null without an exam ahead, or before the first night")
