"""What the API says about what to study next."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from osler.analytics.contract import Card, Finding


class BlockOut(BaseModel):
    """One stretch of study with its reason."""

    kind: str = Field(description="review or questions", examples=["questions"])
    topic_id: str | None = Field(description="null for reviews over all topics", examples=["renal.acid-base"])
    name: str = Field(examples=["Acid-base"])
    minutes: float = Field(examples=[25.0])
    items: int | None = Field(description="cards that fit, for reviews", examples=[40])
    reason: Finding


class PlanDay(BaseModel):
    """One day of the week ahead."""

    day: date = Field(examples=["2026-11-22"])
    minutes: float = Field(examples=[45.0])
    due: int = Field(description="reviews due", examples=[84])
    blocks: list[BlockOut]


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
