"""Roles of a database, the time inside an event id, and monthly partitions made on demand.

Roles belong to the whole server, not to one database, so going down leaves them; everything else goes.
"""

from __future__ import annotations

from alembic import context, op

revision = "0001"
down_revision: str | None = None
branch_labels = None
depends_on = None

ROLES = ("osler_owner", "osler_app", "osler_reader", "osler_eraser", "osler_retention")

# Two Oslers may migrate two databases of one server at once: losing the race to make a role is no error.
MAKE_ROLE = """
do $$ begin
  if not exists (select from pg_roles where rolname = '{role}') then
    create role {role} nologin;
  end if;
exception when duplicate_object or unique_violation then null;
end $$
"""

# The login of the migration acts as the owner from here on, so that everything belongs to a role nobody logs in as.
BECOME_OWNER = """
do $$ begin
  if not pg_has_role(current_user, 'osler_owner', 'member') then
    execute format('grant osler_owner to %I', current_user);
  end if;
  if not has_schema_privilege('osler_owner', 'public', 'create') then
    grant create, usage on schema public to osler_owner;
  end if;
  if to_regclass('public.alembic_version') is not null and current_user <> 'osler_owner' then
    alter table public.alembic_version owner to osler_owner;
  end if;
end $$
"""

# Immutable, so that a CHECK can hold event_ts to it. Null for an id that is not a version 7.
UUID7_TS_18 = """
create function uuid7_ts(id uuid) returns timestamptz language sql immutable strict parallel safe as
$$ select case when uuid_extract_version(id) = 7 then uuid_extract_timestamp(id) end $$
"""
UUID7_TS_15 = """
create function uuid7_ts(id uuid) returns timestamptz language sql immutable strict parallel safe as
$$ select case when substr(id::text, 15, 1) = '7' and substr(id::text, 20, 1) in ('8', '9', 'a', 'b')
   then to_timestamp((('x0000' || substr(replace(id::text, '-', ''), 1, 12))::bit(64)::bigint) / 1000.0) end $$
"""

# Later migrations replace it with a longer list.
PARTITIONED = """
create function partitioned_log_tables() returns setof text language sql immutable parallel safe as
$$ select null::text where false $$
"""

# Statement triggers (against TRUNCATE) are not inherited by partitions; row triggers, checks and indexes are.
COPY_TRIGGERS = """
create function copy_statement_triggers(parent regclass, child regclass) returns void
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
declare t record;
begin
  for t in select tgname, tgenabled, pg_get_triggerdef(oid) as ddl from pg_trigger
            where tgrelid = parent and not tgisinternal and (tgtype & 1) = 0
  loop
    execute regexp_replace(t.ddl, ' ON \\S+ ', format(' ON %s ', child));
    if t.tgenabled = 'A' then
      execute format('alter table %s enable always trigger %I', child, t.tgname);
    end if;
  end loop;
end $$
"""

# LIKE and ATTACH: SHARE UPDATE EXCLUSIVE on the parent, which neither readers nor writers notice. PARTITION OF would
# take ACCESS EXCLUSIVE. Waits half a second for it at most, then lets go and tries again: behind a long vacuum or
# another migration nobody queues up. It is the only DDL that osler_app can cause, and it is bounded.
ENSURE_PARTITION = """
create function ensure_partition(month date) returns integer
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '500ms' as $$
declare
  first_day date := date_trunc('month', month)::date;
  today date := (now() at time zone 'UTC')::date;
  low timestamptz; high timestamptz; parent text; child text; made integer := 0; tries integer;
begin
  if month is null or first_day < today - interval '20 years 1 month' or first_day > today + interval '4 months' then
    raise exception 'month % lies outside twenty years back and four months ahead', month
      using errcode = 'check_violation';
  end if;
  low := first_day::timestamp at time zone 'UTC';
  high := (first_day + interval '1 month') at time zone 'UTC';
  for parent in select * from public.partitioned_log_tables() loop
    child := format('%s_p%s', parent, to_char(first_day, 'YYYY_MM'));
    continue when to_regclass(format('public.%I', child)) is not null
      or to_regclass(format('public.%I', parent)) is null;
    tries := 0;
    loop
      begin
        -- session locks would outlive an error: this one ends with the caller's transaction
        perform pg_advisory_xact_lock(3, extract(year from first_day)::int * 12 + extract(month from first_day)::int);
        -- not to_regclass(): its cache may not have heard yet of a table that was made while we waited for the lock
        exit when exists (select from pg_class where relname = child and relnamespace = 'public'::regnamespace);
        execute format('create table public.%I (like public.%I including defaults including constraints '
                       'including generated including storage including compression)', child, parent);
        execute format('alter table public.%I attach partition public.%I for values from (%L) to (%L)',
                       parent, child, low, high);
        perform public.copy_statement_triggers(format('public.%I', parent)::regclass,
                                               format('public.%I', child)::regclass);
        made := made + 1;
        exit;
      exception when lock_not_available or deadlock_detected then
        tries := tries + 1;
        if tries >= 8 then raise; end if;
        perform pg_sleep(0.02 + random() * 0.1);
      end;
    end loop;
  end loop;
  return made;
end $$
"""

SETTINGS = (
    """create function session_user_id() returns uuid language sql stable parallel safe as
       $$ select nullif(current_setting('osler.user_id', true), '')::uuid $$""",
    """create function session_erasure_id() returns uuid language sql stable parallel safe as
       $$ select nullif(current_setting('osler.erasure_id', true), '')::uuid $$""",
)

COMMENTS = {
    "uuid7_ts(uuid)": "instant inside a version 7 id, to the millisecond; null for any other id",
    "partitioned_log_tables()": "tables that get a partition for each month",
    "copy_statement_triggers(regclass, regclass)": "gives a new partition the statement triggers of its parent",
    "ensure_partition(date)": "makes the partitions of a month where missing; how many were made",
    "session_user_id()": "learner whose rows the transaction may see under a row-level policy",
    "session_erasure_id()": "erasure under whose ticket the transaction deletes",
}


def _server_version() -> int:
    if context.is_offline_mode():
        return 15  # SQL that runs everywhere
    return op.get_bind().exec_driver_sql("select current_setting('server_version_num')::int / 10000").scalar_one()


def upgrade() -> None:
    for role in ROLES:
        op.execute(MAKE_ROLE.format(role=role))
    op.execute(BECOME_OWNER)
    op.execute("set role osler_owner")
    op.execute("revoke create on schema public from public")
    op.execute(f"grant usage on schema public to {', '.join(ROLES[1:])}")
    op.execute("grant select on table public.alembic_version to osler_app, osler_reader, osler_eraser, osler_retention")
    op.execute(UUID7_TS_18 if _server_version() >= 18 else UUID7_TS_15)
    for statement in (PARTITIONED, COPY_TRIGGERS, ENSURE_PARTITION, *SETTINGS):
        op.execute(statement)
    for name, comment in COMMENTS.items():
        op.execute(f"comment on function {name} is '{comment}'")
    op.execute("revoke execute on function copy_statement_triggers(regclass, regclass) from public")
    op.execute("revoke execute on function ensure_partition(date) from public")
    op.execute("grant execute on function ensure_partition(date) to osler_app")


def downgrade() -> None:
    for name in reversed(COMMENTS):
        op.execute(f"drop function {name}")
    op.execute(f"revoke usage on schema public from {', '.join(ROLES[1:])}")
