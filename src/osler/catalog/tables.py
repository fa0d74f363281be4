"""Who studies and what can be studied: tables that no analytic owns."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, Privacy, column, table, user_id_column

ITEM_ID = sa.Text()

users = table(
    "users",
    user_id_column(primary_key=True),
    column("time_zone", sa.Text(), server_default="UTC", comment="home time zone", unit="IANA name"),
    column("day_start_minutes", sa.SmallInteger(), server_default="240", comment="local day begins", unit="minutes"),
    column("desired_retention", sa.Float(), server_default="0.9", comment="target recall when due", unit="probability"),
    column("consents", pg.JSONB(), server_default="{}", comment="consent by purpose, with the instant it was given"),
    column("is_sample", sa.Boolean(), server_default=sa.false(), comment="made by the simulator, badged on the page"),
    column("erase_requested_at", sa.DateTime(timezone=True), nullable=True, comment="erasure asked for", unit="UTC"),
    column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="first seen", unit="UTC"),
    sa.CheckConstraint("day_start_minutes between 0 and 360", name="day_start"),
    sa.CheckConstraint("desired_retention between 0.7 and 0.97", name="desired_retention"),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="learners by pseudonym: zone, consent, settings; no name, no address",
)

identities = table(
    "identities",
    column("issuer", sa.Text(), primary_key=True, comment="token issuer"),
    column(
        "subject_mac",
        sa.LargeBinary(),
        primary_key=True,
        comment="keyed hash of the issuer's subject, so that the subject itself is stored nowhere",
        privacy=Privacy.PSEUDONYMOUS,
    ),
    user_id_column(),
    column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="first seen", unit="UTC"),
    sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], ondelete="CASCADE"),
    sa.Index("ix_identities_user_id", "user_id"),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="which (issuer, subject) is which pseudonym; many to one",
)

catalog_versions = table(
    "catalog_versions",
    column(
        "version", sa.Integer(), sa.Identity(), primary_key=True, comment="rises with every change of the catalogue"
    ),
    column("what", sa.Text(), comment="what changed: curriculum, questions, keys, materials, exams"),
    column("digest", sa.LargeBinary(), nullable=True, comment="SHA-256 of what was loaded"),
    column("changed_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when", unit="UTC"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="versions of the catalogue; part of every parameter version",
)

topics = table(
    "topics",
    column("topic_id", sa.Text(), primary_key=True, comment="stable id, dotted path of slugs"),
    column("parent_id", sa.Text(), sa.ForeignKey("topics.topic_id"), nullable=True, comment="topic above"),
    column("name", sa.Text(), comment="what a person reads"),
    column("level", sa.SmallInteger(), comment="depth in the tree, 0 at the top", unit="levels"),
    column("axis", sa.Text(), comment="system, discipline or task"),
    column("board_exam_weight", sa.Float(), nullable=True, comment="importance for the board exam", unit="0 to 10"),
    column("weight_provenance", sa.Text(), server_default="derived", comment="published, derived or editorial"),
    column("source", sa.Text(), nullable=True, comment="where the entry is from: published, ours, an import"),
    sa.CheckConstraint("board_exam_weight between 0 and 10", name="board_exam_weight"),
    sa.CheckConstraint("weight_provenance in ('published', 'derived', 'editorial')", name="weight_provenance"),
    sa.Index("ix_topics_parent_id", "parent_id"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="hierarchical taxonomy of what is studied",
)

topic_relationships = table(
    "topic_relationships",
    column("from_topic_id", sa.Text(), sa.ForeignKey("topics.topic_id"), primary_key=True, comment="prerequisite side"),
    column("to_topic_id", sa.Text(), sa.ForeignKey("topics.topic_id"), primary_key=True, comment="dependent side"),
    column("kind", sa.Text(), primary_key=True, comment="prerequisite or related"),
    column("strength", sa.Float(), server_default="0.5", comment="how strongly the one needs the other", unit="0 to 1"),
    column("provenance", sa.Text(), server_default="editorial", comment="editorial or imported"),
    column("reason", sa.Text(), nullable=True, comment="why the edge is there, in words"),
    sa.CheckConstraint("kind in ('prerequisite', 'related')", name="kind"),
    sa.CheckConstraint("strength > 0 and strength <= 1", name="strength"),
    sa.CheckConstraint("from_topic_id <> to_topic_id", name="no_loop"),
    sa.Index("ix_topic_relationships_to_topic_id", "to_topic_id"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="prerequisites and related topics; prerequisite edges have no cycle",
)

tag_rules = table(
    "tag_rules",
    column("words", sa.Text(), primary_key=True, comment="words in lower case with single spaces"),
    column("topic_id", sa.Text(), sa.ForeignKey("topics.topic_id"), comment="topic that they speak of"),
    column(
        "is_general",
        sa.Boolean(),
        server_default=sa.false(),
        comment="whether any other topic that the same path names wins",
    ),
    sa.Index("ix_tag_rules_topic_id", "topic_id"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="words in tags and deck names, and the topic that they speak of; replaced with the curriculum",
)

questions = table(
    "questions",
    column("question_id", ITEM_ID, primary_key=True, comment="stable id"),
    column("key", pg.ARRAY(sa.Text()), nullable=True, comment="right option keys, sorted; null if graded elsewhere"),
    column("key_version", sa.Integer(), server_default="1", comment="rises with every corrected key"),
    column("option_count", sa.SmallInteger(), nullable=True, comment="answers to choose from", unit="options"),
    column("topic_ids", pg.ARRAY(sa.Text()), server_default="{}", comment="topics of the question, sorted"),
    column("source", sa.Text(), nullable=True, comment="bank or import"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="questions: key and topics, never their text",
)

materials = table(
    "materials",
    column("material_id", ITEM_ID, primary_key=True, comment="stable id"),
    column("kind", sa.Text(), comment="text, video, audio, image, case or slides"),
    column("topic_ids", pg.ARRAY(sa.Text()), server_default="{}", comment="topics of the material, sorted"),
    column("expected_minutes", sa.Float(), nullable=True, comment="time it usually takes", unit="minutes"),
    column("is_required", sa.Boolean(), server_default=sa.false(), comment="required by the curriculum"),
    column("title", sa.Text(), nullable=True, comment="what a person reads; shown as text only"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="reading, video and the like",
)

cards = table(
    "cards",
    user_id_column(primary_key=True),
    column("card_id", ITEM_ID, primary_key=True, comment="id inside the learner's own collection"),
    column("topic_ids", pg.ARRAY(sa.Text()), server_default="{}", comment="topics by rule or by hand, sorted"),
    column("mapped_by", sa.Text(), nullable=True, comment="name and version of the rule that mapped it"),
    column(
        "is_suspended",
        sa.Boolean(),
        server_default=sa.false(),
        comment="taken out of review by its learner, or no longer in the collection",
    ),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="a learner's own cards: topics alone, never their text",
)

exams = table(
    "exams",
    column("exam_id", sa.Text(), primary_key=True, comment="stable id"),
    column("name", sa.Text(), comment="what a person reads"),
    column("question_count", sa.Integer(), comment="scored questions", unit="questions"),
    column("cut", sa.Float(), nullable=True, comment="share of points that passes", unit="share"),
    column("cut_sd", sa.Float(), server_default="0", comment="uncertainty of the cut", unit="share"),
    column("source", sa.Text(), nullable=True, comment="where blueprint and cut were published"),
    sa.CheckConstraint("cut between 0 and 1", name="cut"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="exams that learners prepare for",
)

exam_blueprint = table(
    "exam_blueprint",
    column("exam_id", sa.Text(), sa.ForeignKey("exams.exam_id"), primary_key=True, comment="exam"),
    column("topic_id", sa.Text(), sa.ForeignKey("topics.topic_id"), primary_key=True, comment="topic"),
    column("section", sa.Text(), comment="section of the exam that the topic counts to: a topic id of the level above"),
    column("exam_share", sa.Float(), comment="share of the exam's points; sums to 1 over an exam", unit="share"),
    column("share_low", sa.Float(), nullable=True, comment="lower end of the published range", unit="share"),
    column("share_high", sa.Float(), nullable=True, comment="upper end of the published range", unit="share"),
    column("provenance", sa.Text(), comment="published or derived"),
    sa.CheckConstraint("exam_share between 0 and 1", name="exam_share"),
    sa.CheckConstraint("provenance in ('published', 'derived')", name="provenance"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="what an exam asks: shares of its points by topic, on the leaves that count",
)

user_exams = table(
    "user_exams",
    user_id_column(primary_key=True),
    column("exam_id", sa.Text(), sa.ForeignKey("exams.exam_id"), primary_key=True, comment="exam"),
    column("exam_on", sa.Date(), nullable=True, comment="day of the exam in the learner's zone"),
    column("minutes_per_day", pg.ARRAY(sa.SmallInteger()), nullable=True, comment="plan, Monday first", unit="minutes"),
    column("goal_score", sa.Float(), nullable=True, comment="share of points aimed at", unit="share"),
    column("is_current", sa.Boolean(), server_default=sa.true(), comment="the exam that the pages speak of"),
    sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], ondelete="CASCADE"),
    sa.Index("uq_user_exams_current", "user_id", unique=True, postgresql_where=sa.text("is_current")),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="which exam a learner sits, when, and with how many planned minutes",
)

cohorts = table(
    "cohorts",
    column("cohort_id", sa.Text(), primary_key=True, comment="stable id"),
    column("name", sa.Text(), comment="what a person reads"),
    column("exam_id", sa.Text(), sa.ForeignKey("exams.exam_id"), nullable=True, comment="exam they prepare for"),
    kind=Kind.FACT,
    erase=Erase.NOT_PERSONAL,
    comment="classes and programmes",
)

cohort_members = table(
    "cohort_members",
    column("cohort_id", sa.Text(), sa.ForeignKey("cohorts.cohort_id"), primary_key=True, comment="cohort"),
    user_id_column(primary_key=True),
    column("role", sa.Text(), comment="learner or educator"),
    column("since_on", sa.Date(), comment="member from this day"),
    column("until_on", sa.Date(), nullable=True, comment="member until before this day"),
    sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], ondelete="CASCADE"),
    sa.CheckConstraint("role in ('learner', 'educator')", name="role"),
    sa.Index("ix_cohort_members_user_id", "user_id"),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="who belongs to which class, and as what",
)
