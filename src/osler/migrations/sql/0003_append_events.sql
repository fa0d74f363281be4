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
) language plpgsql volatile as $$
declare
  v_shut uuid[];
  v_new int;
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

  with src as (
    select t.*, coalesce(t.c19, p_same[19])::uuid as user_id, coalesce(t.c1, p_same[1])::uuid as event_id,
           coalesce(t.c2, p_same[2]) as event_type,
           coalesce(t.c3, p_same[3])::double precision as occurred_us
      from unnest(string_to_array(p_cols[1], E'\n', ''), string_to_array(p_cols[2], E'\n', ''),
                  string_to_array(p_cols[3], E'\n', ''), string_to_array(p_cols[4], E'\n', ''),
                  string_to_array(p_cols[5], E'\n', ''), string_to_array(p_cols[6], E'\n', ''),
                  string_to_array(p_cols[7], E'\n', ''), string_to_array(p_cols[8], E'\n', ''),
                  string_to_array(p_cols[9], E'\n', ''), string_to_array(p_cols[10], E'\n', ''),
                  string_to_array(p_cols[11], E'\n', ''), string_to_array(p_cols[12], E'\n', ''),
                  string_to_array(p_cols[13], E'\n', ''), string_to_array(p_cols[14], E'\n', ''),
                  string_to_array(p_cols[15], E'\n', ''), string_to_array(p_cols[16], E'\n', ''),
                  string_to_array(p_cols[17], E'\n', ''), string_to_array(p_cols[18], E'\n', ''),
                  string_to_array(p_cols[19], E'\n', ''))
           with ordinality as t(c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, i)
  ), new as (
    insert into study_events (
      user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, local_date, session_id, schema_version,
      occurred_at, occurred_at_raw, tz, zone_source, time_precision, sent_at, received_at, clock_skew_ms, device_id,
      boot_id, monotonic_ms, topic_ids, is_correct, key_version, content_hash, nonce, data)
    select user_id, uuid7_ts(event_id), event_id, event_type,
           to_timestamp((occurred_us + coalesce(c5, p_same[5])::double precision) / 1000000.0),
           coalesce(c6, p_same[6])::smallint, date '2000-01-01' + coalesce(c7, p_same[7])::int,
           coalesce(c8, p_same[8])::uuid, coalesce(c9, p_same[9])::smallint,
           to_timestamp(occurred_us / 1000000.0), coalesce(c4, p_same[4]), coalesce(c10, p_same[10]),
           coalesce(c11, p_same[11]), coalesce(c12, p_same[12]), p_sent, p_received, p_skew_ms, p_device,
           coalesce(c13, p_same[13])::uuid, coalesce(c14, p_same[14])::bigint, coalesce(c15, p_same[15])::text[],
           coalesce(c16, p_same[16])::boolean, coalesce(c17, p_same[17])::int,
           substr(p_hashes, (i::int - 1) * 32 + 1, 32), substr(p_nonces, (i::int - 1) * 16 + 1, 16),
           coalesce(c18, p_same[18])::jsonb
      from src
     where user_id <> all (v_shut) and (event_type <> 'day_report' or user_id <> all (coalesce(unwell, '{}')))
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
      user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, local_date, session_id, question_id,
      card_id, time_to_answer_seconds, is_correct, score, key_version, answer, mode, confidence, hints_used, block_id,
      position, rating, kind, previous_interval_seconds, interval_seconds, ease_permille, affects_schedule)
    select a.user_id, uuid7_ts(a.event_id), a.event_id, a.event_type, a.effective_at, a.utc_offset_minutes,
           a.local_date, a.session_id, coalesce(c8, p_att_same[8]), coalesce(c9, p_att_same[9]),
           coalesce(c10, p_att_same[10])::double precision, coalesce(c11, p_att_same[11])::boolean,
           coalesce(c12, p_att_same[12])::double precision, coalesce(c13, p_att_same[13])::int,
           coalesce(c14, p_att_same[14])::jsonb, coalesce(c15, p_att_same[15]), coalesce(c16, p_att_same[16])::smallint,
           coalesce(c17, p_att_same[17])::smallint, coalesce(c18, p_att_same[18]),
           coalesce(c19, p_att_same[19])::smallint, coalesce(c20, p_att_same[20])::smallint,
           coalesce(c21, p_att_same[21]), coalesce(c22, p_att_same[22])::bigint, coalesce(c23, p_att_same[23])::bigint,
           coalesce(c24, p_att_same[24])::smallint, coalesce(c25, p_att_same[25])::boolean
      from (select t.*, coalesce(c1, p_att_same[1])::uuid as event_id, coalesce(c2, p_att_same[2])::uuid as user_id,
                   coalesce(c3, p_att_same[3]) as event_type,
                   to_timestamp(coalesce(c4, p_att_same[4])::double precision / 1000000.0) as effective_at,
                   coalesce(c5, p_att_same[5])::smallint as utc_offset_minutes,
                   date '2000-01-01' + coalesce(c6, p_att_same[6])::int as local_date,
                   coalesce(c7, p_att_same[7])::uuid as session_id
              from unnest(string_to_array(p_att_cols[1], E'\n', ''), string_to_array(p_att_cols[2], E'\n', ''),
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
                          string_to_array(p_att_cols[25], E'\n', ''))
                   as t(c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, c21,
                        c22, c23, c24, c25)) a
     where v_new = p_n or (a.user_id, a.event_id) in (select * from unnest(new_users, new_ids));
  end if;

  if p_materials > 0 and v_new > 0 then
    insert into material_interactions (
      user_id, event_ts, event_id, event_type, effective_at, utc_offset_minutes, local_date, session_id, material_id,
      question_id, section_id, kind, action, progress, active_seconds, scroll_depth, position_seconds, to_seconds,
      length_chars, is_on)
    select m.user_id, uuid7_ts(m.event_id), m.event_id, m.event_type, m.effective_at, m.utc_offset_minutes,
           m.local_date, m.session_id, coalesce(c8, p_mat_same[8]), coalesce(c9, p_mat_same[9]),
           coalesce(c10, p_mat_same[10]), coalesce(c11, p_mat_same[11]), coalesce(c12, p_mat_same[12]),
           coalesce(c13, p_mat_same[13])::double precision, coalesce(c14, p_mat_same[14])::double precision,
           coalesce(c15, p_mat_same[15])::double precision, coalesce(c16, p_mat_same[16])::double precision,
           coalesce(c17, p_mat_same[17])::double precision, coalesce(c18, p_mat_same[18])::int,
           coalesce(c19, p_mat_same[19])::boolean
      from (select t.*, coalesce(c1, p_mat_same[1])::uuid as event_id, coalesce(c2, p_mat_same[2])::uuid as user_id,
                   coalesce(c3, p_mat_same[3]) as event_type,
                   to_timestamp(coalesce(c4, p_mat_same[4])::double precision / 1000000.0) as effective_at,
                   coalesce(c5, p_mat_same[5])::smallint as utc_offset_minutes,
                   date '2000-01-01' + coalesce(c6, p_mat_same[6])::int as local_date,
                   coalesce(c7, p_mat_same[7])::uuid as session_id
              from unnest(string_to_array(p_mat_cols[1], E'\n', ''), string_to_array(p_mat_cols[2], E'\n', ''),
                          string_to_array(p_mat_cols[3], E'\n', ''), string_to_array(p_mat_cols[4], E'\n', ''),
                          string_to_array(p_mat_cols[5], E'\n', ''), string_to_array(p_mat_cols[6], E'\n', ''),
                          string_to_array(p_mat_cols[7], E'\n', ''), string_to_array(p_mat_cols[8], E'\n', ''),
                          string_to_array(p_mat_cols[9], E'\n', ''), string_to_array(p_mat_cols[10], E'\n', ''),
                          string_to_array(p_mat_cols[11], E'\n', ''), string_to_array(p_mat_cols[12], E'\n', ''),
                          string_to_array(p_mat_cols[13], E'\n', ''), string_to_array(p_mat_cols[14], E'\n', ''),
                          string_to_array(p_mat_cols[15], E'\n', ''), string_to_array(p_mat_cols[16], E'\n', ''),
                          string_to_array(p_mat_cols[17], E'\n', ''), string_to_array(p_mat_cols[18], E'\n', ''),
                          string_to_array(p_mat_cols[19], E'\n', ''))
                   as t(c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19)) m
     where v_new = p_n or (m.user_id, m.event_id) in (select * from unnest(new_users, new_ids));
  end if;

  if v_new = p_n then  -- counted from RETURNING, never from a row count: a resend must not look new
    new_users := null;
    new_ids := null;
    state := 'all_new';
  end if;
end $$
