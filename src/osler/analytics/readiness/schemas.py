"""What the API says about readiness."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from osler.analytics.contract import Card, Finding, Interval
from osler.domain.local_day import FIRST_DAY, LAST_DAY


class Likely(BaseModel):
    """A forecast with its range; null where nothing can be said."""

    value: float | None = Field(examples=[68.0])
    interval: Interval | None = Field(None, description="90 %")


class SectionOut(BaseModel):
    """One section of the exam."""

    section: str = Field(examples=["Respiratory, renal and urinary systems"])
    name: str = Field(examples=["Respiratory, renal and urinary systems"])
    weight: float = Field(description="share of the exam's points", examples=[0.12])
    expected: float = Field(description="expected share of its points", examples=[0.41])
    coverage: float = Field(description="share of its points on topics with 5 answers", examples=[0.5])
    below_cut: float | None = Field(description="chance to stay below the pass mark in it", examples=[0.86])
    is_weak: bool = Field(examples=[True])
    n: int = Field(examples=[44])
    points_to_gain: float = Field(description="points of 100 that it still costs", examples=[3.1])


class ReadyInDays(BaseModel):
    """Days until the chance to pass reaches 90 % at the present pace, over 200 draws of what is not known."""

    median: int | None = Field(description="null: not within half a year", examples=[23])
    is_before_exam: bool | None = Field(description="false: not before the exam at this pace", examples=[True])
    low: int | None = Field(examples=[17])
    high: int | None = Field(examples=[34])
    share_never: float | None = Field(description="draws that never arrive", examples=[0.05])
    minutes_per_day: float | None = Field(description="pace walked", examples=[45.0])


class PathPoint(BaseModel):
    """One day of the projection."""

    day: date = Field(examples=["2026-12-01"])
    expected: float = Field(description="share of points", examples=[0.66])
    low: float = Field(examples=[0.58])
    high: float = Field(examples=[0.74])


class ModelReport(BaseModel):
    """What past results say of these forecasts, and why they come from where they come from."""

    version: str | None = Field(description="null before the first fit", examples=["exam-4f2a90c1d7b3e865"])
    outcomes: int = Field(description="results of this exam behind it", examples=[240])
    scores: int = Field(description="of these with a score", examples=[180])
    forecasts: int = Field(description="served a week before an exam whose score is known", examples=[160])
    held: int = Field(description="of these, how many had the score inside their interval", examples=[144])
    trained_until: date | None = Field(description="day of the newest exam in it", examples=["2026-11-02"])
    source: str = Field(examples=["closed_form"])
    says: str = Field(examples=["The trained models did not beat the closed form and the base rate."])
    brier: dict[str, float] = Field(
        description="Brier score of each forecast on results it had not seen", examples=[{"closed_form": 0.17}]
    )


class ReadinessAnswer(Card):
    """How ready the learner is, or why that cannot be said."""

    status: str = Field(
        description="ok, provisional, insufficient_data, not_available, cannot_tell", examples=["provisional"]
    )
    exam_id: str | None = Field(examples=["usmle-step-1"])
    exam_name: str | None = Field(examples=["USMLE Step 1"])
    exam_on: date | None = Field(examples=["2027-01-10"])
    days_left: int | None = Field(examples=[49])
    cut: float | None = Field(description="pass mark as a share of points", examples=[0.6])
    readiness_score: Likely = Field(description="0 to 100: how far what is asked is on the way to mastery")
    predicted_score: Likely = Field(description="0 to 100: expected share of points on the exam day")
    pass_probability: Likely = Field(description="0 to 1; null without a pass mark")
    exam_ready_probability: float | None = Field(
        description="the chance to pass as one number; null while uncalibrated", examples=[0.74]
    )
    source: str = Field(description="closed_form, or the trained model that beat it", examples=["closed_form"])
    calibration: str = Field(description="uncalibrated, logistic or isotonic", examples=["uncalibrated"])
    model_report: ModelReport
    coverage: float = Field(description="share of the exam on topics with 5 answers", examples=[0.62])
    sections: list[SectionOut] = Field(description="those that cost most first")
    days_until_ready: ReadyInDays
    projection: list[PathPoint]
    features: dict[str, float | None] = Field(
        description="the brief's eight", examples=[{"avg_mastery_score": 0.75, "topics_mastered": 42}]
    )
    findings: list[Finding]


class WhatIfQuestion(BaseModel):
    """Another plan: what is left out stays as it is."""

    minutes_per_day: float | None = Field(None, ge=0, le=1440, description="on every day", examples=[60])
    exam_on: date | None = Field(None, ge=FIRST_DAY, le=LAST_DAY, examples=["2027-02-01"])
    topic_ids: list[str] | None = Field(
        None, max_length=50, description="study these alone", examples=[["renal.acid-base"]]
    )


class WhatIfAnswer(Card):
    """What the other plan would change by the exam day; a model estimate."""

    label: str = Field(examples=["model estimate"])
    score_now: Likely = Field(description="on the exam day, if the present plan goes on; points of 100")
    score_then: Likely = Field(description="on its exam day, under what is asked; points of 100")
    score_gain: Likely = Field(description="points of 100")
    pass_gain: Likely = Field(description="change of the chance to pass; null without a pass mark")


class OutcomeIn(BaseModel):
    """How an exam went."""

    exam_id: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", examples=["usmle-step-1"])
    exam_on: date = Field(ge=FIRST_DAY, le=LAST_DAY, examples=["2026-05-10"])
    score: float | None = Field(None, ge=0, le=1, description="share of points", examples=[0.71])
    passed: bool | None = Field(None, examples=[True])


class OutcomeOut(OutcomeIn):
    """What was recorded."""

    source: str = Field(examples=["learner"])
