"""What the API says about gaps."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from osler.analytics.contract import Card, Finding


class TopicRef(BaseModel):
    """A topic by id and name."""

    topic_id: str = Field(examples=["cardiovascular.failure"])
    name: str = Field(examples=["Heart failure"])


class Hours(BaseModel):
    """Hours to close a gap; null ends where some draws never arrive."""

    median: float | None = Field(examples=[6.0])
    low: float | None = Field(description="5 %", examples=[4.0])
    high: float | None = Field(description="95 %", examples=[9.0])


class Progress(BaseModel):
    """How far a gap is closed."""

    opened_on: date | None = Field(examples=["2026-03-02"])
    at_start: float | None = Field(description="mastery on that day", examples=[0.31])
    now: float | None = Field(examples=[0.55])
    target: float = Field(examples=[0.8])
    share: float | None = Field(description="of the way from start to target", examples=[0.49])


class GapOut(BaseModel):
    """One gap with the factors of its rank."""

    topic_id: str = Field(examples=["cardiovascular.failure"])
    name: str = Field(examples=["Heart failure"])
    rank: int = Field(examples=[1])
    state: str = Field(description="unseen, insufficient_data, weak, open or closed", examples=["weak"])
    severity: str | None = Field(description="critical, high, medium, low; null under 5 answers", examples=["critical"])
    is_provisional: bool = Field(examples=[False])
    gap_score: float | None = Field(description="1 less mastery_score, 0 to 1", examples=[0.7])
    priority_score: float | None = Field(description="the brief's sum, 0 to 25.5; shown, never ranks", examples=[18.9])
    priority_index: float | None = Field(description="0 to 100; ranks unless `ranked_by` says else", examples=[50.6])
    told_by: Literal["questions", "cards"] | None = Field(
        description="what it is known from: cards where no question of it was answered; null without an answer",
        examples=["questions"],
    )
    mastery: float | None = Field(description="null where cards alone tell of the topic", examples=[0.42])
    mastery_low: float | None = Field(examples=[0.31])
    mastery_high: float | None = Field(examples=[0.55])
    recall: float | None = Field(
        description="chance to recall a card of it now; where cards alone tell of the topic", examples=[None]
    )
    recall_low: float | None = Field(examples=[None])
    recall_high: float | None = Field(examples=[None])
    n: int = Field(description="answers on the topic, and reviews of its cards", examples=[23])
    board_exam_weight: float = Field(description="0 to 10", examples=[8.0])
    exam_share: float = Field(description="share of the exam's points", examples=[0.08])
    prerequisite_impact: float = Field(examples=[0.12])
    recent_failure_rate: float | None = Field(examples=[0.45])
    blocks_count: int = Field(examples=[5])
    blocks_count_all: int = Field(examples=[9])
    hours: Hours
    points_per_hour: float | None = Field(description="expected exam points of an hour", examples=[0.4])
    recommended_path: list[TopicRef]
    recommended_materials: list[str] = Field(examples=[["sim.cardiovascular.failure.m0"]])
    progress: Progress
    findings: list[Finding] = Field(description="what this gap says, most useful first")


class GapsAnswer(Card):
    """Gaps in the order of work."""

    ranked_by: str | None = Field(examples=["priority_index"])
    counts: dict[str, int] = Field(description="gaps by state", examples=[{"weak": 3, "open": 20, "unseen": 9}])
    gaps: list[GapOut]


class GraphNode(BaseModel):
    """One topic of the prerequisite graph."""

    topic_id: str = Field(examples=["renal.acid-base"])
    name: str = Field(examples=["Acid–base disorders"])
    state: str = Field(examples=["weak"])
    mastery: float | None = Field(examples=[0.42])
    n: int = Field(examples=[23])
    rank: int = Field(examples=[2])
    needs: list[str] = Field(description="topics it stands on", examples=[["renal.tubules"]])
    unlocks: list[str] = Field(description="topics that stand on it", examples=[["renal.acute-injury"]])


class GraphEdge(BaseModel):
    """One prerequisite edge."""

    from_topic_id: str = Field(examples=["renal.acid-base"])
    to_topic_id: str = Field(examples=["renal.acute-injury"])
    strength: float = Field(examples=[0.5])


class GraphAnswer(Card):
    """Which topics stand on which, and where the learner stands."""

    chain: list[str] = Field(description="the weakest chain, first what to mend first", examples=[["renal.acid-base"]])
    nodes: list[GraphNode]
    edges: list[GraphEdge]
