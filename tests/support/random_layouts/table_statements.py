"""What an administrator may do to the tables themselves: indexes, keys, partitions, storage, copies, privileges."""

from support.indexes import INDEXES
from support.random_layouts import row_statements as rows
from support.random_layouts.known import KEEPER, STRANGER, WRITER
from support.random_layouts.row_statements import IN_UTC
from support.random_layouts.statements import EVENTS, PARTITION, PARTITIONED, PLAIN, ROWS, TRACES, Kind, keeps

FK = "events_trace_id_fkey"


def index(definition, how="", options="", **more):
    return Kind(f"CREATE {how} INDEX {{n}} ON {{t}} {definition} {options}", "DROP INDEX {n}", **more)


PLAIN_INDEXES = [
    *(keeps(f"CREATE INDEX my_{name} ON {{t}} {definition}", f"DROP INDEX my_{name}", on=(table,))
      for name, (table, definition, _) in INDEXES.items()),
    *(keeps(f"CREATE INDEX {{n}} ON {{t}} {definition}", "DROP INDEX {n}", on=(PARTITION,))
      for table, definition, _ in INDEXES.values() if table == "events"),
]

INDEXES_KEPT = [
    keeps("CREATE INDEX {n} ON {t} [[(metadata)|(kind) INCLUDE (metadata)|(trace_id, event_id) INCLUDE (metadata)"
          "|(trace_id, location, kind, event_id)]]", "DROP INDEX {n}", on=ROWS),
    keeps("DROP INDEX [[idx_events_trace_id|idx_events_timestamp|idx_traces_service|idx_traces_end_time]]"),
    keeps("ALTER INDEX [[events_pkey|traces_pkey|idx_events_trace_id|idx_traces_service]]"
          " SET ([[fillfactor = 30|deduplicate_items = off|deduplicate_items = on]])"),
    keeps("CREATE INDEX {n} ON ONLY {t} ([[kind|location, kind]])", "DROP INDEX {n}", on=ROWS),
    keeps("ALTER TABLE {t} DROP CONSTRAINT {t}_pkey, ADD CONSTRAINT {t}_pkey PRIMARY KEY ({key}) [[|WITH (fillfactor = 30)]]",
          on=(EVENTS,), moves=True),
    keeps("CREATE UNIQUE INDEX {n} ON {t} ({key}); ALTER TABLE {t} DROP CONSTRAINT {t}_pkey,"
          " ADD CONSTRAINT {t}_pkey PRIMARY KEY USING INDEX {n}", on=(EVENTS,), layouts=PLAIN, moves=True),
    keeps("ALTER TABLE {t} CLUSTER ON {t}_pkey"), keeps("CLUSTER {t} USING {t}_pkey"), keeps("REINDEX TABLE {t}"),
]

OTHER_INDEXES = [
    index("(event_id, [[kind|location]], \"timestamp\")", "UNIQUE", on=ROWS),
    index("([[location|kind, duration_ms, location]], \"timestamp\")", "UNIQUE", on=ROWS),
    index("([[location|trace_id, kind, duration_ms]])", "UNIQUE", "[[|NULLS NOT DISTINCT]]", on=ROWS),
    index("(location)", "UNIQUE", "WHERE kind <> 'Seed'", on=ROWS),
    index("([[kind|trace_id, event_id]])", "", "WHERE [[location IS NOT NULL|kind = 'Log'|true]]", on=ROWS),
    index("USING [[gin (metadata) WHERE kind = 'Log'|hash (kind) WHERE duration_ms > 0|brin (timestamp) WHERE kind = 'Log']]", on=ROWS),
    index("([[lower(kind)|(metadata ->> 'service_name')|upper(location), kind|(1 / (length(kind) - 3))]])", on=ROWS),
    index("([[event_count|service_name, event_count|end_time]])", "UNIQUE", on=(TRACES,), compared=False),
    index("(trace_id, [[event_count|service_name]])", "UNIQUE", on=(TRACES,)),
    index("([[event_count) WHERE event_count > 3|end_time) WHERE trace_id > 'e-t-3'|lower(service_name))]]", on=(TRACES,)),
    Kind("ALTER TABLE {t} ADD CONSTRAINT {n} EXCLUDE USING [[hash|gist|btree]] (location WITH =) [[|DEFERRABLE]]",
         "ALTER TABLE {t} DROP CONSTRAINT {n}", on=ROWS),
    Kind("ALTER TABLE {t} ADD CONSTRAINT {n} EXCLUDE USING gist (trace_id WITH =)", "ALTER TABLE {t} DROP CONSTRAINT {n}",
         on=(TRACES,)),
    Kind("ALTER TABLE {t} ADD CONSTRAINT {n} UNIQUE ([[{key}, location|location]]) DEFERRABLE [[|INITIALLY DEFERRED]]",
         "ALTER TABLE {t} DROP CONSTRAINT {n}", on=ROWS),
    Kind("CREATE INDEX {n} ON {t} (trace_id); UPDATE pg_index SET indisvalid = false [[|, indisready = false]]"
         " WHERE indexrelid = '{n}'::regclass", "DROP INDEX {n}", on=(PARTITION, TRACES)),
    Kind("CREATE INDEX {n} ON {t} (kind); UPDATE pg_index SET indisvalid = false [[|, indisready = false]]"
         " WHERE indexrelid = '{n}'::regclass", "DROP INDEX {n}", on=(EVENTS,), layouts=PLAIN),
]

KEY_AGAIN = "ALTER TABLE {t} DROP CONSTRAINT IF EXISTS {t}_pkey CASCADE, ADD CONSTRAINT {t}_pkey PRIMARY KEY ({key})"


def other_key(sql, undo=KEY_AGAIN, on=(EVENTS,), **options):
    return Kind(f"ALTER TABLE {{t}} DROP CONSTRAINT {{t}}_pkey {sql}", undo, on=on, what="key", moves=True, **options)


def of_key(columns):
    return f", ADD CONSTRAINT {{t}}_pkey PRIMARY KEY {columns}"


KEYS = [
    # Without a key, or with more columns in it, an id may stand twice; which of them is found then is nobody's promise.
    other_key("[[|; CREATE UNIQUE INDEX {n} ON {t} ({key})]]", exact=False, compared=False),
    other_key(of_key("([[{key}, kind|kind, {key}]])"), KEY_AGAIN + "; ALTER TABLE {t} ALTER kind DROP NOT NULL", compared=False),
    other_key(of_key("(event_id, \"timestamp\")"), KEY_AGAIN + "; ALTER TABLE {t} ALTER \"timestamp\" DROP NOT NULL",
              layouts=PLAIN, compared=False),
    other_key(of_key("(\"timestamp\", event_id)"), layouts=PARTITIONED),
    other_key(of_key("({key}) [[INCLUDE (trace_id)|DEFERRABLE]]")),
    *(other_key(f"CASCADE {key}", KEY_AGAIN.replace("{key}", "trace_id"), (TRACES,), exact=False)
      for key in ("", of_key("(trace_id) INCLUDE (end_time)"), of_key("(trace_id) DEFERRABLE"))),
    keeps("ALTER TABLE {t} DROP CONSTRAINT {t}_pkey CASCADE, ADD CONSTRAINT {t}_pkey PRIMARY KEY (trace_id)", on=(TRACES,),
          exact=False, moves=True),
]

WITHOUT_FOREIGN_KEY = keeps(f"ALTER TABLE events DROP CONSTRAINT {FK}", exact=False, moves=True)
FK_OF_TRACES = f"ADD CONSTRAINT {FK} FOREIGN KEY (trace_id) REFERENCES traces"

FOREIGN_KEYS = [
    keeps(f"ALTER TABLE events DROP CONSTRAINT {FK}", f"ALTER TABLE events {FK_OF_TRACES} ON DELETE CASCADE", exact=False, moves=True),
    keeps(f"ALTER TABLE events DROP CONSTRAINT {FK}, {FK_OF_TRACES} [[ON UPDATE CASCADE ON DELETE SET NULL|NOT VALID|MATCH FULL"
          "|DEFERRABLE INITIALLY DEFERRED|ON DELETE SET DEFAULT DEFERRABLE]]", exact=False, moves=True),
    keeps(f"ALTER TABLE events ALTER CONSTRAINT {FK} [[DEFERRABLE INITIALLY DEFERRED|NOT DEFERRABLE]]"),
    keeps("ALTER TABLE {t} ADD CONSTRAINT {n} FOREIGN KEY (trace_id) REFERENCES traces [[|ON DELETE CASCADE|DEFERRABLE]]",
          "ALTER TABLE {t} DROP CONSTRAINT {n}", on=ROWS),
    keeps("CREATE TABLE public.{n} (trace_id varchar REFERENCES traces [[ON DELETE CASCADE|ON UPDATE SET NULL]])", "DROP TABLE public.{n}"),
    keeps("CREATE TABLE public.{n} (event_id varchar, \"timestamp\" timestamp, FOREIGN KEY ({key}) REFERENCES events ON DELETE CASCADE)",
          "DROP TABLE public.{n}"),
    Kind("ALTER TABLE {t} ADD CONSTRAINT {n} FOREIGN KEY (kind) REFERENCES public.kinds [[|NOT VALID|DEFERRABLE INITIALLY DEFERRED]]",
         "ALTER TABLE {t} DROP CONSTRAINT {n}", on=ROWS),
    Kind("ALTER TABLE {t} ADD CONSTRAINT {n} FOREIGN KEY (event_id) REFERENCES [[traces|events]] NOT VALID",
         "ALTER TABLE {t} DROP CONSTRAINT {n}", on=ROWS),
    Kind("ALTER TABLE traces ADD CONSTRAINT {n} FOREIGN KEY (trace_id) REFERENCES [[public.known NOT VALID|traces]]",
         "ALTER TABLE traces DROP CONSTRAINT {n}", on=(TRACES,)),
    Kind(f"ALTER TABLE events DROP CONSTRAINT IF EXISTS {FK}, ADD CONSTRAINT {FK} FOREIGN KEY (trace_id) REFERENCES public.known NOT VALID",
         f"ALTER TABLE events DROP CONSTRAINT {FK}, {FK_OF_TRACES} ON DELETE CASCADE", on=(EVENTS,), layouts=PLAIN, what="foreign key"),
]

INHERITANCE = [
    Kind("CREATE TABLE public.{n} () INHERITS ({t})", "DROP TABLE public.{n}; ANALYZE {t}"),
    Kind("ALTER TABLE {t} INHERIT public.parent_of_{t}", "ALTER TABLE {t} NO INHERIT public.parent_of_{t}", what="parent"),
    Kind("CREATE TABLE public.{n} (LIKE {t} INCLUDING DEFAULTS) PARTITION BY LIST (kind);"
         "ALTER TABLE public.{n} ATTACH PARTITION {t} FOR VALUES IN ('Seed', 'Log', 'StateChange', 'LockAcquire')",
         "ALTER TABLE public.{n} DETACH PARTITION {t}", on=(EVENTS,), what="whole"),
    Kind("CREATE TABLE public.{n} (LIKE {t} INCLUDING DEFAULTS) PARTITION BY RANGE (trace_id);"
         "ALTER TABLE public.{n} ATTACH PARTITION {t} [[DEFAULT|FOR VALUES FROM ('e') TO ('e-t-3~')]]",
         "ALTER TABLE public.{n} DETACH PARTITION {t}", on=(TRACES,), what="whole"),
]

ATTACH = "ALTER TABLE events ATTACH PARTITION {n} {free}"


def attached(create, between="", **options):
    return Kind(f"{create}; {between} {ATTACH}", on=(EVENTS,), layouts=PARTITIONED, hinders="{n}", **options)


def kept_attached(create, between="", **options):
    return keeps(f"{create}; {between} {ATTACH}", on=(EVENTS,), layouts=PARTITIONED, **options)


LIKE_EVENTS = "TABLE {n} (LIKE events INCLUDING ALL)"

NEW_PARTITION = kept_attached(f"CREATE {LIKE_EVENTS}")

PARTITIONS = [
    NEW_PARTITION, keeps("CREATE TABLE {n} PARTITION OF events {free}", on=(EVENTS,), layouts=PARTITIONED),
    kept_attached("CREATE [[|UNLOGGED]] " + LIKE_EVENTS), kept_attached(f"CREATE {LIKE_EVENTS}", "ALTER TABLE {n} SET (fillfactor = 20);"),
    kept_attached("CREATE TABLE {n} (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"),
    keeps("SELECT raceway.make_partitions([['2024-04-01', '2024-04-01'|'2024-02-28', '2024-02-28'|'2024-04-02', '2024-04-02']])",
          layouts=PARTITIONED),
    attached(f"CREATE {LIKE_EVENTS}", "ALTER TABLE {n} ADD CHECK (kind <> 'Error');"),
    attached(f"CREATE {LIKE_EVENTS}", "ALTER TABLE {n} ALTER created_at [[DROP DEFAULT|SET DEFAULT '2000-01-01']];"),
    attached(f"CREATE {LIKE_EVENTS}", "CREATE INDEX ON {n} (lower(kind));"),
    attached(f"CREATE {LIKE_EVENTS}", "CREATE UNIQUE INDEX ON {n} (location);"),
    attached(f"CREATE {LIKE_EVENTS}", "CREATE TRIGGER mine BEFORE INSERT ON {n} FOR EACH ROW EXECUTE FUNCTION public.[[loud|note|skip]]();"),
    attached(f"CREATE {LIKE_EVENTS} USING heap_too"),
    attached("CREATE TABLE {n} (gone integer, LIKE events INCLUDING ALL)", "ALTER TABLE {n} DROP COLUMN gone;"),
    attached(f"CREATE TABLE {{n}} (created_at timestamp DEFAULT {IN_UTC}, metadata jsonb, vector_clock jsonb, location varchar(500),"
             ' duration_ms real, "timestamp" timestamp NOT NULL, kind varchar(50), trace_id varchar(255) COLLATE "C",'
             ' event_id varchar(255) COLLATE "C" NOT NULL)'),
    attached("CREATE TABLE {n} (LIKE events INCLUDING ALL) PARTITION BY HASH (event_id)",
             "CREATE TABLE {n}_0 PARTITION OF {n} FOR VALUES WITH (MODULUS [[1|2]], REMAINDER 0);"),
    attached("CREATE FOREIGN TABLE {n} (LIKE events) SERVER files OPTIONS (filename '/dev/null')"),
    Kind("CREATE TABLE {n} PARTITION OF events ([[created_at DEFAULT '2000-01-01'|CHECK (kind <> 'Error')|location NOT NULL]]) {free}",
         on=(EVENTS,), layouts=PARTITIONED, hinders="{n}"),
    keeps("ALTER TABLE events DETACH PARTITION {p}", "ALTER TABLE events ATTACH PARTITION {p} {bounds of p}", layouts=PARTITIONED,
          exact=False, moves=True),
    keeps("DROP TABLE {p}", layouts=PARTITIONED, exact=False, moves=True),
    keeps("ALTER TABLE {p} RENAME TO {n}", layouts=PARTITIONED, moves=True),
    keeps("ALTER TABLE {p} SET SCHEMA public", "ALTER TABLE {p} SET SCHEMA raceway", layouts=PARTITIONED),
    keeps("ALTER TABLE events DETACH PARTITION {p}; ALTER TABLE {p} RENAME TO {n}_old; CREATE TABLE {n} PARTITION OF events {bounds of p};"
          "ALTER TABLE {n} RENAME TO {p}", layouts=PARTITIONED, exact=False, moves=True),
]

GRANT_AGAIN = f"GRANT ALL ON {{t}} TO raceway, {WRITER}"

PARTITIONED_OTHERWISE = [
    Kind("ALTER TABLE events RENAME TO {n}_old; CREATE TABLE events (LIKE {n}_old INCLUDING DEFAULTS,"
         " PRIMARY KEY (event_id, \"timestamp\")) PARTITION BY [[HASH (event_id)|LIST (event_id)|RANGE (event_id)|HASH (\"timestamp\")"
         "|LIST (\"timestamp\")|RANGE (\"timestamp\", event_id)|RANGE (event_id, \"timestamp\")]];"
         "CREATE TABLE {n} PARTITION OF events [[DEFAULT|FOR VALUES WITH (MODULUS 1, REMAINDER 0)]];" + GRANT_AGAIN,
         on=(EVENTS,), what="partitioned", exact=False, moves=True),
]

LIKE_IT = "ALTER TABLE {t} RENAME TO {n}; CREATE TABLE {t} (LIKE {n} INCLUDING ALL); " + GRANT_AGAIN

ANOTHER_METHOD = ("ALTER TABLE {t} SET ACCESS METHOD heap_too", "ALTER TABLE {t} SET ACCESS METHOD heap")

REPLACED = [
    keeps(LIKE_IT, on=(EVENTS,), layouts=PLAIN, exact=False, moves=True),
    keeps(f"{LIKE_IT}; ALTER TABLE {{n}} DROP CONSTRAINT traces_pkey CASCADE", on=(TRACES,), exact=False, moves=True),
    Kind("ALTER TABLE events ADD CONSTRAINT {n}_old FOREIGN KEY (trace_id) REFERENCES traces;" + LIKE_IT,
         "ALTER TABLE {n} DROP CONSTRAINT traces_pkey CASCADE", on=(TRACES,), hinders="events", exact=False, moves=True),
    Kind("ALTER TABLE {t} RENAME TO {n}", "ALTER TABLE {n} RENAME TO {t}", on=(EVENTS, TRACES), what="another name"),
    Kind("ALTER TABLE {t} SET SCHEMA public", "ALTER TABLE public.{t} SET SCHEMA raceway", on=(EVENTS, TRACES), what="another name"),
    Kind("ALTER TABLE {t} RENAME TO {n}; CREATE VIEW {t} AS SELECT * FROM {n};" + GRANT_AGAIN, on=(EVENTS,), exact=False),
    Kind(*ANOTHER_METHOD, on=(TRACES, PARTITION), what="access method"),
    Kind(*ANOTHER_METHOD, on=(EVENTS,), layouts=PLAIN, what="access method"),
    # That of partitions to come, from 17 on.
    keeps(*ANOTHER_METHOD, on=(EVENTS,), layouts=PARTITIONED),
]

STORAGE = [
    keeps("ALTER TABLE {t} SET ([[fillfactor = 20|fillfactor = 100|autovacuum_enabled = off|parallel_workers = 0]])"),
    keeps("ALTER TABLE {t} SET (toast_tuple_target = [[128|4096]])", on=ROWS),
    keeps("ALTER TABLE {t} ALTER [[metadata|vector_clock|location]] SET STORAGE [[PLAIN|EXTERNAL|MAIN|EXTENDED]]", on=ROWS),
    keeps("ALTER TABLE {t} ALTER [[metadata|location]] SET COMPRESSION [[lz4|pglz]]", on=ROWS),
    keeps("ALTER TABLE {t} ALTER created_at SET STATISTICS [[0|10]]"), keeps("ALTER TABLE {t} ALTER created_at SET (n_distinct = 5)"),
    keeps("ALTER TABLE {t} SET [[UNLOGGED|LOGGED]]"), keeps("ALTER TABLE {t} SET TABLESPACE pg_default"),
    keeps("ALTER TABLE events SET UNLOGGED; ALTER TABLE traces SET UNLOGGED"),
    keeps("CREATE STATISTICS {n} ON kind, location FROM {t}", "DROP STATISTICS {n}", on=ROWS), keeps("ANALYZE {t}"),
    keeps("CREATE STATISTICS {n} ON (event_count + 1) FROM {t}", on=(TRACES,)), keeps("COMMENT ON TABLE {t} IS 'ours'"),
]

COPIES = [
    Kind("ALTER TABLE {t} REPLICA IDENTITY [[FULL|NOTHING]]", "ALTER TABLE {t} REPLICA IDENTITY DEFAULT", on=ROWS, what="identity"),
    Kind("ALTER TABLE {t} REPLICA IDENTITY [[FULL|NOTHING|USING INDEX traces_pkey]]", "ALTER TABLE {t} REPLICA IDENTITY DEFAULT",
         on=(TRACES,), what="identity", compared=False),
    keeps("CREATE PUBLICATION {n} FOR [[ALL TABLES|TABLES IN SCHEMA raceway|TABLE events, traces]] [[|WITH (publish = 'insert')]]",
          "DROP PUBLICATION {n}"),
    keeps("CREATE PUBLICATION {n} FOR TABLE {t} WHERE (event_id [[<> 'x') |> 'e')]] [[|WITH (publish_via_partition_root)]]",
          "DROP PUBLICATION {n}", on=ROWS),
    keeps("CREATE PUBLICATION {n} FOR TABLE {t} [[(event_id, \"timestamp\", kind)|WHERE (kind = 'Log') WITH (publish = 'insert')]]",
          "DROP PUBLICATION {n}", on=ROWS),
    keeps("CREATE PUBLICATION {n} FOR TABLE traces [[(trace_id, end_time)|WHERE (trace_id > 'e')"
          "|WHERE (event_count > 1) WITH (publish = 'insert, truncate')]]", "DROP PUBLICATION {n}", on=(TRACES,)),
    Kind("CREATE PUBLICATION {n} FOR TABLE {t} WHERE (kind = 'Log') [[|WITH (publish = 'update')|WITH (publish = 'delete')"
         "|WITH (publish_via_partition_root)]]", "DROP PUBLICATION {n}", on=ROWS),
    Kind("CREATE PUBLICATION {n} FOR TABLE {t} (kind, location) [[|WITH (publish_via_partition_root)]]", "DROP PUBLICATION {n}", on=ROWS),
    Kind("CREATE PUBLICATION {n} FOR TABLE traces [[(service_name)|WHERE (event_count > 1)]] [[|WITH (publish = 'update')"
         "|WITH (publish = 'delete')]]", "DROP PUBLICATION {n}", on=(TRACES,), compared=False),
]

COLUMN_PRIVILEGES = {"events": 'event_id, trace_id, kind, "timestamp", duration_ms, location, vector_clock, metadata',
                     "traces": "trace_id, service_name, start_time, end_time, event_count"}


def privileges_of(user):
    """What he may be denied; and what he does not need."""
    needed = "INSERT ON events|SELECT ON events|INSERT ON traces|SELECT ON traces|UPDATE ON traces"
    return [
        Kind(f"REVOKE {{c}} FROM {user}", f"GRANT {{c}} TO {user}", columns=needed, hinders=f"user {user}", what="{c}"),
        *(Kind(f"REVOKE INSERT ON {table} FROM {user}; GRANT INSERT ({columns}) ON {table} TO {user}",
               f"GRANT INSERT ON {table} TO {user}", hinders=f"user {user}", what=f"INSERT ON {table}")
          for table, columns in COLUMN_PRIVILEGES.items()),
        Kind(f"REVOKE USAGE ON SCHEMA raceway FROM {user}, PUBLIC", f"GRANT USAGE ON SCHEMA raceway TO {user}", hinders=f"user {user}",
             what="USAGE of the schema", compared=False),
        keeps(f"REVOKE [[DELETE ON events|UPDATE ON events|TRUNCATE ON traces|ALL ON {{p}}]] FROM {user}"),
    ]


def owned_by(owner, *tables):   # beside partitions: what is done by way of events asks nothing of them
    """Who owned a table before may do nothing any more, unless it is granted."""
    back = "ALTER TABLE {t} OWNER TO raceway; GRANT ALL ON {t} TO raceway"
    return [
        keeps(f"ALTER TABLE {{t}} OWNER TO {owner}; GRANT ALL ON {{t}} TO raceway", back, on=(*tables, PARTITION), moves=True),
        Kind(f"ALTER TABLE {{t}} OWNER TO {owner}", back, on=tables, hinders="user raceway", what="all of {t}", moves=True),
    ]


PRIVILEGES = [
    *privileges_of("raceway"), *privileges_of(WRITER),
    *owned_by("postgres", EVENTS, TRACES), *owned_by(KEEPER, EVENTS, TRACES), *owned_by(STRANGER, EVENTS),
    # In whose name the foreign key is checked.
    Kind(f"ALTER TABLE {{t}} OWNER TO {STRANGER}; GRANT ALL ON {{t}} TO raceway",
         "ALTER TABLE {t} OWNER TO raceway; GRANT ALL ON {t} TO raceway", on=(TRACES,), what="owner", moves=True),
]

DATA = [
    keeps("DELETE FROM traces WHERE trace_id LIKE '%[[1|2|4]]'", exact=False), keeps("TRUNCATE events, traces CASCADE"),
    keeps("INSERT INTO traces (trace_id) VALUES ('e-t-6'), ('e-other-1') ON CONFLICT DO NOTHING", exact=False),
    keeps("UPDATE events SET kind = 'Log', location = NULL WHERE trace_id = 'e-t-2'"),
    keeps("UPDATE traces SET created_at = created_at"), keeps("DELETE FROM events", exact=False),
    keeps("UPDATE traces SET event_count = 2147483640 WHERE trace_id IN ('e-t-3', 'e-t-4')", exact=False),
    keeps("UPDATE events SET metadata = metadata - 'service_name'", exact=False),
]

SESSION = [
    keeps("SET session_replication_role = [[replica|origin]]", exact=False),
    keeps("SET [[TimeZone = 'Pacific/Auckland'|IntervalStyle = iso_8601|default_toast_compression = lz4|enable_indexscan = off"
          "|row_security = off|extra_float_digits = 0|check_function_bodies = off]]"),
    keeps("SET CONSTRAINTS ALL [[DEFERRED|IMMEDIATE]]"),
    Kind("SET raceway.direct_writes = off", "SET raceway.direct_writes = on", hinders="session", what="direct writes"),
]

ALONE = [
    keeps("CREATE INDEX CONCURRENTLY {n} ON {t} ([[kind, location|trace_id]])", "DROP INDEX {n}", on=ROWS),
    keeps("CREATE INDEX CONCURRENTLY {n} ON traces (event_count)", "DROP INDEX {n}", on=(TRACES,)),
    keeps("CREATE INDEX CONCURRENTLY {n} ON {t} (metadata)", "DROP INDEX {n}", on=ROWS),
    Kind("CREATE UNIQUE INDEX CONCURRENTLY {n} ON {t} (trace_id)", "DROP INDEX {n}", on=ROWS),
    keeps("REINDEX [[TABLE CONCURRENTLY {t}|INDEX CONCURRENTLY traces_pkey]]", on=(TRACES,)),
    keeps("REINDEX TABLE CONCURRENTLY {t}", on=ROWS),
    keeps("DROP INDEX CONCURRENTLY idx_traces_service", on=(TRACES,)),
    keeps("DROP INDEX CONCURRENTLY [[idx_events_trace_id|idx_events_timestamp]]", on=(EVENTS,)),
    keeps("VACUUM [[|FULL|FREEZE]] {t}"),
    keeps("ALTER TABLE events DETACH PARTITION {p} CONCURRENTLY", layouts=PARTITIONED, exact=False, moves=True),
    keeps("CALL raceway.repartition('month')", layouts=PLAIN, exact=False, moves=True),
]

FAMILIES = {
    "triggers": rows.TRIGGERS, "triggers again": rows.TRIGGERS, "rules": rows.RULES, "row security": rows.ROW_SECURITY,
    "checks": rows.CHECKS, "not null": rows.NOT_NULL, "types": rows.RETYPED, "columns": rows.COLUMNS, "defaults": rows.DEFAULTS,
    "plain indexes": PLAIN_INDEXES, "indexes kept": INDEXES_KEPT, "other indexes": OTHER_INDEXES, "keys": KEYS,
    "foreign keys": FOREIGN_KEYS, "inheritance": INHERITANCE, "partitions": PARTITIONS, "partitions again": PARTITIONS,
    "partitioned otherwise": PARTITIONED_OTHERWISE, "replaced": REPLACED, "storage": STORAGE, "copies": COPIES,
    "privileges": PRIVILEGES, "data": DATA, "session": SESSION, "alone": ALONE,
}
