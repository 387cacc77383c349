-- What operators ask. Views over the catalogs, and functions where the tables are asked: those are no members of the
-- extension and may not be there yet. All of it answers with the rights of whoever asks; SQL and PL/pgSQL only.

CREATE VIEW raceway.active_connections AS
SELECT a.pid, a.usename AS role, a.application_name, a.client_addr, a.state, a.wait_event_type, a.wait_event,
       pg_catalog.now() OPERATOR(pg_catalog.-) a.xact_start AS transaction_age,
       pg_catalog.now() OPERATOR(pg_catalog.-) a.state_change AS state_age,
       pg_catalog.pg_blocking_pids(a.pid) AS blocked_by,
       pg_catalog.left(a.query, 200) AS query
FROM pg_catalog.pg_stat_activity a
WHERE a.datname OPERATOR(pg_catalog.=) pg_catalog.current_database() AND coalesce(a.backend_type, 'client backend') OPERATOR(pg_catalog.=) 'client backend';  -- hidden where it is another role's

COMMENT ON VIEW raceway.active_connections IS
    'The sessions in this database: what each does, for how long, and whom it waits for. What other roles'' sessions do is '
    'shown to members of pg_read_all_stats.';

CREATE VIEW raceway.table_sizes AS
SELECT c.relname AS table_name, coalesce(p.relname, c.relname) AS part_of,
       pg_catalog.pg_table_size(c.oid) AS table_bytes, pg_catalog.pg_indexes_size(c.oid) AS index_bytes,
       pg_catalog.pg_total_relation_size(c.oid) AS total_bytes,
       s.n_live_tup AS live_rows, s.n_dead_tup AS dead_rows,
       s.n_tup_ins AS rows_inserted, s.n_tup_upd AS rows_updated, s.n_tup_del AS rows_deleted,
       greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum, greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace AND n.nspname OPERATOR(pg_catalog.=) 'raceway'
LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid OPERATOR(pg_catalog.=) c.oid
LEFT JOIN pg_catalog.pg_class p ON p.oid OPERATOR(pg_catalog.=) i.inhparent
LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid OPERATOR(pg_catalog.=) c.oid
WHERE c.relkind OPERATOR(pg_catalog.=) 'r';

COMMENT ON VIEW raceway.table_sizes IS
    'Each table, and each partition of events: bytes with and without indexes, and what the statistics say of its rows, counted since they were reset.';

CREATE VIEW raceway.index_use AS
SELECT t.relname AS table_name, x.relname AS index_name, pg_catalog.pg_relation_size(x.oid) AS bytes,
       s.idx_scan AS scans, s.idx_tup_read AS entries_read, s.idx_tup_fetch AS rows_fetched,
       pg_catalog.round(100.0 OPERATOR(pg_catalog.*) io.idx_blks_hit
           OPERATOR(pg_catalog./) nullif(io.idx_blks_hit OPERATOR(pg_catalog.+) io.idx_blks_read, 0), 1) AS cached_percent,
       i.indisunique AS is_unique, i.indisvalid AS is_valid,
       s.idx_scan OPERATOR(pg_catalog.=) 0 AND NOT i.indisunique AS is_unused
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid OPERATOR(pg_catalog.=) i.indexrelid AND x.relkind OPERATOR(pg_catalog.=) 'i'
JOIN pg_catalog.pg_class t ON t.oid OPERATOR(pg_catalog.=) i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) t.relnamespace AND n.nspname OPERATOR(pg_catalog.=) 'raceway'
LEFT JOIN pg_catalog.pg_stat_user_indexes s ON s.indexrelid OPERATOR(pg_catalog.=) x.oid
LEFT JOIN pg_catalog.pg_statio_user_indexes io ON io.indexrelid OPERATOR(pg_catalog.=) x.oid;

COMMENT ON VIEW raceway.index_use IS
    'Each index: its bytes, and how much it was used and found in the cache since the statistics were reset. is_unused: no query used it, and it keeps nothing unique.';

CREATE VIEW raceway.replication_lag AS
SELECT 'standby'::text AS kind, r.application_name AS name, r.state, r.sync_state,
       pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn()
                                       ELSE pg_catalog.pg_current_wal_lsn() END, r.replay_lsn)::bigint AS lag_bytes,
       r.write_lag, r.flush_lag, r.replay_lag
FROM pg_catalog.pg_stat_replication r
UNION ALL
SELECT 'slot', s.slot_name::text, CASE WHEN s.active THEN 'active' ELSE 'inactive' END, NULL,
       pg_catalog.pg_wal_lsn_diff(CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_receive_lsn()
                                       ELSE pg_catalog.pg_current_wal_lsn() END, s.restart_lsn)::bigint, NULL, NULL, NULL
FROM pg_catalog.pg_replication_slots s
UNION ALL
SELECT 'this server', NULL, 'recovery', NULL,
       pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_last_wal_receive_lsn(), pg_catalog.pg_last_wal_replay_lsn())::bigint, NULL, NULL,
       CASE WHEN pg_catalog.pg_last_wal_receive_lsn() OPERATOR(pg_catalog.=) pg_catalog.pg_last_wal_replay_lsn() THEN interval '0'
            ELSE pg_catalog.now() OPERATOR(pg_catalog.-) pg_catalog.pg_last_xact_replay_timestamp() END
WHERE pg_catalog.pg_is_in_recovery();

COMMENT ON VIEW raceway.replication_lag IS
    'How far each standby is behind, how much of the log each slot holds back, and, on a standby, how far it is behind itself. '
    'Details are shown to members of pg_read_all_stats.';

CREATE FUNCTION raceway.slow_statements(how_many integer DEFAULT 20)
RETURNS TABLE (calls bigint, total_ms double precision, mean_ms double precision, max_ms double precision, rows bigint, query text)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $slow$
DECLARE
    hint constant text := 'In postgresql.conf: shared_preload_libraries = ''pg_stat_statements''; restart; CREATE EXTENSION pg_stat_statements;';
    home name;
BEGIN
    SELECT n.nspname INTO home FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_stat_statements';
    IF home IS NULL THEN
        RAISE NOTICE 'pg_stat_statements is not in this database' USING HINT = hint;
        RETURN;
    END IF;
    RETURN QUERY EXECUTE format(
        'SELECT s.calls, s.total_exec_time, s.mean_exec_time, s.max_exec_time, s.rows, left(s.query, 500) '
        'FROM %I.pg_stat_statements s WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) '
        'ORDER BY s.total_exec_time DESC LIMIT $1', home) USING how_many;
EXCEPTION WHEN object_not_in_prerequisite_state OR insufficient_privilege OR undefined_table OR undefined_column THEN
    RAISE NOTICE 'pg_stat_statements cannot be asked: %', SQLERRM USING HINT = hint;
END
$slow$;

COMMENT ON FUNCTION raceway.slow_statements(integer) IS
    'The statements of this database that took most time in all, from pg_stat_statements (1.8 or later); no row, and a hint, where that is not to be had.';

CREATE FUNCTION raceway.ingest_rate(since interval DEFAULT '1 hour', step text DEFAULT 'minute', by text DEFAULT 'timestamp')
RETURNS TABLE (at timestamp, events bigint, traces bigint, events_per_second numeric)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $rate$
DECLARE
    first constant timestamp := (now() AT TIME ZONE 'UTC') - since;
BEGIN
    IF step IS NULL OR step NOT IN ('second', 'minute', 'hour', 'day') THEN
        RAISE EXCEPTION 'step is %, not second, minute, hour or day', coalesce('"' || step || '"', 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF by IS NULL OR by NOT IN ('timestamp', 'created_at') THEN
        RAISE EXCEPTION 'by is %, not timestamp or created_at', coalesce('"' || by || '"', 'NULL')
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN QUERY
        SELECT date_trunc(step, CASE by WHEN 'timestamp' THEN e."timestamp" ELSE e.created_at END),
               count(*), count(DISTINCT e.trace_id), round(count(*) / extract(epoch FROM ('1 ' || step)::interval), 2)
        FROM raceway.events e
        WHERE (by = 'timestamp' AND e."timestamp" >= first) OR (by = 'created_at' AND e.created_at >= first)
        GROUP BY 1 ORDER BY 1;
END
$rate$;

COMMENT ON FUNCTION raceway.ingest_rate(interval, text, text) IS
    'Events and their traces a step (second, minute, hour, day), UTC. By default by the events'' own times, for which there is an index; '
    'by => ''created_at'': by when they were stored, which reads the whole table. A step without events has no row.';

CREATE FUNCTION raceway.cleanup_rate(since interval DEFAULT '30 days')
RETURNS TABLE (day date, runs bigint, not_done bigint, traces numeric, events numeric, bytes numeric, took interval, events_per_second numeric)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $rate$
BEGIN
    RETURN QUERY
        SELECT r.started_at::date, count(*), count(*) FILTER (WHERE r.outcome <> 'done'), sum(r.traces), sum(r.events), sum(r.bytes),
               sum(r.duration), round(sum(r.events) / nullif(extract(epoch FROM sum(r.duration)), 0), 2)
        FROM raceway.cleanup_runs r
        WHERE r.started_at >= (now() AT TIME ZONE 'UTC') - since AND r.outcome <> 'dry run'
        GROUP BY 1 ORDER BY 1;
END
$rate$;

COMMENT ON FUNCTION raceway.cleanup_rate(interval) IS
    'What cleanup() removed each day, from the runs that cleanup_runs still holds; not_done counts those that were interrupted or still run. UTC.';

CREATE FUNCTION raceway.service_volume(since interval DEFAULT '1 day')
RETURNS TABLE (service text, traces bigint, events bigint, bytes numeric, first_event timestamp, last_event timestamp)
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $volume$
BEGIN
    RETURN QUERY
        SELECT raceway.service_of(e.metadata::jsonb), count(DISTINCT e.trace_id), count(*), sum(pg_column_size(e.*))::numeric,
               min(e."timestamp"), max(e."timestamp")
        FROM raceway.events e
        WHERE since IS NULL OR e."timestamp" >= (now() AT TIME ZONE 'UTC') - since
        GROUP BY 1 ORDER BY 3 DESC, 1;
END
$volume$;

COMMENT ON FUNCTION raceway.service_volume(interval) IS
    'Traces, events and bytes (without indexes) of each service since then, by the events'' own times; NULL: of all times. A NULL service is of events that name none.';

-- The schema is the gate: whoever may use it sees of these what the catalogs show to everyone.
GRANT SELECT ON raceway.active_connections, raceway.table_sizes, raceway.index_use, raceway.replication_lag TO PUBLIC;
