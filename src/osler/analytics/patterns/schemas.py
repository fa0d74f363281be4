"""What the API says about habits."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from osler.analytics.contract import Card, Interval
from osler.analytics.highlights import Highlight


class DayCell(BaseModel):
    """One local day."""

    day: date = Field(examples=["2026-11-16"])
    minutes: float = Field(examples=[52.0])
    questions: int = Field(examples=[34])
    reviews: int = Field(examples=[60])
    sessions: int = Field(examples=[2])
    is_study_day: bool = Field(description="10 active minutes or 10 answers", examples=[True])


class Week(BaseModel):
    """The last seven days beside the four weeks before."""

    days: list[DayCell]
    active_days: int = Field(examples=[5])
    hours: float = Field(examples=[6.2])
    usual_hours: float | None = Field(description="mean of the four weeks before; null without them", examples=[5.5])


class Consistency(BaseModel):
    """How steadily: days, never a streak to lose."""

    active_days: int = Field(description="of the last 28", examples=[19])
    window_days: int = Field(examples=[28])
    streak_days: int = Field(examples=[4])


class Timing(BaseModel):
    """When study happens."""

    usual_hour: float | None = Field(description="circular mean of the starts", examples=[18.5])
    spread_hours: float | None = Field(examples=[2.1])
    minutes_by_hour: dict[str, float] = Field(description="weekday T hour", examples=[{"2T07": 96.0}])


class Preference(BaseModel):
    """Share of active time by kind of work."""

    kind: str = Field(examples=["video"])
    share: float = Field(examples=[0.4])
    interval: Interval


class Breaks(BaseModel):
    """Breaks of 5 to 30 minutes inside sessions."""

    n: int = Field(examples=[21])
    per_hour: float | None = Field(examples=[0.8])
    median_minutes: float | None = Field(examples=[8.0])


class InsightStatus(BaseModel):
    """Why an insight is not shown."""

    insight: str = Field(examples=["sleep"])
    status: str = Field(examples=["not_available"])
    enabled_by: str | None = Field(description="what would enable it", examples=["day_report.sleep_minutes"])


class PatternsAnswer(Card):
    """When, how long and how a learner studies, and what goes with better answers."""

    week: Week
    consistency: Consistency
    timing: Timing
    preferences: list[Preference]
    breaks: Breaks
    multitasked_share: float | None = Field(description="null without visibility events", examples=[0.08])
    switches_per_hour: float | None = Field(examples=[3.5])
    spacing_index: float | None = Field(examples=[0.7])
    interleaving_index: float | None = Field(examples=[0.9])
    cramming_index: float | None = Field(description="around an exam; even pace is .25", examples=[0.31])
    highlights: list[Highlight] = Field(description="at most three")
    insights: list[InsightStatus] = Field(description="of those not shown")
