-- The only way into the log. One call is one round trip; without a surrounding transaction it is one COMMIT.
--
-- Lock, policy and insert are separate statements of a VOLATILE function on purpose: under READ COMMITTED each takes a
-- new snapshot, and a snapshot must not be older than the lock. In one statement, erased learners kept rows.
--
-- Columns travel as texts joined by newlines, because parsing one text is cheaper than an array of values; a column
-- that is equal in every row travels once, in the second array. An empty line is null.
create function append_events(
  p_n int, p_batch uuid, p_buckets int[], p_subjects uuid[], p_macs bytea[], p_create uuid[], p_catalog int,
  p_received timestamptz, p_sent timestamptz, p_skew_ms bigint, p_device text,
  p_hashes bytea, p_nonces bytea, p_cols text[], p_same text[],
  p_attempts int, p_att_cols text[], p_att_same text[], p_materials int, p_mat_cols text[], p_mat_same text[],
  out state text, out erased uuid[], out withdrawn uuid[], out unwell uuid[], out new_users uuid[], out new_ids uuid[]
) language plpgsql volatile set plan_cache_mode = force_generic_plan as $$
declare
  v_shut uuid[];
  v_new int;
  -- what is equal in every row, with its type; a variable is read faster than an element of an array
  e1 uuid := p_same[1];
  e2 text := p_same[2];
  e3 double precision := p_same[3];
  e4 text := p_same[4];
  e5 double precision := p_same[5];
  e6 smallint := p_same[6];
  e7 int := p_same[7];
  e8 uuid := p_same[8];
  e9 smallint := p_same[9];
  e10 text := p_same[10];
  e11 text := p_same[11];
  e12 text := p_same[12];
  e13 uuid := p_same[13];
  e14 bigint := p_same[14];
  e15 text[] := p_same[15];
  e16 boolean := p_same[16];
  e17 int := p_same[17];
  e18 jsonb := p_same[18];
  e19 uuid := p_same[19];
  a1 uuid := p_att_same[1];
  a2 uuid := p_att_same[2];
  a3 text := p_att_same[3];
  a4 double precision := p_att_same[4];
  a5 smallint := p_att_same[5];
  a6 int := p_att_same[6];
  a7 uuid := p_att_same[7];
  a8 text := p_att_same[8];
  a9 text := p_att_same[9];
  a10 double precision := p_att_same[10];
  a11 boolean := p_att_same[11];
  a12 double precision := p_att_same[12];
  a13 int := p_att_same[13];
  a14 jsonb := p_att_same[14];
  a15 text := p_att_same[15];
  a16 smallint := p_att_same[16];
  a17 smallint := p_att_same[17];
  a18 text := p_att_same[18];
  a19 smallint := p_att_same[19];
  a20 smallint := p_att_same[20];
  a21 text := p_att_same[21];
  a22 bigint := p_att_same[22];
  a23 bigint := p_att_same[23];
  a24 smallint := p_att_same[24];
  a25 boolean := p_att_same[25];
  m1 uuid := p_mat_same[1];
  m2 uuid := p_mat_same[2];
  m3 text := p_mat_same[3];
  m4 double precision := p_mat_same[4];
  m5 smallint := p_mat_same[5];
  m6 int := p_mat_same[6];
  m7 uuid := p_mat_same[7];
  m8 text := p_mat_same[8];
  m9 text := p_mat_same[9];
  m10 text := p_mat_same[10];
  m11 text := p_mat_same[11];
  m12 text := p_mat_same[12];
  m13 double precision := p_mat_same[13];
  m14 double precision := p_mat_same[14];
  m15 double precision := p_mat_same[15];
  m16 double precision := p_mat_same[16];
  m17 double precision := p_mat_same[17];
  m18 int := p_mat_same[18];
  m19 boolean := p_mat_same[19];
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'append_events needs READ COMMITTED: an older snapshot would not see tombstones';
  end if;
  state := 'done';

  perform pg_advisory_xact_lock_shared(1, s.b) from (select distinct b from unnest(p_buckets) b order by b) s;

  select array_agg(s.user_id) into erased
    from unnest(p_subjects, p_macs) as s(user_id, mac) join tombstones t on t.subject_mac = s.mac;
  select array_agg(u.user_id) filter (where u.consents -> 'analytics' = 'null'::jsonb or u.erase_requested_at is not null),
         array_agg(u.user_id) filter (where coalesce(u.consents -> 'wellbeing', 'null'::jsonb) = 'null'::jsonb)
    into withdrawn, unwell from users u where u.user_id = any (p_subjects);
  if p_catalog is not null and p_catalog <> (select coalesce(max(version), 0) from catalog_versions) then
    state := 'catalog_changed';
    return;
  end if;
  v_shut := coalesce(erased, '{}') || coalesce(withdrawn, '{}');
  if p_create is not null then
    insert into users (user_id) select c from unnest(p_create) c where c <> all (v_shut) on conflict do nothing;
    unwell := coalesce(unwell, '{}') || p_create;
  end if;

  -- `offset 0` keeps the casts in the subquery: pulled up, each would run once for every place it is used in
  with new as (
    insert into study_events (
      user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, local_date, session_id, schema_version,
      occurred_at, occurred_at_raw, tz, zone_source, time_precision, sent_at, received_at, clock_skew_ms, device_id,
      boot_id, monotonic_ms, topic_ids, is_correct, key_version, content_hash, nonce, data)
    select s.user_id, uuid7_ts(s.event_id), s.event_id, s.event_type,
           to_timestamp((s.occurred_us + s.shift_us) / 1000000.0), s.utc_offset_minutes,
           date '2000-01-01' + s.local_day, s.session_id, s.schema_version, to_timestamp(s.occurred_us / 1000000.0),
           s.occurred_at_raw, s.tz, s.zone_source, s.time_precision, p_sent, p_received, p_skew_ms, p_device, s.boot_id,
           s.monotonic_ms, s.topic_ids, s.is_correct, s.key_version, substr(p_hashes, (s.i - 1) * 32 + 1, 32),
           substr(p_nonces, (s.i - 1) * 16 + 1, 16), s.data
      from (
      select
             coalesce(c1::uuid, e1) as event_id, coalesce(c2, e2) as event_type,
             coalesce(c3::double precision, e3) as occurred_us, coalesce(c4, e4) as occurred_at_raw,
             coalesce(c5::double precision, e5) as shift_us, coalesce(c6::smallint, e6) as utc_offset_minutes,
             coalesce(c7::int, e7) as local_day, coalesce(c8::uuid, e8) as session_id,
             coalesce(c9::smallint, e9) as schema_version, coalesce(c10, e10) as tz,
             coalesce(c11, e11) as zone_source, coalesce(c12, e12) as time_precision,
             coalesce(c13::uuid, e13) as boot_id, coalesce(c14::bigint, e14) as monotonic_ms,
             coalesce(c15::text[], e15) as topic_ids, coalesce(c16::boolean, e16) as is_correct,
             coalesce(c17::int, e17) as key_version, coalesce(c18::jsonb, e18) as data,
             coalesce(c19::uuid, e19) as user_id, i::int as i
        from unnest(
               string_to_array(p_cols[1], E'\n', ''), string_to_array(p_cols[2], E'\n', ''),
               string_to_array(p_cols[3], E'\n', ''), string_to_array(p_cols[4], E'\n', ''),
               string_to_array(p_cols[5], E'\n', ''), string_to_array(p_cols[6], E'\n', ''),
               string_to_array(p_cols[7], E'\n', ''), string_to_array(p_cols[8], E'\n', ''),
               string_to_array(p_cols[9], E'\n', ''), string_to_array(p_cols[10], E'\n', ''),
               string_to_array(p_cols[11], E'\n', ''), string_to_array(p_cols[12], E'\n', ''),
               string_to_array(p_cols[13], E'\n', ''), string_to_array(p_cols[14], E'\n', ''),
               string_to_array(p_cols[15], E'\n', ''), string_to_array(p_cols[16], E'\n', ''),
               string_to_array(p_cols[17], E'\n', ''), string_to_array(p_cols[18], E'\n', ''),
               string_to_array(p_cols[19], E'\n', '')
             ) with ordinality as t(
               c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, i)
      offset 0
           ) s
     where s.user_id <> all (v_shut) and (s.event_type <> 'day_report' or s.user_id <> all (coalesce(unwell, '{}')))
    on conflict do nothing
    returning study_events.user_id, study_events.event_id, study_events.local_date, study_events.event_ts
  ), mark as (
    insert into dirty_days (user_id, consumer, local_date, batch_id, n_events, min_event_ts)
    select d.user_id, c, d.local_date, p_batch, d.n, d.oldest
      from (select n.user_id, n.local_date, count(*)::int as n, min(n.event_ts) as oldest from new n group by 1, 2) d,
           unnest(array['live', 'rollup']) c
  )
  select count(*)::int, array_agg(n.user_id), array_agg(n.event_id) into v_new, new_users, new_ids from new n;

  if p_attempts > 0 and v_new > 0 then
    insert into question_attempts (
      user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, local_date, session_id,
      question_id, card_id, time_to_answer_seconds, is_correct, score, key_version, answer, mode, confidence,
      hints_used, block_id, position, rating, kind, previous_interval_seconds, interval_seconds, ease_permille,
      affects_schedule)
    select
           s.user_id, uuid7_ts(s.event_id), s.event_id, s.event_type, to_timestamp(s.effective_us / 1000000.0),
           s.utc_offset_minutes, date '2000-01-01' + s.local_day, s.session_id, s.question_id, s.card_id,
           s.time_to_answer_seconds, s.is_correct, s.score, s.key_version, s.answer, s.mode, s.confidence,
           s.hints_used, s.block_id, s.position, s.rating, s.kind, s.previous_interval_seconds, s.interval_seconds,
           s.ease_permille, s.affects_schedule
      from (
      select
             coalesce(c1::uuid, a1) as event_id, coalesce(c2::uuid, a2) as user_id, coalesce(c3, a3) as event_type,
             coalesce(c4::double precision, a4) as effective_us, coalesce(c5::smallint, a5) as utc_offset_minutes,
             coalesce(c6::int, a6) as local_day, coalesce(c7::uuid, a7) as session_id,
             coalesce(c8, a8) as question_id, coalesce(c9, a9) as card_id,
             coalesce(c10::double precision, a10) as time_to_answer_seconds,
             coalesce(c11::boolean, a11) as is_correct, coalesce(c12::double precision, a12) as score,
             coalesce(c13::int, a13) as key_version, coalesce(c14::jsonb, a14) as answer,
             coalesce(c15, a15) as mode, coalesce(c16::smallint, a16) as confidence,
             coalesce(c17::smallint, a17) as hints_used, coalesce(c18, a18) as block_id,
             coalesce(c19::smallint, a19) as position, coalesce(c20::smallint, a20) as rating,
             coalesce(c21, a21) as kind, coalesce(c22::bigint, a22) as previous_interval_seconds,
             coalesce(c23::bigint, a23) as interval_seconds, coalesce(c24::smallint, a24) as ease_permille,
             coalesce(c25::boolean, a25) as affects_schedule
        from unnest(
               string_to_array(p_att_cols[1], E'\n', ''), string_to_array(p_att_cols[2], E'\n', ''),
               string_to_array(p_att_cols[3], E'\n', ''), string_to_array(p_att_cols[4], E'\n', ''),
               string_to_array(p_att_cols[5], E'\n', ''), string_to_array(p_att_cols[6], E'\n', ''),
               string_to_array(p_att_cols[7], E'\n', ''), string_to_array(p_att_cols[8], E'\n', ''),
               string_to_array(p_att_cols[9], E'\n', ''), string_to_array(p_att_cols[10], E'\n', ''),
               string_to_array(p_att_cols[11], E'\n', ''), string_to_array(p_att_cols[12], E'\n', ''),
               string_to_array(p_att_cols[13], E'\n', ''), string_to_array(p_att_cols[14], E'\n', ''),
               string_to_array(p_att_cols[15], E'\n', ''), string_to_array(p_att_cols[16], E'\n', ''),
               string_to_array(p_att_cols[17], E'\n', ''), string_to_array(p_att_cols[18], E'\n', ''),
               string_to_array(p_att_cols[19], E'\n', ''), string_to_array(p_att_cols[20], E'\n', ''),
               string_to_array(p_att_cols[21], E'\n', ''), string_to_array(p_att_cols[22], E'\n', ''),
               string_to_array(p_att_cols[23], E'\n', ''), string_to_array(p_att_cols[24], E'\n', ''),
               string_to_array(p_att_cols[25], E'\n', '')
             ) as t(
               c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21, c22,
               c23, c24, c25)
      offset 0
           ) s
     where v_new = p_n or (s.user_id, s.event_id) in (select * from unnest(new_users, new_ids));
  end if;

  if p_materials > 0 and v_new > 0 then
    insert into material_interactions (
      user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, local_date, session_id,
      material_id, question_id, section_id, kind, action, progress, active_seconds, scroll_depth, position_seconds,
      to_seconds, length_chars, is_on)
    select
           s.user_id, uuid7_ts(s.event_id), s.event_id, s.event_type, to_timestamp(s.effective_us / 1000000.0),
           s.utc_offset_minutes, date '2000-01-01' + s.local_day, s.session_id, s.material_id, s.question_id,
           s.section_id, s.kind, s.action, s.progress, s.active_seconds, s.scroll_depth, s.position_seconds,
           s.to_seconds, s.length_chars, s.is_on
      from (
      select
             coalesce(c1::uuid, m1) as event_id, coalesce(c2::uuid, m2) as user_id, coalesce(c3, m3) as event_type,
             coalesce(c4::double precision, m4) as effective_us, coalesce(c5::smallint, m5) as utc_offset_minutes,
             coalesce(c6::int, m6) as local_day, coalesce(c7::uuid, m7) as session_id,
             coalesce(c8, m8) as material_id, coalesce(c9, m9) as question_id, coalesce(c10, m10) as section_id,
             coalesce(c11, m11) as kind, coalesce(c12, m12) as action,
             coalesce(c13::double precision, m13) as progress,
             coalesce(c14::double precision, m14) as active_seconds,
             coalesce(c15::double precision, m15) as scroll_depth,
             coalesce(c16::double precision, m16) as position_seconds,
             coalesce(c17::double precision, m17) as to_seconds, coalesce(c18::int, m18) as length_chars,
             coalesce(c19::boolean, m19) as is_on
        from unnest(
               string_to_array(p_mat_cols[1], E'\n', ''), string_to_array(p_mat_cols[2], E'\n', ''),
               string_to_array(p_mat_cols[3], E'\n', ''), string_to_array(p_mat_cols[4], E'\n', ''),
               string_to_array(p_mat_cols[5], E'\n', ''), string_to_array(p_mat_cols[6], E'\n', ''),
               string_to_array(p_mat_cols[7], E'\n', ''), string_to_array(p_mat_cols[8], E'\n', ''),
               string_to_array(p_mat_cols[9], E'\n', ''), string_to_array(p_mat_cols[10], E'\n', ''),
               string_to_array(p_mat_cols[11], E'\n', ''), string_to_array(p_mat_cols[12], E'\n', ''),
               string_to_array(p_mat_cols[13], E'\n', ''), string_to_array(p_mat_cols[14], E'\n', ''),
               string_to_array(p_mat_cols[15], E'\n', ''), string_to_array(p_mat_cols[16], E'\n', ''),
               string_to_array(p_mat_cols[17], E'\n', ''), string_to_array(p_mat_cols[18], E'\n', ''),
               string_to_array(p_mat_cols[19], E'\n', '')
             ) as t(
               c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19)
      offset 0
           ) s
     where v_new = p_n or (s.user_id, s.event_id) in (select * from unnest(new_users, new_ids));
  end if;

  if v_new = p_n then  -- counted from RETURNING, never from a row count: a resend must not look new
    new_users := null;
    new_ids := null;
    state := 'all_new';
  end if;
end $$
