// The server's answers, as far as the page reads them.

export interface TraceSummary {
  trace_id: string;
  event_count: number;
  first_timestamp: string;
  last_timestamp: string;
  services: string[];
}

/** As lists have it: with what only its events tell, null where they are too many to be looked at. */
export interface FoundTrace extends TraceSummary {
  name: string | null;
  missing_parent: boolean | null;
  races: number | null;
}

export interface WireEvent {
  id: string;
  trace_id: string;
  parent_id: string | null;
  timestamp: string;
  kind: Record<string, Record<string, unknown>>;
  metadata: Record<string, unknown> & { thread_id: string; process_id: number; service_name: string; duration_ns: number | null; instance_id?: string | null };
  causality_vector: [string, number][];
  lock_set: string[];
}

export interface RaceDetail {
  severity: string;
  variable: string;
  class?: string;
  event1_id: string;
  event2_id: string;
  event1_thread: string;
  event2_thread: string;
  event1_location: string;
  event2_location: string;
  last_common_id?: string | null;
}

export interface PathPiece {
  service: string;
  thread: string;
  span: string | null;
  from: number;
  to: number;
  ms: number;
}

export interface CriticalPath {
  path_events: number;
  total_duration_ms: number;
  trace_total_duration_ms: number;
  percentage_of_total: number;
  path: { id: string; kind: string; location: string; timestamp: string; duration_ms: number }[];
  elapsed?: { elapsed_ms: number; pieces: PathPiece[]; pieces_total: number; by_service: { service: string; ms: number; percent: number }[]; detached: number };
}

export interface Dependencies {
  services: { name: string; event_count: number }[];
  dependencies: { from: string; to: string; call_count: number }[];
}

/** GET /api/traces/:id?limit=1: what is said about the trace, and its earliest event. */
export interface TraceView {
  trace_id: string;
  events: WireEvent[];
  total_events?: number;
  analysis: { potential_races: number; race_details: RaceDetail[]; race_details_total?: number };
  critical_path: CriticalPath | null;
  dependencies: Dependencies | null;
  anomalies: { event_id: string; event_kind: string; severity: string; description: string }[];
}

export interface Access {
  event_id: string;
  timestamp: string;
  thread_id: string;
  service_name: string;
  access_type: string;
  old_value: unknown;
  new_value: unknown;
  location: string;
  has_causal_link_to_previous: boolean;
  is_race: boolean;
}

export interface Step {
  event_id: string;
  reason: string | null;
  kind: string;
  service: string;
  thread: string;
  location: string;
}

export interface Relation {
  a: string;
  b: string;
  relation: "before" | "after" | "equal" | "concurrent" | "unknown";
  chain?: Step[];
  chain_to_a?: Step[];
  chain_to_b?: Step[];
  last_common_id?: string | null;
}

export interface RaceGroup {
  key: string;
  variable: string;
  severity: string;
  site1: string;
  access1: string;
  site2: string;
  access2: string;
  races: number;
  traces: number;
  examples: { trace_id: string; event1_id: string; event2_id: string; races: number }[];
}

export interface SharedVariable {
  variable: string;
  trace_count: number;
  access_count: number;
  access_types: string[];
  thread_count: number;
  severity: string;
  trace_ids: string[];
}

interface Went {
  traces: number;
  events: number;
}

/** GET /api/storage. */
export interface Storage {
  backend: "memory" | "postgres";
  edition: string | null;
  version: string;
  bytes: number;
  limits: { bytes: number; traces: number; age_seconds: number } | null; // of memory; 0: none
  evicted: Record<string, Went> | null; // by which limit
  partition_by: string | null;
  partitions: number | null;
  cleanups: { started: string; finished: string | null; rule: string; outcome: string; deleted_traces: number; deleted_events: number }[];
  listening: string[];
  rejected_lately: { time: string; reason: string; count: number }[];
}
