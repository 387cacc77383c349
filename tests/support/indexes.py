"""Indexes of a user's own on the tables, of every kind that the fast way of ingest must fill, and questions that each
of them answers."""

# An order of texts that no built-in function knows. In PL/pgSQL, which is not taken apart to be part of a query.
BY_LENGTH = {"shorter": ("<#", "<"), "not_longer": ("<=#", "<="), "same": ("=#", "="), "not_shorter": ("#>=", ">="),
             "longer": ("#>", ">")}

# What must be there first, by a superuser.
PREPARATION = """
    CREATE EXTENSION pg_trgm SCHEMA public;
    CREATE EXTENSION btree_gist SCHEMA public;
    CREATE EXTENSION bloom SCHEMA public;
    CREATE COLLATION public.loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
    CREATE FUNCTION public.shorter_first(varchar, varchar) RETURNS integer LANGUAGE plpgsql IMMUTABLE STRICT AS
        $$BEGIN RETURN coalesce(nullif(length($1) - length($2), 0), bttextcmp($1, $2)); END$$;
""" + "".join(f"""
    CREATE FUNCTION public.{name}(varchar, varchar) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT AS
        $$BEGIN RETURN public.shorter_first($1, $2) {compares} 0; END$$;
    CREATE OPERATOR public.{operator} (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.{name});
""" for name, (operator, compares) in BY_LENGTH.items()) + """
    CREATE OPERATOR CLASS public.by_length FOR TYPE varchar USING btree AS
        OPERATOR 1 public.<#, OPERATOR 2 public.<=#, OPERATOR 3 public.=#, OPERATOR 4 public.#>=, OPERATOR 5 public.#>,
        FUNCTION 1 public.shorter_first(varchar, varchar);
    GRANT CREATE ON SCHEMA public TO raceway;
"""

# name: (table, what stands behind CREATE INDEX .. ON the table, conditions that the index answers)
INDEXES = {
    "kind": ("events", "(kind)", ["kind >= ''", "kind = 'StateChange'", "kind > 'L' ORDER BY kind"]),
    "location": ("events", "(location)", ["location IS NULL", "location >= '' ORDER BY location"]),
    "trace_time": ("events", "(trace_id, timestamp DESC)",
                   ["trace_id > '' ORDER BY trace_id, timestamp DESC",
                    "trace_id = 'e-t-3' AND timestamp > '2000-01-01'"]),
    "time_desc": ("events", "(timestamp DESC NULLS LAST)",
                  ["timestamp > '2000-01-01' ORDER BY timestamp DESC NULLS LAST", "timestamp < '2026-09-21 14:15'"]),
    "nulls_first": ("events", "(location NULLS FIRST, kind DESC)",
                    ["location IS NULL AND kind > 'E'", "location < 'x' ORDER BY location NULLS FIRST, kind DESC"]),
    "including": ("events", "(event_id) INCLUDE (location, duration_ms, created_at)", ["event_id >= ''"]),
    "duration": ("events", "(duration_ms)",
                 ["duration_ms = 0", "duration_ms >= 0 ORDER BY duration_ms", "duration_ms IS NULL"]),
    "clock": ("events", "(vector_clock)", ["vector_clock >= '{}'", "vector_clock = '{}'", "vector_clock IS NULL"]),
    "pattern": ("events", "(kind varchar_pattern_ops)", ["kind LIKE 'State%'", "kind ~>=~ ''"]),
    "loose": ("events", "(kind COLLATE public.loose)", ["kind COLLATE public.loose = 'statechange'"]),
    "by_length": ("events", "(location public.by_length)",
                  ["location OPERATOR(public.#>) 'a'", "location OPERATOR(public.<=#) 'bank.cpp:42'"]),
    "created": ("events", "(created_at)", ["created_at > '2000-01-01'"]),
    "no_repeats": ("events", "(kind, trace_id) WITH (deduplicate_items = off, fillfactor = 40)",
                   ["kind >= '' AND trace_id > 'e'"]),
    "everything": ("events", "(kind, trace_id, timestamp, duration_ms, created_at, event_id DESC)",
                   ["kind >= ''", "kind = 'Log' AND trace_id > 'e'"]),
    "gin_metadata": ("events", "USING gin (metadata)",
                     ["metadata ? 'variable'", "metadata @> '{\"service_name\": \"bank\"}'"]),
    "gin_clock": ("events", "USING gin (vector_clock jsonb_path_ops) WITH (fastupdate = off)",
                  ["vector_clock @> '{\"a0\": 7}'"]),
    "brin_time": ("events", "USING brin (timestamp) WITH (pages_per_range = 1)",
                  ["timestamp > '2026-09-21 14:20'", "timestamp < '2026-09-21 14:15'"]),
    "brin_id": ("events", "USING brin (event_id, trace_id) WITH (pages_per_range = 2, autosummarize = on)",
                ["event_id > 'e-00000100' AND event_id < 'e-t'"]),
    "brin_multi": ("events", "USING brin (duration_ms float4_minmax_multi_ops) WITH (pages_per_range = 1)",
                   ["duration_ms > 2"]),
    "hash_kind": ("events", "USING hash (kind)", ["kind = 'StateChange'", "kind = 'Log'"]),
    "hash_trace": ("events", "USING hash (trace_id)", ["trace_id = 'e-t-3'", "trace_id = 'e-t-5'"]),
    "gist_trigrams": ("events", "USING gist (location gist_trgm_ops)", ["location LIKE '%ank%'"]),
    "gist_time": ("events", "USING gist (timestamp)", ["timestamp > '2000-01-01'"]),
    "spgist_kind": ("events", "USING spgist (kind)", ["kind = 'StateChange'", "kind > 'F'"]),
    "bloom": ("events", "USING bloom (kind, trace_id)", ["kind = 'StateChange' AND trace_id = 'e-t-3'"]),
    "trace_count": ("traces", "(event_count)", ["event_count > 0", "event_count > 3 ORDER BY event_count"]),
    "trace_start": ("traces", "(start_time DESC, service_name)", ["start_time > '2000-01-01'"]),
    "trace_service": ("traces", "(service_name NULLS FIRST) INCLUDE (event_count)", ["service_name = 'bank'"]),
    "trace_end_brin": ("traces", "USING brin (end_time) WITH (pages_per_range = 1)", ["end_time > '2026-09-21 14:20'"]),
    "trace_hash": ("traces", "USING hash (service_name)", ["service_name = 'bank'"]),
}


def create(name, how=""):
    table, definition, _ = INDEXES[name]
    return f"CREATE INDEX {how} my_{name} ON raceway.{table} {definition}"


BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = on; SET LOCAL enable_bitmapscan = on"
BY_ROWS = "SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off"


def assert_answers(session, name):
    """The index answers as reading the whole table does. All others are dropped for that moment."""
    table, _, conditions = INDEXES[name]
    key = "event_id" if table == "events" else "trace_id"
    others = [row[0] for row in session.run(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary"
        " AND indexrelid <> %s::regclass", f"raceway.{table}", f"raceway.my_{name}")]
    with session.transaction("ROLLBACK"):
        session.run(f"ALTER TABLE raceway.{table} DROP CONSTRAINT {table}_pkey CASCADE")
        for other in others:
            session.run(f"DROP INDEX {other}")
        for condition in conditions:
            query = f"SELECT ctid::text, {key} FROM raceway.{table} WHERE {condition}"
            session.run(BY_INDEX)
            plan = "\n".join(row[0] for row in session.run(f"EXPLAIN {query}"))
            assert f"my_{name}" in plan, f"{condition} does not use the index:\n{plan}"
            by_index = session.run(query)
            session.run(BY_ROWS)
            assert sorted(by_index) == sorted(session.run(query)), condition
