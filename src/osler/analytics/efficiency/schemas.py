"""What the API says about efficiency."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from osler.analytics.contract import Card, Interval
from osler.analytics.highlights import Highlight


class Measure(BaseModel):
    """A number with its range and what it rests on; `value` is null where too little is known."""

    value: float | None = Field(description="null where too little is known", examples=[0.71])
    interval: Interval | None = Field(None, description="90 % range, where it has one")
    n: int = Field(description="sessions, answers or materials behind it", examples=[36])


class SessionLength(BaseModel):
    """Lengths of study sessions of 90 days, in active minutes."""

    mean: float | None = Field(examples=[41.5])
    quartiles: list[float] | None = Field(description="25 %, 50 % and 75 % points", examples=[[25.0, 38.0, 50.0]])
    n: int = Field(description="sessions of a minute or more", examples=[96])


class LengthBin(BaseModel):
    """Sessions by length."""

    from_minutes: float = Field(examples=[30])
    to_minutes: float | None = Field(description="null: no upper end", examples=[45])
    sessions: int = Field(examples=[21])
    accuracy: float | None = Field(description="share right in these sessions", examples=[0.7])
    n: int = Field(description="graded answers in them", examples=[310])


class HourCell(BaseModel):
    """One weekday and hour of the learner's wall clock, 90 days."""

    weekday: int = Field(description="1 Monday to 7 Sunday", examples=[2])
    hour: int = Field(examples=[7])
    n: int = Field(description="answers", examples=[58])
    accuracy: float | None = Field(description="share right; null without answers", examples=[0.72])
    interval: Interval | None = Field(None, description="Wilson, 90 %")
    active_minutes: float = Field(examples=[96.0])


class WeekPoint(BaseModel):
    """One week of the trend."""

    week_on: date = Field(description="Monday", examples=["2026-11-16"])
    active_minutes: float = Field(examples=[310.0])
    total_minutes: float = Field(examples=[430.0])
    efficiency: float | None = Field(examples=[0.72])
    n: int = Field(description="sessions", examples=[9])


class EfficiencyAnswer(Card):
    """How well the time is used."""

    efficiency: Measure = Field(description="active over total time, 28 days")
    active_minutes: float = Field(description="28 days", examples=[1240.0])
    total_minutes: float = Field(description="28 days", examples=[1710.0])
    focus_score: Measure = Field(description="heuristic, 0 to 100; null without pause or focus events")
    questions_per_hour: Measure = Field(description="answers and reviews an active hour, 28 days")
    materials_per_hour: Measure = Field(description="materials an active hour, 28 days")
    session_minutes: SessionLength
    optimal_hours: list[HourCell] = Field(description="up to three hours, most accurate first, 30 answers or more each")
    lengths: list[LengthBin]
    hours: list[HourCell]
    trend: list[WeekPoint]
    trend_per_4_weeks: Measure = Field(description="change of efficiency in 4 weeks, Theil–Sen over 8 weeks")
    highlights: list[Highlight] = Field(description="found patterns, at most three; also on the patterns page")
