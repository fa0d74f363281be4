"""The event log: three tables by month, marks, tombstones, checkpoints; append-only by grants and by triggers.

`sql/0003_append_events.sql` is the function through which every event enters.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels = None
depends_on = None

LOG = ("study_events", "question_attempts", "material_interactions")
READ_ONLY_ROLES = "osler_reader, osler_retention"
SQL = Path(__file__).parent.parent / "sql"

DDL = (
    """
CREATE TABLE study_events (
  user_id UUID NOT NULL,
  event_ts timestamptz NOT NULL,
  event_id UUID NOT NULL,
  event_type TEXT NOT NULL,
  effective_at timestamptz NOT NULL,
  utc_offset_minutes SMALLINT NOT NULL,
  local_date DATE NOT NULL,
  session_id UUID,
  schema_version SMALLINT NOT NULL,
  occurred_at timestamptz NOT NULL,
  occurred_at_raw TEXT NOT NULL,
  tz TEXT,
  zone_source TEXT NOT NULL,
  time_precision TEXT DEFAULT 'ms' NOT NULL,
  sent_at timestamptz,
  received_at timestamptz NOT NULL,
  clock_skew_ms BIGINT,
  device_id TEXT,
  boot_id UUID,
  monotonic_ms BIGINT,
  topic_ids TEXT[],
  is_correct BOOLEAN,
  key_version INTEGER,
  content_hash BYTEA NOT NULL,
  nonce BYTEA NOT NULL,
  data JSONB NOT NULL,
  CONSTRAINT pk_study_events PRIMARY KEY (user_id, event_ts, event_id),
  CONSTRAINT ck_study_events_event_ts CHECK (event_ts = uuid7_ts(event_id)),
  CONSTRAINT ck_study_events_bytes CHECK (octet_length(nonce) = 16 and octet_length(content_hash) = 32)
) PARTITION BY RANGE (event_ts)
    """,
    "CREATE INDEX ix_study_events_sessions ON study_events (user_id, session_id) WHERE event_type = 'session_start'",
    """
CREATE TABLE question_attempts (
  user_id UUID NOT NULL,
  event_ts timestamptz NOT NULL,
  event_id UUID NOT NULL,
  event_type TEXT NOT NULL,
  effective_at timestamptz NOT NULL,
  utc_offset_minutes SMALLINT NOT NULL,
  local_date DATE NOT NULL,
  session_id UUID,
  question_id TEXT,
  card_id TEXT,
  time_to_answer_seconds double precision NOT NULL,
  is_correct BOOLEAN,
  score double precision,
  key_version INTEGER,
  answer JSONB,
  mode TEXT,
  confidence SMALLINT,
  hints_used SMALLINT,
  block_id TEXT,
  position SMALLINT,
  rating SMALLINT,
  kind TEXT,
  previous_interval_seconds BIGINT,
  interval_seconds BIGINT,
  ease_permille SMALLINT,
  affects_schedule BOOLEAN,
  CONSTRAINT pk_question_attempts PRIMARY KEY (user_id, event_ts, event_id),
  CONSTRAINT ck_question_attempts_event_ts CHECK (event_ts = uuid7_ts(event_id)),
  CONSTRAINT ck_question_attempts_one_item CHECK ((question_id is null) <> (card_id is null))
) PARTITION BY RANGE (event_ts)
    """,
    "CREATE INDEX ix_question_attempts_question_id ON question_attempts (question_id) WHERE question_id is not null",
    """
CREATE TABLE material_interactions (
  user_id UUID NOT NULL,
  event_ts timestamptz NOT NULL,
  event_id UUID NOT NULL,
  event_type TEXT NOT NULL,
  effective_at timestamptz NOT NULL,
  utc_offset_minutes SMALLINT NOT NULL,
  local_date DATE NOT NULL,
  session_id UUID,
  material_id TEXT,
  question_id TEXT,
  section_id TEXT,
  kind TEXT,
  action TEXT,
  progress double precision,
  active_seconds double precision,
  scroll_depth double precision,
  position_seconds double precision,
  to_seconds double precision,
  length_chars INTEGER,
  is_on BOOLEAN,
  CONSTRAINT pk_material_interactions PRIMARY KEY (user_id, event_ts, event_id),
  CONSTRAINT ck_material_interactions_event_ts CHECK (event_ts = uuid7_ts(event_id))
) PARTITION BY RANGE (event_ts)
    """,
    """
CREATE TABLE dirty_days (
  user_id UUID NOT NULL,
  consumer TEXT NOT NULL,
  local_date DATE NOT NULL,
  batch_id UUID NOT NULL,
  n_events INTEGER NOT NULL,
  min_event_ts timestamptz NOT NULL,
  marked_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_dirty_days PRIMARY KEY (user_id, consumer, local_date, batch_id)
)
    """,
    "CREATE INDEX ix_dirty_days_consumer ON dirty_days (consumer, marked_at)",
    """
CREATE TABLE tombstones (
  subject_mac BYTEA NOT NULL,
  erased_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_tombstones PRIMARY KEY (subject_mac)
)
    """,
    """
CREATE TABLE state_checkpoints (
  user_id UUID NOT NULL,
  analytic TEXT NOT NULL,
  parameter_version TEXT NOT NULL,
  event_ts timestamptz NOT NULL,
  event_id UUID NOT NULL,
  code_version TEXT NOT NULL,
  digest BYTEA NOT NULL,
  state JSONB NOT NULL,
  written_at timestamptz DEFAULT now() NOT NULL,
  CONSTRAINT pk_state_checkpoints PRIMARY KEY (user_id, analytic, parameter_version, event_ts)
)
    """,
)

COMMENTS = {
    "study_events": "every event, append-only, by month of the id's time (fact)",
    "study_events.user_id": "learner's pseudonym (pseudonymous)",
    "study_events.event_ts": "time in the id; orders the fold [UTC] (none)",
    "study_events.event_id": "UUIDv7 made by the client (pseudonymous)",
    "study_events.event_type": "type as in the event reference (none)",
    "study_events.effective_at": "corrected instant, for elapsed times [UTC] (none)",
    "study_events.utc_offset_minutes": "puts effective_at on the wall clock [minutes] (none)",
    "study_events.local_date": "learner's study day [local day] (none)",
    "study_events.session_id": "study session (pseudonymous)",
    "study_events.schema_version": "version of the type's schema (none)",
    "study_events.occurred_at": "when it happened, as the client says [UTC] (none)",
    "study_events.occurred_at_raw": "the same as it was written (none)",
    "study_events.tz": "zone the client named [IANA name] (none)",
    "study_events.zone_source": "what the offset comes from: offset, tz, learner or import (none)",
    "study_events.time_precision": "how exact occurred_at is: ms, s, min, hour, day (none)",
    "study_events.sent_at": "client's clock at sending [UTC] (none)",
    "study_events.received_at": "database's clock at reception [UTC] (none)",
    "study_events.clock_skew_ms": "received_at - sent_at [ms] (none)",
    "study_events.device_id": "client's device (pseudonymous)",
    "study_events.boot_id": "boot of that device (pseudonymous)",
    "study_events.monotonic_ms": "time since boot [ms] (none)",
    "study_events.topic_ids": "topics that an import gave (none)",
    "study_events.is_correct": "grade at ingestion; null while the key is unknown (none)",
    "study_events.key_version": "version of the key that graded it (none)",
    "study_events.content_hash": "SHA-256 of the canonical content [32 bytes] (none)",
    "study_events.nonce": "chance for the commitment ledger [16 bytes] (none)",
    "study_events.data": "fields of the type (pseudonymous)",
    "question_attempts": "typed body of answers and ratings, under the key of their event (fact)",
    "question_attempts.user_id": "learner's pseudonym (pseudonymous)",
    "question_attempts.event_ts": "time in the id; orders the fold [UTC] (none)",
    "question_attempts.event_id": "UUIDv7 made by the client (pseudonymous)",
    "question_attempts.event_type": "type as in the event reference (none)",
    "question_attempts.effective_at": "corrected instant, for elapsed times [UTC] (none)",
    "question_attempts.utc_offset_minutes": "puts effective_at on the wall clock [minutes] (none)",
    "question_attempts.local_date": "learner's study day [local day] (none)",
    "question_attempts.session_id": "study session (pseudonymous)",
    "question_attempts.question_id": "question answered; null for a card (none)",
    "question_attempts.card_id": "card rated; null for a question (none)",
    "question_attempts.time_to_answer_seconds": "active time until the answer [seconds] (none)",
    "question_attempts.is_correct": "grade at ingestion; null for cards and unknown keys (none)",
    "question_attempts.score": "share of points where an import gives one [share] (none)",
    "question_attempts.key_version": "version of the key that graded it (none)",
    "question_attempts.answer": "chosen option keys (none)",
    "question_attempts.mode": "tutor, timed, exam or untimed (none)",
    "question_attempts.confidence": "stated confidence [1 to 5] (none)",
    "question_attempts.hints_used": "hints opened before [hints] (none)",
    "question_attempts.block_id": "block of questions (none)",
    "question_attempts.position": "place in the block [1 to 2000] (none)",
    "question_attempts.rating": "button of a card [1 to 4] (none)",
    "question_attempts.kind": "learning, review, relearning or filtered (none)",
    "question_attempts.previous_interval_seconds": "interval before [seconds] (none)",
    "question_attempts.interval_seconds": "interval after [seconds] (none)",
    "question_attempts.ease_permille": "ease factor of the source [permille] (none)",
    "question_attempts.affects_schedule": "false for cramming (none)",
    "material_interactions": "typed body of reading, video, marks and notes, under the key of their event (fact)",
    "material_interactions.user_id": "learner's pseudonym (pseudonymous)",
    "material_interactions.event_ts": "time in the id; orders the fold [UTC] (none)",
    "material_interactions.event_id": "UUIDv7 made by the client (pseudonymous)",
    "material_interactions.event_type": "type as in the event reference (none)",
    "material_interactions.effective_at": "corrected instant, for elapsed times [UTC] (none)",
    "material_interactions.utc_offset_minutes": "puts effective_at on the wall clock [minutes] (none)",
    "material_interactions.local_date": "learner's study day [local day] (none)",
    "material_interactions.session_id": "study session (pseudonymous)",
    "material_interactions.material_id": "material; null for a note on a question (none)",
    "material_interactions.question_id": "question that a note belongs to (none)",
    "material_interactions.section_id": "section of the material (none)",
    "material_interactions.kind": "text, video, audio, image, case or slides (none)",
    "material_interactions.action": "create, change or delete; why it was closed (none)",
    "material_interactions.progress": "furthest point reached [share] (none)",
    "material_interactions.active_seconds": "active time since the last report [seconds] (none)",
    "material_interactions.scroll_depth": "how far the page was scrolled [share] (none)",
    "material_interactions.position_seconds": "place in the video [seconds] (none)",
    "material_interactions.to_seconds": "place that a seek leads to [seconds] (none)",
    "material_interactions.length_chars": "length of a mark or a note [characters] (none)",
    "material_interactions.is_on": "bookmark set or taken away (none)",
    "dirty_days": "what a consumer has not seen yet: appended with the events, deleted by it (operational)",
    "dirty_days.user_id": "learner's pseudonym (pseudonymous)",
    "dirty_days.consumer": "who has to look again: live or rollup (none)",
    "dirty_days.local_date": "study day with new events [local day] (none)",
    "dirty_days.batch_id": "append that left the mark; marks are never merged (none)",
    "dirty_days.n_events": "events that it covers [events] (none)",
    "dirty_days.min_event_ts": "oldest of them [UTC] (none)",
    "dirty_days.marked_at": "when [UTC] (none)",
    "tombstones": "whose events are no longer taken (fact)",
    "tombstones.subject_mac": "keyed hash of the erased pseudonym (none)",
    "tombstones.erased_at": "when [UTC] (none)",
    "state_checkpoints": "states kept before their history is dropped, so that replay can start from them (fact)",
    "state_checkpoints.user_id": "learner's pseudonym (pseudonymous)",
    "state_checkpoints.analytic": "whose state it is (none)",
    "state_checkpoints.parameter_version": "parameters it was folded with (none)",
    "state_checkpoints.event_ts": "last event folded: nothing older is taken [UTC] (none)",
    "state_checkpoints.event_id": "last event folded (pseudonymous)",
    "state_checkpoints.code_version": "release that folded it (none)",
    "state_checkpoints.digest": "SHA-256 of the state [32 bytes] (none)",
    "state_checkpoints.state": "the encoded state (pseudonymous)",
    "state_checkpoints.written_at": "when [UTC] (none)",
}

PARTITIONED = """
create or replace function partitioned_log_tables() returns setof text language sql immutable parallel safe as
$$ values ('study_events'), ('question_attempts'), ('material_interactions') $$
"""

# Events leave the log by two named procedures alone. UPDATE never; DELETE only for the eraser under a ticket.
REFUSE = """
create function refuse_log_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and current_user = 'osler_eraser' and session_erasure_id() is not null then
    return old;
  end if;
  raise exception 'the event log is append-only: % on % refused', tg_op, tg_table_name
    using errcode = 'insufficient_privilege';
end $$
"""

# ALWAYS: a session with session_replication_role = replica would rewrite rows otherwise.
TRIGGERS = (
    "create trigger {table}_rows before update or delete on {table} for each row execute function refuse_log_change()",
    "alter table {table} enable always trigger {table}_rows",
    "create trigger {table}_truncate before truncate on {table} "
    "for each statement execute function refuse_log_change()",
    "alter table {table} enable always trigger {table}_truncate",
)

# The second wall: a transaction that names a learner sees that learner alone, even when a filter is forgotten.
POLICIES = (
    "alter table {table} enable row level security",
    "alter table {table} force row level security",
    "create policy {table}_own on {table} for select to osler_app, osler_reader using "
    "((select session_user_id()) is null or user_id = (select session_user_id()))",
    "create policy {table}_append on {table} for insert to osler_app with check (true)",
    "create policy {table}_keepers on {table} to osler_owner, osler_eraser, osler_retention using (true)",
)

# A reader's own learner is required: without one it sees nothing.
READER_POLICY = (
    "create policy {table}_reader on {table} as restrictive for select to osler_reader using "
    "(user_id = (select session_user_id()))"
)


def upgrade() -> None:
    for statement in DDL:
        op.execute(statement)
    for name, comment in COMMENTS.items():
        target = "column" if "." in name else "table"
        op.execute(f"comment on {target} {name} is '{comment.replace(chr(39), chr(39) * 2)}'")
    op.execute(PARTITIONED)
    op.execute(REFUSE)
    for table in LOG:
        for statement in (*TRIGGERS, *POLICIES, READER_POLICY):
            op.execute(statement.format(table=table))
    _grant()
    op.execute((SQL / "0003_append_events.sql").read_text())
    op.execute("comment on function append_events is 'appends events of any learners: the only way into the log'")
    op.execute("revoke execute on function append_events from public")
    op.execute("grant execute on function append_events to osler_app")
    op.execute(
        "select ensure_partition((date_trunc('month', now() at time zone 'UTC') + make_interval(months => m))::date) "
        "from generate_series(-1, 4) m"
    )


def _grant() -> None:
    log = ", ".join(LOG)
    op.execute(f"grant select, insert on {log} to osler_app")
    op.execute(f"grant select on {log}, dirty_days, tombstones, state_checkpoints to {READ_ONLY_ROLES}")
    op.execute(f"grant select, delete on {log}, dirty_days, state_checkpoints to osler_eraser")
    op.execute("grant select, insert on tombstones to osler_eraser")
    op.execute("grant select on tombstones to osler_app")
    op.execute("grant select, insert, delete on dirty_days to osler_app")
    op.execute("grant select, insert on state_checkpoints to osler_app")


def downgrade() -> None:
    op.execute("drop function append_events")
    for table in ("state_checkpoints", "tombstones", "dirty_days", *reversed(LOG)):
        op.execute(f"drop table {table}")
    op.execute("drop function refuse_log_change()")
    op.execute(
        "create or replace function partitioned_log_tables() returns setof text "
        "language sql immutable parallel safe as $$ select null::text where false $$"
    )
