"""The found patterns that may be said: written by `patterns`, shown there and on the efficiency page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import Field

from osler.analytics.contract import Finding, Interval

SHOWN = """(select coalesce(json_agg(row_to_json(i) order by i.insight), '[]') from learner_insights i
               where i.user_id = me.user_id and i.is_shown)"""
"""The rows of what may be shown, inside a statement over `me`."""


class Highlight(Finding):
    """A found pattern as `{code, params, text}`: association with effect, interval and n, never a cause."""

    insight: str = Field(examples=["unbroken_hour"])
    code: str = Field(description="stable name of the sentence", examples=["patterns.unbroken_hour"])
    text: str = Field(
        examples=[
            "Studying over 60 min without a break is associated with −9 points (−14 to −4) on comparable questions."
        ]
    )
    effect: float = Field(description="difference of probabilities on comparable questions", examples=[-0.09])
    interval: Interval
    n: int = Field(description="answers, or breaks", examples=[233])
    clusters: int = Field(description="sessions, materials, nights or topic-weeks", examples=[31])
    since: date | None = Field(examples=["2026-10-05"])


def highlights(insights: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The insights that may be shown, the surest first, of rows of `learner_insights`."""
    shown = [insight for insight in insights if insight["is_shown"]]
    ranked = sorted(shown, key=lambda i: (-min(abs(i["low"]), abs(i["high"])), i["insight"]))
    return [
        {
            "insight": i["insight"],
            "code": i["params"]["code"],
            "params": i["params"]["params"],
            "text": i["params"]["text"],
            "effect": i["effect"],
            "interval": {"low": i["low"], "high": i["high"], "level": 0.9},
            "n": i["n"],
            "clusters": i["clusters"],
            "since": i["since_on"],
        }
        for i in ranked
    ]
