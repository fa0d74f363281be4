-- Retention's only act: one month of one table leaves the log, and the ledger says which and how many rows.
--
-- The caller has checkpointed the states that need the month. Plain DETACH, as CONCURRENTLY cannot run in a function;
-- behind a long query it waits half a second, gives up with lock_not_available, and the caller tries again later.
create function drop_due_partition(p_partition text, p_cutoff timestamptz) returns bigint
language plpgsql security definer set search_path = pg_catalog, public, pg_temp set lock_timeout = '500ms' as $$
declare
  v_parent text;
  v_bounds text[];
  v_low timestamptz;
  v_high timestamptz;
  v_rows bigint;
begin
  select parent.relname, regexp_match(pg_get_expr(child.relpartbound, child.oid), 'FROM \(''(.+)''\) TO \(''(.+)''\)')
    into v_parent, v_bounds
    from pg_inherits i join pg_class child on child.oid = i.inhrelid join pg_class parent on parent.oid = i.inhparent
   where child.relname = p_partition and child.relnamespace = 'public'::regnamespace
     and parent.relname in (select * from public.partitioned_log_tables());
  if v_parent is null then
    raise exception '% is no month of the log', p_partition using errcode = 'undefined_table';
  end if;
  v_low := v_bounds[1]::timestamptz;
  v_high := v_bounds[2]::timestamptz;
  -- Whatever a caller says: the present month and the one before are never dropped.
  if v_high > p_cutoff or v_high > now() - interval '1 month' then
    raise exception '% ends at %, which is not before %', p_partition, v_high, p_cutoff
      using errcode = 'check_violation';
  end if;
  execute format('lock table public.%I in share mode', p_partition);
  execute format('select count(*) from public.%I', p_partition) into v_rows;
  execute format('alter table public.%I detach partition public.%I', v_parent, p_partition);
  execute format('drop table public.%I', p_partition);
  insert into public.retention_runs (partition, parent, lower_at, upper_at, n_rows)
  values (p_partition, v_parent, v_low, v_high, v_rows)
  on conflict (partition) do update set n_rows = retention_runs.n_rows + excluded.n_rows, dropped_at = now();
  return v_rows;
end $$
