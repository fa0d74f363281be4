-- The only way into the log. One call is one round trip; without a surrounding transaction it is one COMMIT.
--
-- Lock, policy and insert are separate statements of a VOLATILE function on purpose: under READ COMMITTED each takes a
-- new snapshot, and a snapshot must not be older than the lock. In one statement, erased learners kept rows.
--
-- Columns travel as texts joined by newlines, because parsing one text is cheaper than an array of values; a column
-- that is equal in every row travels once, in the second array. An empty line is null. The typed rows are read off
-- `data`, which is parsed once, and off what RETURNING says was new.
--
-- What the writer knew of its learners' zone, start of the day and checkpoint comes along (`p_homes`, null for who is
-- met for the first time) and is compared with what is stored, so that it need not be asked before each batch.
--
-- Nearly every batch is all new, so the insert takes that for granted: ON CONFLICT DO NOTHING would look each id up
-- first and write it in two steps. A batch that holds something stored fails, at its first such row, is rolled back to
-- where it began, and goes again without what is stored by now. What RETURNING gives back was new, nothing else.
create function append_events(
  p_n int, p_batch uuid, p_buckets int[], p_subjects uuid[], p_macs bytea[], p_homes text[], p_create uuid[],
  p_catalog int, p_received timestamptz, p_sent timestamptz, p_skew_ms bigint, p_device text,
  p_hashes bytea, p_nonces bytea, p_cols text[], p_same text[], p_attempts text[], p_materials text[],
  out state text, out erased uuid[], out withdrawn uuid[], out unwell uuid[], out new_users uuid[], out new_ids uuid[],
  out stored_users uuid[], out stored_ids uuid[], out stored_hashes bytea[]
) language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
  v_shut uuid[];
  v_as_known int;
  v_look boolean;
  v_known int[];
  v_new int;
  v_tries int := 0;
  v_event_id uuid[] := string_to_array(p_cols[1], E'\n', '')::uuid[];
  v_event_type text[] := string_to_array(p_cols[2], E'\n', '');
  v_occurred_us double precision[] := string_to_array(p_cols[3], E'\n', '')::double precision[];
  v_occurred_at_raw text[] := string_to_array(p_cols[4], E'\n', '');
  v_shift_us double precision[] := string_to_array(p_cols[5], E'\n', '')::double precision[];
  v_utc_offset_minutes smallint[] := string_to_array(p_cols[6], E'\n', '')::smallint[];
  v_local_day int[] := string_to_array(p_cols[7], E'\n', '')::int[];
  v_session_id uuid[] := string_to_array(p_cols[8], E'\n', '')::uuid[];
  v_schema_version smallint[] := string_to_array(p_cols[9], E'\n', '')::smallint[];
  v_tz text[] := string_to_array(p_cols[10], E'\n', '');
  v_zone_source text[] := string_to_array(p_cols[11], E'\n', '');
  v_time_precision text[] := string_to_array(p_cols[12], E'\n', '');
  v_boot_id uuid[] := string_to_array(p_cols[13], E'\n', '')::uuid[];
  v_monotonic_ms bigint[] := string_to_array(p_cols[14], E'\n', '')::bigint[];
  v_topic_ids text[] := string_to_array(p_cols[15], E'\n', '');
  v_is_correct boolean[] := string_to_array(p_cols[16], E'\n', '')::boolean[];
  v_key_version int[] := string_to_array(p_cols[17], E'\n', '')::int[];
  v_data jsonb[] := string_to_array(p_cols[18], E'\n', '')::jsonb[];
  v_user_id uuid[] := string_to_array(p_cols[19], E'\n', '')::uuid[];
  -- what is equal in every row
  e_event_type text := p_same[2];
  e_occurred_us double precision := p_same[3];
  e_occurred_at_raw text := p_same[4];
  e_shift_us double precision := p_same[5];
  e_utc_offset_minutes smallint := p_same[6];
  e_local_day int := p_same[7];
  e_session_id uuid := p_same[8];
  e_schema_version smallint := p_same[9];
  e_tz text := p_same[10];
  e_zone_source text := p_same[11];
  e_time_precision text := p_same[12];
  e_boot_id uuid := p_same[13];
  e_monotonic_ms bigint := p_same[14];
  e_topic_ids text := p_same[15];
  e_is_correct boolean := p_same[16];
  e_key_version int := p_same[17];
  e_data jsonb := p_same[18];
  e_user_id uuid := p_same[19];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'append_events needs READ COMMITTED: an older snapshot would not see tombstones';
  end if;
  state := 'done';

  perform pg_advisory_xact_lock_shared(1, s.b) from (select distinct b from unnest(p_buckets) b order by b) s;

  select array_agg(s.user_id) into erased
    from unnest(p_subjects, p_macs) as s(user_id, mac) join tombstones t on t.subject_mac = s.mac;
  select array_agg(u.user_id) filter (where u.consents -> 'analytics' = 'null'::jsonb or u.erase_requested_at is not null),
         array_agg(u.user_id) filter (where coalesce(u.consents -> 'wellbeing', 'null'::jsonb) = 'null'::jsonb),
         count(*) filter (where s.home = u.time_zone || '|' || u.day_start_minutes || '|' ||
                                                 coalesce((select max(c.event_ts)::text from state_checkpoints c
                                                            where c.user_id = u.user_id), ''))
    into withdrawn, unwell, v_as_known
    from unnest(p_subjects, p_homes) as s(user_id, home) join users u on u.user_id = s.user_id;
  if v_as_known < cardinality(p_homes) - cardinality(array_positions(p_homes, null)) then
    state := 'learner_changed';
    return;
  end if;
  if p_catalog is not null and p_catalog <> (select coalesce(max(version), 0) from catalog_versions) then
    state := 'catalog_changed';
    return;
  end if;
  v_shut := coalesce(erased, '{}') || coalesce(withdrawn, '{}');
  if p_create is not null then
    insert into users (user_id) select c from unnest(p_create) c where c <> all (v_shut) on conflict do nothing;
    unwell := coalesce(unwell, '{}') || p_create;
  end if;
  unwell := coalesce(unwell, '{}');
  -- whoever holds something back has to know whether it is stored already
  v_look := v_shut <> '{}' or (unwell <> '{}' and (e_event_type = 'day_report' or 'day_report' = any (v_event_type)));

  loop
    if v_look then  -- the lock keeps erasure away: what is seen here stays
      select array_agg(i), array_agg(e.user_id), array_agg(e.event_id), array_agg(e.content_hash)
        into v_known, stored_users, stored_ids, stored_hashes
        from generate_series(1, p_n) i
        join study_events e on e.user_id = coalesce(v_user_id[i], e_user_id) and e.event_ts = uuid7_ts(v_event_id[i])
         and e.event_id = v_event_id[i]
       where e.event_ts between (select min(uuid7_ts(u)) from unnest(v_event_id) u)
                            and (select max(uuid7_ts(u)) from unnest(v_event_id) u);
    end if;
    begin
      with new as (
        insert into study_events as e (
          user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, local_date, session_id,
          schema_version, occurred_at, occurred_at_raw, tz, zone_source, time_precision, sent_at, received_at,
          clock_skew_ms, device_id, boot_id, monotonic_ms, topic_ids, is_correct, key_version, content_hash, nonce, data)
        select coalesce(v_user_id[i], e_user_id), uuid7_ts(v_event_id[i]), v_event_id[i],
               coalesce(v_event_type[i], e_event_type),
               to_timestamp((coalesce(v_occurred_us[i], e_occurred_us) + coalesce(v_shift_us[i], e_shift_us)) / 1000000.0),
               coalesce(v_utc_offset_minutes[i], e_utc_offset_minutes),
               date '2000-01-01' + coalesce(v_local_day[i], e_local_day), coalesce(v_session_id[i], e_session_id),
               coalesce(v_schema_version[i], e_schema_version),
               to_timestamp(coalesce(v_occurred_us[i], e_occurred_us) / 1000000.0),
               coalesce(v_occurred_at_raw[i], e_occurred_at_raw), coalesce(v_tz[i], e_tz),
               coalesce(v_zone_source[i], e_zone_source), coalesce(v_time_precision[i], e_time_precision),
               p_sent, p_received, p_skew_ms, p_device, coalesce(v_boot_id[i], e_boot_id),
               coalesce(v_monotonic_ms[i], e_monotonic_ms), coalesce(v_topic_ids[i], e_topic_ids)::text[],
               coalesce(v_is_correct[i], e_is_correct), coalesce(v_key_version[i], e_key_version),
               substr(p_hashes, (i - 1) * 32 + 1, 32), substr(p_nonces, (i - 1) * 16 + 1, 16),
               coalesce(v_data[i], e_data)
          from generate_series(1, p_n) i
         where coalesce(v_user_id[i], e_user_id) <> all (v_shut)
           and (coalesce(v_event_type[i], e_event_type) <> 'day_report'
                or coalesce(v_user_id[i], e_user_id) <> all (unwell))
           and i not in (select unnest(v_known))
        returning e.user_id, e.event_ts, e.event_id, e.event_type, e.effective_at, e.utc_offset_minutes, e.local_date,
                  e.session_id, e.is_correct, e.key_version, e.data
      ), attempt as (
        insert into question_attempts (
          user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, local_date, session_id,
          question_id, card_id, time_to_answer_seconds, is_correct, score, key_version, answer, mode, confidence,
          hints_used, block_id, position, rating, kind, previous_interval_seconds, interval_seconds, ease_permille,
          affects_schedule)
        select n.user_id, n.event_ts, n.event_id, n.event_type, n.effective_at, n.utc_offset_minutes, n.local_date,
               n.session_id, n.data ->> 'question_id', n.data ->> 'card_id',
               (n.data ->> 'time_to_answer_seconds')::double precision, n.is_correct,
               (n.data ->> 'score')::double precision, n.key_version, n.data -> 'answer', n.data ->> 'mode',
               (n.data ->> 'confidence')::smallint, (n.data ->> 'hints_used')::smallint, n.data ->> 'block_id',
               (n.data ->> 'position')::smallint, (n.data ->> 'rating')::smallint, n.data ->> 'kind',
               (n.data ->> 'previous_interval_seconds')::bigint, (n.data ->> 'interval_seconds')::bigint,
               (n.data ->> 'ease_permille')::smallint, (n.data ->> 'affects_schedule')::boolean
          from new n where n.event_type = any (p_attempts)
      ), material as (
        insert into material_interactions (
          user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, local_date, session_id,
          material_id, question_id, section_id, kind, action, progress, active_seconds, scroll_depth,
          position_seconds, to_seconds, length_chars, is_on)
        select n.user_id, n.event_ts, n.event_id, n.event_type, n.effective_at, n.utc_offset_minutes, n.local_date,
               n.session_id, n.data ->> 'material_id', n.data ->> 'question_id', n.data ->> 'section_id',
               n.data ->> 'kind', coalesce(n.data ->> 'action', n.data ->> 'reason'),
               (n.data ->> 'progress')::double precision, (n.data ->> 'active_seconds')::double precision,
               (n.data ->> 'scroll_depth')::double precision,
               coalesce(n.data ->> 'position_seconds', n.data ->> 'from_seconds')::double precision,
               (n.data ->> 'to_seconds')::double precision, (n.data ->> 'length_chars')::int,
               (n.data ->> 'on')::boolean
          from new n where n.event_type = any (p_materials)
      ), mark as (
        insert into dirty_days (user_id, consumer, local_date, batch_id, n_events, min_event_ts)
        select d.user_id, c, d.local_date, p_batch, d.n, d.oldest
          from (select n.user_id, n.local_date, count(*)::int as n, min(n.event_ts) as oldest from new n group by 1, 2) d,
               unnest(array['live', 'rollup']) c
      )
      select count(*)::int, array_agg(n.user_id) filter (where v_look), array_agg(n.event_id) filter (where v_look)
        into v_new, new_users, new_ids from new n;
      exit;
    exception when unique_violation then
      v_look := true;
      v_tries := v_tries + 1;
      if v_tries > 9 then
        raise;
      end if;
    end;
  end loop;

  if v_new = p_n then  -- counted from RETURNING, never from a row count: a resend must not look new
    state := 'all_new';
  end if;
end $$
