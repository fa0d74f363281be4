"""How to study until the exam, as of a night: the retention to review at, what is due when, and today's list."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, column, table, user_id_column

study_plans = table(
    "study_plans",
    user_id_column(primary_key=True),
    column("exam_id", sa.Text(), comment="exam that is ahead"),
    column("exam_on", sa.Date(), comment="its day", unit="local day"),
    column("planned_on", sa.Date(), comment="the day that the list is for", unit="local day"),
    column("minutes", sa.Float(), comment="planned for that day", unit="minutes"),
    column("desired_retention", sa.Float(), comment="recall at which cards are due, chosen", unit="probability"),
    column("last_days_from", sa.Date(), comment="from then on all cards go by gain", unit="local day"),
    column("expected_recall", sa.Float(), comment="simulated exam-day recall by this plan", unit="probability"),
    column("usual_recall", sa.Float(), comment="the same with a fixed retention of .90", unit="probability"),
    column("cards", sa.Integer(), comment="cards with a memory", unit="cards"),
    column("unseen", sa.Integer(), comment="cards not seen yet", unit="cards"),
    column("tried", pg.JSONB(), comment="retention, days of the final window, simulated recall: every choice tried"),
    column("due", pg.JSONB(), comment="day, cards due at the chosen retention: up to the day before the exam"),
    column("listed", pg.ARRAY(sa.Text()), comment="cards of the day's list in order: due, new, ahead, last days"),
    column("counts", pg.JSONB(), comment="cards of the list by reason, with their expected seconds"),
    column("as_of", sa.DateTime(timezone=True), comment="instant that the row speaks of", unit="UTC"),
    column("model_version", sa.Text(), comment="version of the planner and parameters"),
    kind=Kind.DERIVED,
    erase=Erase.DELETE,
    comment="how to review until the exam, chosen by simulating the memory model itself; one row for each learner",
)
