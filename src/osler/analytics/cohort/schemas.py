"""What the API says about a class."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, Field

from osler.analytics.contract import Card, Finding


class BandOut(BaseModel):
    """A percentile band: no rank, no neighbour."""

    low: float = Field(description="share of the class below its lower edge", examples=[0.5])
    high: float = Field(examples=[0.75])
    n: int = Field(description="learners, rounded to 5", examples=[50])


class ClassWeek(BaseModel):
    """One published week."""

    week_on: date = Field(examples=["2026-11-09"])
    mean: float | None = Field(description="expected share of points, in steps of 5 points", examples=[0.65])
    n: int | None = Field(examples=[50])
    quantiles: dict[str, float] | None = Field(examples=[{"0.25": 0.55, "0.5": 0.65, "0.75": 0.75}])


class TopicOfClass(BaseModel):
    """One topic in the class; nulls where too few."""

    topic_id: str = Field(examples=["renal.acid-base"])
    name: str = Field(examples=["Acid–base disorders"])
    struggling: float | None = Field(description="share who struggle, in steps of 5 points", examples=[0.45])
    difficulty: float | None = Field(description="1 less accuracy of first attempts", examples=[0.4])
    median_hours: float | None = Field(description="active hours to mastery", examples=[7])
    n: int | None = Field(description="learners, rounded to 5", examples=[50])
    suppressed: str | None = Field(examples=["minimum"])
    finding: Finding


class CohortAnswer(Card):
    """Where a class stands, and roughly the learner in it."""

    cohort_id: str | None = Field(examples=["sample-class.1"])
    name: str | None = Field(examples=["Sample class"])
    week_on: date | None = Field(description="Monday of the published week", examples=["2026-11-09"])
    band: BandOut | None = Field(description="null under 20 learners, and for staff")
    weeks: list[ClassWeek]
    topics: list[TopicOfClass] = Field(description="hardest first")
    misalignment: float | None = Field(
        description="own study minutes against the exam's shares, 0 the same to 1 disjoint", examples=[0.2]
    )


class LearnerOfClass(BaseModel):
    """One learner in an educator's list."""

    user_id: str = Field(examples=["5b0c6d1e-9a50-4a5e-8f3e-0d6b8f3a1c11"])
    score: float | None = Field(examples=[52.0])
    score_low: float | None = Field(examples=[41.0])
    score_high: float | None = Field(examples=[63.0])
    coverage: float | None = Field(examples=[0.4])
    active_days_28d: int | None = Field(examples=[3])
    topics_weak: int | None = Field(examples=[9])
    needs_a_look: bool = Field(examples=[True])
    reasons: list[str] = Field(examples=[["few active days"]])


class LearnersAnswer(Card):
    """Who of a class needs a look."""

    cohort_id: str | None = Field(description="null where the caller teaches no class", examples=["sample-class.1"])
    learners: list[LearnerOfClass]
