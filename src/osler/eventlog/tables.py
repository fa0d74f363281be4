"""The tables of the log: only this package imports them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.schema import Erase, Kind, Privacy, column, table, user_id_column

_BY_MONTH = {"postgresql_partition_by": "RANGE (event_ts)"}


def _key_columns() -> list[sa.Column[object]]:
    """Identity and place of an event: the key of all three partitioned tables."""
    return [
        user_id_column(primary_key=True),
        column(
            "event_ts",
            sa.DateTime(timezone=True),
            primary_key=True,
            comment="time in the id; orders the fold",
            unit="UTC",
        ),
        column(
            "event_id", sa.Uuid(), primary_key=True, comment="UUIDv7 made by the client", privacy=Privacy.PSEUDONYMOUS
        ),
        column("event_type", sa.Text(), comment="type as in the event reference"),
        column("effective_at", sa.DateTime(timezone=True), comment="corrected instant, for elapsed times", unit="UTC"),
        column("utc_offset_minutes", sa.SmallInteger(), comment="puts effective_at on the wall clock", unit="minutes"),
        column("local_date", sa.Date(), comment="learner's study day", unit="local day"),
        column("session_id", sa.Uuid(), nullable=True, comment="study session", privacy=Privacy.PSEUDONYMOUS),
    ]


study_events = table(
    "study_events",
    *_key_columns(),
    column("schema_version", sa.SmallInteger(), comment="version of the type's schema"),
    column("occurred_at", sa.DateTime(timezone=True), comment="when it happened, as the client says", unit="UTC"),
    column("occurred_at_raw", sa.Text(), comment="the same as it was written"),
    column("tz", sa.Text(), nullable=True, comment="zone the client named", unit="IANA name"),
    column("zone_source", sa.Text(), comment="what the offset comes from: offset, tz, learner or import"),
    column("time_precision", sa.Text(), server_default="ms", comment="how exact occurred_at is: ms, s, min, hour, day"),
    column("sent_at", sa.DateTime(timezone=True), nullable=True, comment="client's clock at sending", unit="UTC"),
    column("received_at", sa.DateTime(timezone=True), comment="database's clock at reception", unit="UTC"),
    column("clock_skew_ms", sa.BigInteger(), nullable=True, comment="received_at - sent_at", unit="ms"),
    column("device_id", sa.Text(), nullable=True, comment="client's device", privacy=Privacy.PSEUDONYMOUS),
    column("boot_id", sa.Uuid(), nullable=True, comment="boot of that device", privacy=Privacy.PSEUDONYMOUS),
    column("monotonic_ms", sa.BigInteger(), nullable=True, comment="time since boot", unit="ms"),
    column("topic_ids", pg.ARRAY(sa.Text()), nullable=True, comment="topics that an import gave"),
    column("is_correct", sa.Boolean(), nullable=True, comment="grade at ingestion; null while the key is unknown"),
    column("key_version", sa.Integer(), nullable=True, comment="version of the key that graded it"),
    column("content_hash", sa.LargeBinary(), comment="SHA-256 of the canonical content", unit="32 bytes"),
    column("nonce", sa.LargeBinary(), comment="chance for the commitment ledger", unit="16 bytes"),
    column("data", pg.JSONB(), comment="fields of the type", privacy=Privacy.PSEUDONYMOUS),
    sa.CheckConstraint("event_ts = uuid7_ts(event_id)", name="event_ts"),
    sa.CheckConstraint("octet_length(nonce) = 16 and octet_length(content_hash) = 32", name="bytes"),
    sa.Index(
        "ix_study_events_sessions", "user_id", "session_id", postgresql_where=sa.text("event_type = 'session_start'")
    ),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="every event, append-only, by month of the id's time",
    **_BY_MONTH,
)

question_attempts = table(
    "question_attempts",
    *_key_columns(),
    column("question_id", sa.Text(), nullable=True, comment="question answered; null for a card"),
    column("card_id", sa.Text(), nullable=True, comment="card rated; null for a question"),
    column("time_to_answer_seconds", sa.Float(), comment="active time until the answer", unit="seconds"),
    column("is_correct", sa.Boolean(), nullable=True, comment="grade at ingestion; null for cards and unknown keys"),
    column("score", sa.Float(), nullable=True, comment="share of points where an import gives one", unit="share"),
    column("key_version", sa.Integer(), nullable=True, comment="version of the key that graded it"),
    column("answer", pg.JSONB(), nullable=True, comment="chosen option keys"),
    column("mode", sa.Text(), nullable=True, comment="tutor, timed, exam or untimed"),
    column("confidence", sa.SmallInteger(), nullable=True, comment="stated confidence", unit="1 to 5"),
    column("hints_used", sa.SmallInteger(), nullable=True, comment="hints opened before", unit="hints"),
    column("block_id", sa.Text(), nullable=True, comment="block of questions"),
    column("position", sa.SmallInteger(), nullable=True, comment="place in the block", unit="1 to 2000"),
    column("rating", sa.SmallInteger(), nullable=True, comment="button of a card", unit="1 to 4"),
    column("kind", sa.Text(), nullable=True, comment="learning, review, relearning or filtered"),
    column("previous_interval_seconds", sa.BigInteger(), nullable=True, comment="interval before", unit="seconds"),
    column("interval_seconds", sa.BigInteger(), nullable=True, comment="interval after", unit="seconds"),
    column("ease_permille", sa.SmallInteger(), nullable=True, comment="ease factor of the source", unit="permille"),
    column("affects_schedule", sa.Boolean(), nullable=True, comment="false for cramming"),
    sa.CheckConstraint("event_ts = uuid7_ts(event_id)", name="event_ts"),
    sa.CheckConstraint("(question_id is null) <> (card_id is null)", name="one_item"),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="typed body of answers and ratings, under the key of their event",
    **_BY_MONTH,
)

material_interactions = table(
    "material_interactions",
    *_key_columns(),
    column("material_id", sa.Text(), nullable=True, comment="material; null for a note on a question"),
    column("question_id", sa.Text(), nullable=True, comment="question that a note belongs to"),
    column("section_id", sa.Text(), nullable=True, comment="section of the material"),
    column("kind", sa.Text(), nullable=True, comment="text, video, audio, image, case or slides"),
    column("action", sa.Text(), nullable=True, comment="create, change or delete; why it was closed"),
    column("progress", sa.Float(), nullable=True, comment="furthest point reached", unit="share"),
    column("active_seconds", sa.Float(), nullable=True, comment="active time since the last report", unit="seconds"),
    column("scroll_depth", sa.Float(), nullable=True, comment="how far the page was scrolled", unit="share"),
    column("position_seconds", sa.Float(), nullable=True, comment="place in the video", unit="seconds"),
    column("to_seconds", sa.Float(), nullable=True, comment="place that a seek leads to", unit="seconds"),
    column("length_chars", sa.Integer(), nullable=True, comment="length of a mark or a note", unit="characters"),
    column("is_on", sa.Boolean(), nullable=True, comment="bookmark set or taken away"),
    sa.CheckConstraint("event_ts = uuid7_ts(event_id)", name="event_ts"),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="typed body of reading, video, marks and notes, under the key of their event",
    **_BY_MONTH,
)

# Without a key: marks are only ever appended, and deleted by who sees them. By consumer, so that those of `live`, which
# takes them learner by learner, have an index, and those of the nights, taken in sets, are a heap and nothing else.
dirty_days = table(
    "dirty_days",
    user_id_column(),
    column("consumer", sa.Text(), comment="who has to look again: live or rollup"),
    column("local_date", sa.Date(), comment="study day with new events", unit="local day"),
    column("batch_id", sa.Uuid(), comment="append that left the mark; marks are never merged"),
    column("n_events", sa.Integer(), comment="events that it covers", unit="events"),
    column("min_event_ts", sa.DateTime(timezone=True), comment="oldest of them", unit="UTC"),
    column("marked_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when", unit="UTC"),
    kind=Kind.OPERATIONAL,
    erase=Erase.DELETE,
    comment="what a consumer has not seen yet: appended with the events, deleted by it",
    postgresql_partition_by="LIST (consumer)",
)

tombstones = table(
    "tombstones",
    column("subject_mac", sa.LargeBinary(), primary_key=True, comment="keyed hash of the erased pseudonym"),
    column("erased_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when", unit="UTC"),
    kind=Kind.FACT,
    erase=Erase.KEEP,
    comment="whose events are no longer taken",
)

state_checkpoints = table(
    "state_checkpoints",
    user_id_column(primary_key=True),
    column("analytic", sa.Text(), primary_key=True, comment="whose state it is"),
    column("parameter_version", sa.Text(), primary_key=True, comment="parameters it was folded with"),
    column(
        "event_ts",
        sa.DateTime(timezone=True),
        primary_key=True,
        comment="last event folded: nothing older is taken",
        unit="UTC",
    ),
    column("event_id", sa.Uuid(), comment="last event folded", privacy=Privacy.PSEUDONYMOUS),
    column("code_version", sa.Text(), comment="release that folded it"),
    column("digest", sa.LargeBinary(), comment="SHA-256 of the state", unit="32 bytes"),
    column("state", pg.JSONB(), comment="the encoded state", privacy=Privacy.PSEUDONYMOUS),
    column("written_at", sa.DateTime(timezone=True), server_default=sa.func.now(), comment="when", unit="UTC"),
    kind=Kind.FACT,
    erase=Erase.DELETE,
    comment="states kept before their history is dropped, so that replay can start from them",
)
