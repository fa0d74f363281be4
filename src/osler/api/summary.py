"""`GET /api/analytics/dashboard`: what the first page shows, composed of every analytic's rows in one statement."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field
from starlette.responses import Response

from osler.analytics.contract import Card, CardState, Finding, Interval, card_fields
from osler.analytics.mastery.queries import ANSWERS
from osler.analytics.plan.answer import answer as plan_answer
from osler.analytics.plan.queries import DUE_PART, GAPS_PART, PLANNED, PLANNED_PART, SETUP_PART, named
from osler.analytics.plan.schemas import PlanAnswer
from osler.analytics.retrieval.due import SECONDS_PART
from osler.catalog.learners import ME, gather_known
from osler.catalog.snapshot import Catalogue
from osler.db.engine import ReadSession
from osler.http.deps import CachedReply
from osler.http.policy import Action
from osler.http.scope import Scope, require
from osler.http.strict import api_router

VERSION = "dashboard-1"
GAPS_SHOWN = 3
ReadAnalytics = Annotated[Scope, Depends(require(Action.READ_ANALYTICS))]

DASHBOARD = f"""
with {ME}, {PLANNED},
topics as materialized (
  select t.topic_id, t.attempts, t.mastery, t.mastery_low, t.mastery_high, t.retrieval_strength, t.retrieval_low,
         t.retrieval_high, t.next_review_on, t.items_remembered, t.as_of
    from me join topic_mastery t on t.user_id = me.user_id),
fading as (select t.* from me join topics t on t.next_review_on <= me.today + 1)
select json_build_object(
  'today', me.today, 'gaps', {GAPS_PART}, 'due', {DUE_PART}, 'setup', {SETUP_PART}, 'planned', {PLANNED_PART},
  'seconds_per_review', {SECONDS_PART},
  'metrics', (select row_to_json(m) from (
     select median_active_minutes, active_days_28d, streak_days, questions_30d, correct_30d, as_of
       from user_learning_metrics u where u.user_id = me.user_id) m),
  'mastery', (select json_build_array(count(*) filter (where attempts > 0), {ANSWERS},
       count(*) filter (where attempts >= 5 and mastery >= 0.8 and mastery_low >= 0.7),
       count(*) filter (where attempts >= 5 and mastery_high < 0.6), max(as_of)) from topics),
  'alert', (select row_to_json(a) from (
     select topic_id, retrieval_strength, retrieval_low, retrieval_high, next_review_on, items_remembered
       from fading t order by t.next_review_on, t.retrieval_strength, t.topic_id limit 1) a),
  'alerts', (select count(*) from fading),
  'readiness', (select row_to_json(r) from (select exam_id, status, coverage, readiness_score, score, score_low,
       score_high, pass_probability, pass_low, pass_high, days_median, days_low, days_high, as_of, model_version
       from exam_projections e where e.user_id = me.user_id) r),
  'week', (select json_build_array(coalesce(sum(active_seconds), 0) / 3600, coalesce(sum(questions), 0),
       coalesce(sum(reviews), 0), count(*)) from daily_user_stats d
       where d.user_id = me.user_id and d.local_date > me.today - 7 and d.local_date <= me.today))::text
  from me
"""


class TopGap(BaseModel):
    """One of the first gaps."""

    topic_id: str = Field(examples=["renal.acid-base"])
    name: str = Field(examples=["Acid–base disorders"])
    state: str = Field(examples=["weak"])
    exam_share: float = Field(examples=[0.04])
    blocks_count: int = Field(examples=[2])
    n: int = Field(examples=[23])


class Alert(BaseModel):
    """The topic that needs review most."""

    topic_id: str = Field(examples=["renal.acid-base"])
    name: str = Field(examples=["Acid–base disorders"])
    retrieval_strength: float | None = Field(examples=[0.71])
    interval: Interval | None
    due_on: date = Field(examples=["2026-11-22"])
    items: int = Field(examples=[9])
    finding: Finding


class MasterySummary(BaseModel):
    """How many topics stand where."""

    topics_met: int = Field(examples=[52])
    mastered: int = Field(examples=[12])
    weak: int = Field(examples=[8])
    n: int = Field(description="answers and reviews", examples=[2400])
    as_of: datetime | None = Field(examples=["2026-11-22T09:30:00Z"])


class ReadinessSummary(BaseModel):
    """The forecast as of the last night."""

    status: str = Field(examples=["provisional"])
    score: float | None = Field(description="0 to 100", examples=[68.0])
    interval: Interval | None
    pass_probability: float | None = Field(examples=[0.74])
    pass_interval: Interval | None
    coverage: float = Field(examples=[0.62])
    days_until_ready: int | None = Field(examples=[23])
    as_of: datetime = Field(examples=["2026-11-22T02:00:00Z"])


class WeekSummary(BaseModel):
    """The last seven local days."""

    hours: float = Field(examples=[6.2])
    questions: int = Field(examples=[240])
    reviews: int = Field(examples=[410])
    days: int = Field(examples=[5])


class DashboardAnswer(Card):
    """The first page: one decision, and what stands behind it."""

    plan: PlanAnswer
    gaps: list[TopGap]
    alert: Alert | None
    alerts: int = Field(description="topics due by tomorrow", examples=[4])
    due_today: int = Field(examples=[84])
    mastery: MasterySummary
    readiness: ReadinessSummary | None
    week: WeekSummary
    active_days_28: int = Field(examples=[19])
    exam_id: str | None = Field(examples=["usmle-step-1"])
    exam_on: date | None = Field(examples=["2027-01-10"])


def router() -> APIRouter:
    """The dashboard's route."""
    routes = api_router("/api/analytics", "dashboard")

    @routes.get("/dashboard", response_model=DashboardAnswer)
    async def dashboard(scope: ReadAnalytics, reply: CachedReply) -> Response:
        """Today's decision, the first gaps, what fades, readiness, the week: everything of the first page."""

        async def compute(s: ReadSession, as_of: datetime) -> dict[str, Any]:
            found, known = await gather_known(s, DASHBOARD, scope.user_id, as_of)
            return compose(named(found), scope.user_id, known)

        return await reply("dashboard", compute)

    return routes


def compose(found: dict[str, Any], user_id: UUID, known: Catalogue) -> dict[str, Any]:
    """The answer from what one statement gathered; pure."""
    metrics: Mapping[str, Any] = found["metrics"] or {}
    found["usual_minutes"] = metrics.get("median_active_minutes")
    plan = plan_answer(found, user_id, known)
    met, answers, mastered, weak, as_of = found["mastery"]
    n = answers or 0
    setup: Mapping[str, Any] = found["setup"] or {}
    hours, questions, reviews, days = found["week"]
    same = ("topic_id", "state", "exam_share", "blocks_count", "n")
    return {
        **_card(plan, n, as_of),
        "plan": plan,
        "gaps": [{"name": known.name_of(g["topic_id"]), **{k: g[k] for k in same}} for g in found["gaps"][:GAPS_SHOWN]],
        "alert": _alert(found["alert"], known),
        "alerts": found["alerts"],
        "due_today": plan["days"][0]["due"] if plan["days"] else 0,
        "mastery": {"topics_met": met, "mastered": mastered, "weak": weak, "n": n, "as_of": as_of},
        "readiness": _readiness(found["readiness"]),
        "week": {"hours": hours, "questions": questions, "reviews": reviews, "days": days},
        "active_days_28": metrics.get("active_days_28d", 0),
        "exam_id": setup.get("exam_id"),
        "exam_on": setup.get("exam_on"),
    }


def _card(plan: Mapping[str, Any], n: int, as_of: str | None) -> dict[str, object]:
    if n == 0:
        text = "Nothing answered yet: import your collection, or answer the first questions."
        return card_fields(CardState.FIRST_USE, ("dashboard.first_use", text), n=0, as_of=None, model_version=VERSION)
    said: Mapping[str, Any] = plan["finding"]
    return card_fields(
        CardState(plan["state"]), (said["code"], said["text"]), n=n, as_of=as_of, model_version=VERSION,
        params=said["params"],
    )  # fmt: skip


def _alert(row: Mapping[str, Any] | None, known: Catalogue) -> dict[str, Any] | None:
    if row is None:
        return None
    name, strength = known.name_of(row["topic_id"]), row["retrieval_strength"]
    at = "" if strength is None else f" recalled at about {100 * strength:.0f} %,"
    text = f"{name}:{at} due {row['next_review_on']}; {row['items_remembered']} items."
    params = {"topic": name, "due_on": row["next_review_on"], "items": row["items_remembered"]}
    return {
        "topic_id": row["topic_id"],
        "name": name,
        "retrieval_strength": strength,
        "interval": _interval(row["retrieval_low"], row["retrieval_high"]),
        "due_on": row["next_review_on"],
        "items": row["items_remembered"],
        "finding": {"code": "dashboard.alert", "params": params, "text": text},
    }


def _readiness(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "status": row["status"],
        "score": row["score"],
        "interval": _interval(row["score_low"], row["score_high"]),
        "pass_probability": row["pass_probability"],
        "pass_interval": _interval(row["pass_low"], row["pass_high"]),
        "coverage": row["coverage"],
        "days_until_ready": None if row["score"] is None else row["days_median"],  # no score, no day it is reached
        "as_of": row["as_of"],
    }


def _interval(low: float | None, high: float | None) -> dict[str, float] | None:
    return None if low is None or high is None else {"low": low, "high": high, "level": 0.9}
