"""The catalogue: learners by pseudonym, topics, questions, materials, cards, exams, cohorts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0002"
down_revision: str | None = "0001"
branch_labels = None
depends_on = None

# What `osler curriculum load` replaces and what a learner takes back may be deleted; the rest is corrected.
REPLACEABLE = ("topics", "topic_relationships", "exam_blueprint", "exams", "user_exams", "cohort_members", "cards")
KEPT = ("users", "identities", "catalog_versions", "questions", "materials", "cohorts")
ERASED = ("users", "identities", "cards", "user_exams", "cohort_members")


def upgrade() -> None:
    _make_tables()
    op.execute(f"grant select, insert, update on {', '.join(KEPT)} to osler_app")
    op.execute(f"grant select, insert, update, delete on {', '.join(REPLACEABLE)} to osler_app")
    op.execute(f"grant select on {', '.join((*KEPT, *REPLACEABLE))} to osler_reader, osler_eraser, osler_retention")
    op.execute(f"grant delete on {', '.join(ERASED)} to osler_eraser")
    op.execute("grant update on users to osler_eraser")


def _make_tables() -> None:
    op.create_table(
        "cards",
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="learner's pseudonym (pseudonymous)"),
        sa.Column("card_id", sa.Text(), nullable=False, comment="id inside the learner's own collection (none)"),
        sa.Column(
            "topic_ids",
            pg.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="topics by rule or by hand, sorted (none)",
        ),
        sa.Column("mapped_by", sa.Text(), nullable=True, comment="name and version of the rule that mapped it (none)"),
        sa.PrimaryKeyConstraint("user_id", "card_id", name=op.f("pk_cards")),
        comment="a learner's own cards: topics alone, never their text (fact)",
    )
    op.create_table(
        "catalog_versions",
        sa.Column(
            "version",
            sa.Integer(),
            sa.Identity(always=False),
            nullable=False,
            comment="rises with every change of the catalogue (none)",
        ),
        sa.Column(
            "what",
            sa.Text(),
            nullable=False,
            comment="what changed: curriculum, questions, keys, materials, exams (none)",
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=True, comment="SHA-256 of what was loaded (none)"),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when [UTC] (none)",
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_catalog_versions")),
        comment="versions of the catalogue; part of every parameter version (fact)",
    )
    op.create_table(
        "exams",
        sa.Column("exam_id", sa.Text(), nullable=False, comment="stable id (none)"),
        sa.Column("name", sa.Text(), nullable=False, comment="what a person reads (none)"),
        sa.Column("question_count", sa.Integer(), nullable=False, comment="scored questions [questions] (none)"),
        sa.Column("cut", sa.Float(), nullable=True, comment="share of points that passes [share] (none)"),
        sa.Column(
            "cut_sd", sa.Float(), server_default="0", nullable=False, comment="uncertainty of the cut [share] (none)"
        ),
        sa.Column("source", sa.Text(), nullable=True, comment="where blueprint and cut were published (none)"),
        sa.CheckConstraint("cut between 0 and 1", name=op.f("ck_exams_cut")),
        sa.PrimaryKeyConstraint("exam_id", name=op.f("pk_exams")),
        comment="exams that learners prepare for (fact)",
    )
    op.create_table(
        "materials",
        sa.Column("material_id", sa.Text(), nullable=False, comment="stable id (none)"),
        sa.Column("kind", sa.Text(), nullable=False, comment="text, video, audio, image, case or slides (none)"),
        sa.Column(
            "topic_ids",
            pg.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="topics of the material, sorted (none)",
        ),
        sa.Column("expected_minutes", sa.Float(), nullable=True, comment="time it usually takes [minutes] (none)"),
        sa.Column(
            "is_required",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="required by the curriculum (none)",
        ),
        sa.Column("title", sa.Text(), nullable=True, comment="what a person reads; shown as text only (none)"),
        sa.PrimaryKeyConstraint("material_id", name=op.f("pk_materials")),
        comment="reading, video and the like (fact)",
    )
    op.create_table(
        "questions",
        sa.Column("question_id", sa.Text(), nullable=False, comment="stable id (none)"),
        sa.Column(
            "key",
            pg.ARRAY(sa.Text()),
            nullable=True,
            comment="right option keys, sorted; null if graded elsewhere (none)",
        ),
        sa.Column(
            "key_version",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="rises with every corrected key (none)",
        ),
        sa.Column("option_count", sa.SmallInteger(), nullable=True, comment="answers to choose from [options] (none)"),
        sa.Column(
            "topic_ids",
            pg.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="topics of the question, sorted (none)",
        ),
        sa.Column("source", sa.Text(), nullable=True, comment="bank or import (none)"),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_questions")),
        comment="questions: key and topics, never their text (fact)",
    )
    op.create_table(
        "topics",
        sa.Column("topic_id", sa.Text(), nullable=False, comment="stable id, dotted path of slugs (none)"),
        sa.Column("parent_id", sa.Text(), nullable=True, comment="topic above (none)"),
        sa.Column("name", sa.Text(), nullable=False, comment="what a person reads (none)"),
        sa.Column(
            "level", sa.SmallInteger(), nullable=False, comment="depth in the tree, 0 at the top [levels] (none)"
        ),
        sa.Column("axis", sa.Text(), nullable=False, comment="system, discipline or task (none)"),
        sa.Column(
            "board_exam_weight", sa.Float(), nullable=True, comment="importance for the board exam [0 to 10] (none)"
        ),
        sa.Column(
            "weight_provenance",
            sa.Text(),
            server_default="derived",
            nullable=False,
            comment="published, derived or editorial (none)",
        ),
        sa.Column(
            "source", sa.Text(), nullable=True, comment="where the entry is from: published, ours, an import (none)"
        ),
        sa.CheckConstraint(
            "weight_provenance in ('published', 'derived', 'editorial')", name=op.f("ck_topics_weight_provenance")
        ),
        sa.CheckConstraint("board_exam_weight between 0 and 10", name=op.f("ck_topics_board_exam_weight")),
        sa.ForeignKeyConstraint(["parent_id"], ["topics.topic_id"], name=op.f("fk_topics_parent_id")),
        sa.PrimaryKeyConstraint("topic_id", name=op.f("pk_topics")),
        comment="hierarchical taxonomy of what is studied (fact)",
    )
    op.create_index("ix_topics_parent_id", "topics", ["parent_id"], unique=False)
    op.create_table(
        "users",
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="learner's pseudonym (pseudonymous)"),
        sa.Column(
            "time_zone", sa.Text(), server_default="UTC", nullable=False, comment="home time zone [IANA name] (none)"
        ),
        sa.Column(
            "day_start_minutes",
            sa.SmallInteger(),
            server_default="240",
            nullable=False,
            comment="local day begins [minutes] (none)",
        ),
        sa.Column(
            "desired_retention",
            sa.Float(),
            server_default="0.9",
            nullable=False,
            comment="target recall when due [probability] (none)",
        ),
        sa.Column(
            "consents",
            pg.JSONB(),
            server_default="{}",
            nullable=False,
            comment="consent by purpose, with the instant it was given (none)",
        ),
        sa.Column(
            "is_sample",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="made by the simulator, badged on the page (none)",
        ),
        sa.Column(
            "erase_requested_at", sa.DateTime(timezone=True), nullable=True, comment="erasure asked for [UTC] (none)"
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="first seen [UTC] (none)",
        ),
        sa.CheckConstraint("day_start_minutes between 0 and 360", name=op.f("ck_users_day_start")),
        sa.CheckConstraint("desired_retention between 0.7 and 0.97", name=op.f("ck_users_desired_retention")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_users")),
        comment="learners by pseudonym: zone, consent, settings; no name, no address (fact)",
    )
    op.create_table(
        "cohorts",
        sa.Column("cohort_id", sa.Text(), nullable=False, comment="stable id (none)"),
        sa.Column("name", sa.Text(), nullable=False, comment="what a person reads (none)"),
        sa.Column("exam_id", sa.Text(), nullable=True, comment="exam they prepare for (none)"),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.exam_id"], name=op.f("fk_cohorts_exam_id")),
        sa.PrimaryKeyConstraint("cohort_id", name=op.f("pk_cohorts")),
        comment="classes and programmes (fact)",
    )
    op.create_table(
        "exam_blueprint",
        sa.Column("exam_id", sa.Text(), nullable=False, comment="exam (none)"),
        sa.Column("topic_id", sa.Text(), nullable=False, comment="topic (none)"),
        sa.Column(
            "section",
            sa.Text(),
            nullable=False,
            comment="section of the exam that the topic counts to: a topic id of the level above (none)",
        ),
        sa.Column(
            "exam_share",
            sa.Float(),
            nullable=False,
            comment="share of the exam's points; sums to 1 over an exam [share] (none)",
        ),
        sa.Column("share_low", sa.Float(), nullable=True, comment="lower end of the published range [share] (none)"),
        sa.Column("share_high", sa.Float(), nullable=True, comment="upper end of the published range [share] (none)"),
        sa.Column("provenance", sa.Text(), nullable=False, comment="published or derived (none)"),
        sa.CheckConstraint("provenance in ('published', 'derived')", name=op.f("ck_exam_blueprint_provenance")),
        sa.CheckConstraint("exam_share between 0 and 1", name=op.f("ck_exam_blueprint_exam_share")),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.exam_id"], name=op.f("fk_exam_blueprint_exam_id")),
        sa.ForeignKeyConstraint(["topic_id"], ["topics.topic_id"], name=op.f("fk_exam_blueprint_topic_id")),
        sa.PrimaryKeyConstraint("exam_id", "topic_id", name=op.f("pk_exam_blueprint")),
        comment="what an exam asks: shares of its points by topic, on the leaves that count (fact)",
    )
    op.create_table(
        "identities",
        sa.Column("issuer", sa.Text(), nullable=False, comment="token issuer (none)"),
        sa.Column(
            "subject_mac",
            sa.LargeBinary(),
            nullable=False,
            comment="keyed hash of the issuer's subject, so that the subject itself is stored nowhere (pseudonymous)",
        ),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="learner's pseudonym (pseudonymous)"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="first seen [UTC] (none)",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_identities_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("issuer", "subject_mac", name=op.f("pk_identities")),
        comment="which (issuer, subject) is which pseudonym; many to one (fact)",
    )
    op.create_index("ix_identities_user_id", "identities", ["user_id"], unique=False)
    op.create_table(
        "topic_relationships",
        sa.Column("from_topic_id", sa.Text(), nullable=False, comment="prerequisite side (none)"),
        sa.Column("to_topic_id", sa.Text(), nullable=False, comment="dependent side (none)"),
        sa.Column("kind", sa.Text(), nullable=False, comment="prerequisite or related (none)"),
        sa.Column(
            "strength",
            sa.Float(),
            server_default="0.5",
            nullable=False,
            comment="how strongly the one needs the other [0 to 1] (none)",
        ),
        sa.Column(
            "provenance", sa.Text(), server_default="editorial", nullable=False, comment="editorial or imported (none)"
        ),
        sa.Column("reason", sa.Text(), nullable=True, comment="why the edge is there, in words (none)"),
        sa.CheckConstraint("kind in ('prerequisite', 'related')", name=op.f("ck_topic_relationships_kind")),
        sa.CheckConstraint("from_topic_id <> to_topic_id", name=op.f("ck_topic_relationships_no_loop")),
        sa.CheckConstraint("strength > 0 and strength <= 1", name=op.f("ck_topic_relationships_strength")),
        sa.ForeignKeyConstraint(
            ["from_topic_id"], ["topics.topic_id"], name=op.f("fk_topic_relationships_from_topic_id")
        ),
        sa.ForeignKeyConstraint(["to_topic_id"], ["topics.topic_id"], name=op.f("fk_topic_relationships_to_topic_id")),
        sa.PrimaryKeyConstraint("from_topic_id", "to_topic_id", "kind", name=op.f("pk_topic_relationships")),
        comment="prerequisites and related topics; prerequisite edges have no cycle (fact)",
    )
    op.create_index("ix_topic_relationships_to_topic_id", "topic_relationships", ["to_topic_id"], unique=False)
    op.create_table(
        "user_exams",
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="learner's pseudonym (pseudonymous)"),
        sa.Column("exam_id", sa.Text(), nullable=False, comment="exam (none)"),
        sa.Column("exam_on", sa.Date(), nullable=True, comment="day of the exam in the learner's zone (none)"),
        sa.Column(
            "minutes_per_day", pg.ARRAY(sa.SmallInteger()), nullable=True, comment="plan, Monday first [minutes] (none)"
        ),
        sa.Column("goal_score", sa.Float(), nullable=True, comment="share of points aimed at [share] (none)"),
        sa.Column(
            "is_current",
            sa.Boolean(),
            server_default=sa.text("true"),
            nullable=False,
            comment="the exam that the pages speak of (none)",
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["exams.exam_id"], name=op.f("fk_user_exams_exam_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.user_id"], name=op.f("fk_user_exams_user_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_id", "exam_id", name=op.f("pk_user_exams")),
        comment="which exam a learner sits, when, and with how many planned minutes (fact)",
    )
    op.create_index(
        "uq_user_exams_current", "user_exams", ["user_id"], unique=True, postgresql_where=sa.text("is_current")
    )
    op.create_table(
        "cohort_members",
        sa.Column("cohort_id", sa.Text(), nullable=False, comment="cohort (none)"),
        sa.Column("user_id", sa.Uuid(), nullable=False, comment="learner's pseudonym (pseudonymous)"),
        sa.Column("role", sa.Text(), nullable=False, comment="learner or educator (none)"),
        sa.Column("since_on", sa.Date(), nullable=False, comment="member from this day (none)"),
        sa.Column("until_on", sa.Date(), nullable=True, comment="member until before this day (none)"),
        sa.CheckConstraint("role in ('learner', 'educator')", name=op.f("ck_cohort_members_role")),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohorts.cohort_id"], name=op.f("fk_cohort_members_cohort_id")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.user_id"], name=op.f("fk_cohort_members_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cohort_id", "user_id", name=op.f("pk_cohort_members")),
        comment="who belongs to which class, and as what (fact)",
    )
    op.create_index("ix_cohort_members_user_id", "cohort_members", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_cohort_members_user_id", table_name="cohort_members")
    op.drop_table("cohort_members")
    op.drop_index("uq_user_exams_current", table_name="user_exams", postgresql_where=sa.text("is_current"))
    op.drop_table("user_exams")
    op.drop_index("ix_topic_relationships_to_topic_id", table_name="topic_relationships")
    op.drop_table("topic_relationships")
    op.drop_index("ix_identities_user_id", table_name="identities")
    op.drop_table("identities")
    op.drop_table("exam_blueprint")
    op.drop_table("cohorts")
    op.drop_table("users")
    op.drop_index("ix_topics_parent_id", table_name="topics")
    op.drop_table("topics")
    op.drop_table("questions")
    op.drop_table("materials")
    op.drop_table("exams")
    op.drop_table("catalog_versions")
    op.drop_table("cards")
