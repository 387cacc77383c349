// The JSON of /api/traces/:id/graph, and what the diagram makes of it: columns in typed arrays that every other module may
// index without a check. Whatever the JSON is, reading it throws nothing; what cannot be used is left out and counted.

import { Kind, lookOf } from "./kinds";
import { int32 } from "./numbers";
import { clean } from "./text";

export interface GraphLane {
  service: string | null;
  instance: string | null;
  process: string | null;
  thread: string | null;
  row: number;
}

export interface Graph {
  trace_id: string;
  as_of: string;
  total_events: number;
  events: number;
  t0: number;
  lanes: GraphLane[];
  kinds: string[];
  names: string[];
  places: string[];
  id: string[];
  lane: number[];
  column: number[];
  kind: number[];
  name: number[];
  place: number[];
  t: number[];
  duration: (number | null)[];
  flags: number[];
  cause_from: number[];
  cause: number[];
  cause_reason: number[];
  reasons: string[];
  weak_from: number[];
  weak: number[];
  races: number[][];
  race_pairs: number;
}

export const enum Flag {
  writes = 1,
  reads = 2,
  error = 4,
  race = 8,
  orphan = 16, // its parent is named but was not received
  undecided = 32, // neither a clock nor a link
}

/** Edges by the event they lead into (or out of): those of event e are at from[e] .. from[e+1]. */
export interface Edges {
  from: Int32Array;
  other: Int32Array;
  reason: Uint8Array;
}

export interface Model {
  traceId: string;
  total: number; // of the trace; `count` of them are here
  count: number;
  t0: number;
  lanes: GraphLane[]; // every text cleaned, `row` a number
  kinds: string[];
  names: string[];
  places: string[];
  reasons: string[];
  id: string[];
  lane: Int32Array;
  column: Int32Array;
  kindOf: Int32Array; // into kinds; -1 unknown
  look: Uint8Array; // Kind
  open: Uint8Array; // 1: drawn open
  name: Int32Array; // into names; -1 none
  place: Int32Array; // into places; -1 none
  t: Float64Array; // microseconds after t0, always finite
  duration: Float64Array; // microseconds; 0 where none is known
  flags: Uint8Array;
  laneFrom: Int32Array; // events of lane l in causal order: laneEvents[laneFrom[l] .. laneFrom[l+1])
  laneEvents: Int32Array;
  rank: Int32Array; // an event's place within its lane
  causes: Edges; // across lanes only; each cause is earlier in the causal order
  effects: Edges;
  weak: Edges;
  races: { a: number; b: number; variable: string }[];
  racePairs: number;
  leftOut: number; // edges and races that name nothing
}

type Json = Record<string, unknown>;

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const whole = (value: unknown): value is number => Number.isInteger(value);
const finite = (value: unknown, otherwise: number): number =>
  typeof value === "number" && Number.isFinite(value) ? value : otherwise;
const FAR = 2 ** 52; // microseconds that are still counted exactly: 142 years

export function readGraph(json: unknown): Model {
  const raw = (typeof json === "object" && json !== null ? json : {}) as Json;
  const id = list(raw.id).map((value) => (typeof value === "string" ? value : String(value)));
  const count = id.length;
  const tables = { kinds: texts(raw.kinds), names: texts(raw.names), places: texts(raw.places), reasons: texts(raw.reasons) };
  const { lanes, lane } = readLanes(raw, count);
  const chains = chainUp(lane, lanes.length);
  const kindOf = indexes(raw.kind, count, tables.kinds.length);
  const flags = flagsOf(list(raw.flags), count);
  const strong = readEdges(raw.cause_from, raw.cause, raw.cause_reason, lane, tables.reasons.length);
  const weak = readEdges(raw.weak_from, raw.weak, [], lane, 0);
  const names = tables.names;
  const races = readRaces(raw.races, count, names);
  const shape = shapes(kindOf, tables.kinds, flags);
  return {
    traceId: clean(raw.trace_id),
    total: Math.max(count, finite(raw.total_events, count)),
    count,
    t0: finite(raw.t0, 0),
    lanes,
    ...tables,
    id,
    lane,
    ...shape,
    column: columns(list(raw.column), chains, lane, strong.edges),
    kindOf,
    name: indexes(raw.name, count, names.length),
    place: indexes(raw.place, count, tables.places.length),
    ...times(raw, chains, lane),
    flags,
    ...chains,
    causes: strong.edges,
    effects: turned(strong.edges, count),
    weak: weak.edges,
    races: races.pairs,
    racePairs: Math.max(races.pairs.length, finite(raw.race_pairs, 0)),
    leftOut: strong.leftOut + weak.leftOut + races.leftOut,
  };
}

function texts(value: unknown): string[] {
  return list(value).map((text) => clean(text));
}

function flagsOf(raw: unknown[], count: number): Uint8Array {
  const flags = new Uint8Array(count);
  for (let e = 0; e < count; e++) flags[e] = finite(raw[e], 0) & 63;
  return flags;
}

function indexes(value: unknown, count: number, size: number): Int32Array {
  const raw = list(value);
  return int32(count, (e) => {
    const at = raw[e];
    return whole(at) && at >= 0 && at < size ? at : -1;
  });
}

/** An event that names no lane gets one of its own kind: a lane without any name. */
function readLanes(raw: Json, count: number): { lanes: GraphLane[]; lane: Int32Array } {
  const text = (value: unknown) => (value === null || value === undefined ? null : clean(value));
  const lanes = list(raw.lanes).map((value): GraphLane => {
    const from = (typeof value === "object" && value !== null ? value : {}) as Json;
    const row = finite(from.row, 0);
    return { service: text(from.service), instance: text(from.instance), process: text(from.process), thread: text(from.thread), row };
  });
  const lane = indexes(raw.lane, count, lanes.length);
  if (lane.includes(-1)) {
    lane.forEach((at, e) => at === -1 && (lane[e] = lanes.length));
    lanes.push({ service: null, instance: null, process: null, thread: null, row: 0 });
  }
  return { lanes, lane };
}

function chainUp(lane: Int32Array, lanes: number) {
  const laneFrom = new Int32Array(lanes + 1);
  for (const l of lane) laneFrom[l + 1]!++;
  for (let l = 0; l < lanes; l++) laneFrom[l + 1]! += laneFrom[l]!;
  const next = laneFrom.slice();
  const laneEvents = new Int32Array(lane.length);
  const rank = new Int32Array(lane.length);
  lane.forEach((l, e) => {
    rank[e] = next[l]! - laneFrom[l]!;
    laneEvents[next[l]!++] = e;
  });
  return { laneFrom, laneEvents, rank };
}

/** Edges that lead backwards in the causal order, or name no event, say nothing; those within a lane are its order. */
function readEdges(from: unknown, other: unknown, reason: unknown, lane: Int32Array, reasons: number) {
  const count = lane.length;
  const offsets = list(from);
  const raw = list(other);
  const why = list(reason);
  const kept: Edges = { from: new Int32Array(count + 1), other: new Int32Array(raw.length), reason: new Uint8Array(raw.length) };
  let size = 0;
  let seen = 0;
  for (let e = 0; e < count; e++) {
    const end = Math.min(finite(offsets[e + 1], 0), raw.length);
    for (let at = Math.max(seen, finite(offsets[e], 0)); at < end; at++, seen = at) {
      const cause = raw[at];
      if (!whole(cause) || cause < 0 || cause >= e || lane[cause] === lane[e]) continue;
      kept.other[size] = cause;
      const because = why[at];
      kept.reason[size++] = whole(because) && because >= 0 && because < Math.min(reasons, 255) ? because : 255;
    }
    kept.from[e + 1] = size;
  }
  const edges = { from: kept.from, other: kept.other.slice(0, size), reason: kept.reason.slice(0, size) };
  return { edges, leftOut: raw.length - size };
}

function turned(edges: Edges, count: number): Edges {
  const from = new Int32Array(count + 1);
  for (const cause of edges.other) from[cause + 1]!++;
  for (let e = 0; e < count; e++) from[e + 1]! += from[e]!;
  const next = from.slice();
  const other = new Int32Array(edges.other.length);
  const reason = new Uint8Array(edges.other.length);
  for (let e = 0; e < count; e++) {
    for (let at = edges.from[e]!; at < edges.from[e + 1]!; at++) {
      const to = next[edges.other[at]!]!++;
      other[to] = e;
      reason[to] = edges.reason[at]!;
    }
  }
  return { from, other, reason };
}

/** As sent, but never to the left of what an event follows: the causal axis must not draw a cause behind its effect. */
function columns(raw: unknown[], chains: ReturnType<typeof chainUp>, lane: Int32Array, causes: Edges): Int32Array {
  const count = lane.length;
  const column = new Int32Array(count);
  for (let e = 0; e < count; e++) {
    const sent = raw[e];
    let at = whole(sent) && sent >= 0 && sent < count ? sent : 0;
    if (chains.rank[e]! > 0) at = Math.max(at, column[chains.laneEvents[chains.laneFrom[lane[e]!]! + chains.rank[e]! - 1]!]! + 1);
    for (let k = causes.from[e]!; k < causes.from[e + 1]!; k++) at = Math.max(at, column[causes.other[k]!]! + 1);
    column[e] = at;
  }
  return column;
}

/** A time that is none is taken for that of the event before on the lane. */
function times(raw: Json, chains: ReturnType<typeof chainUp>, lane: Int32Array): { t: Float64Array; duration: Float64Array } {
  const given = list(raw.t);
  const lasted = list(raw.duration);
  const t = new Float64Array(lane.length);
  const duration = new Float64Array(lane.length);
  for (let e = 0; e < lane.length; e++) {
    const before = chains.rank[e]! > 0 ? t[chains.laneEvents[chains.laneFrom[lane[e]!]! + chains.rank[e]! - 1]!]! : 0;
    t[e] = Math.max(-FAR, Math.min(FAR, finite(given[e], before)));
    duration[e] = Math.max(0, Math.min(FAR, finite(lasted[e], 0) * 1000));
  }
  return { t, duration };
}

function shapes(kindOf: Int32Array, kinds: string[], flags: Uint8Array): { look: Uint8Array; open: Uint8Array } {
  const looks = kinds.map(lookOf);
  const look = new Uint8Array(kindOf.length);
  const open = new Uint8Array(kindOf.length);
  kindOf.forEach((k, e) => {
    const its = looks[k];
    look[e] = flags[e]! & Flag.error ? Kind.error : (its?.kind ?? Kind.other);
    open[e] = its?.kind === Kind.access ? Number((flags[e]! & Flag.writes) === 0) : Number(its?.open ?? false);
  });
  return { look, open };
}

function readRaces(value: unknown, count: number, names: string[]) {
  const event = (at: unknown): at is number => whole(at) && at >= 0 && at < count;
  const raw = list(value);
  const pairs: Model["races"] = [];
  for (const pair of raw) {
    const [a, b, variable] = list(pair);
    if (event(a) && event(b) && a !== b) pairs.push({ a, b, variable: (whole(variable) && names[variable]) || "" });
  }
  return { pairs, leftOut: raw.length - pairs.length };
}

/** Where an event's id is, or -1. */
export function finderOf(model: Model): (id: string | null | undefined) => number {
  return (id) => (id === null || id === undefined ? -1 : model.id.indexOf(id));
}

/** Where these ids are, in their order, without those that are not here: in one pass, for there may be many. */
export function placesOf(model: Model, ids: readonly string[]): number[] {
  const wanted = new Set(ids);
  const found = new Map<string, number>();
  for (let e = model.count - 1; e >= 0 && wanted.size > 0; e--) if (wanted.has(model.id[e]!)) found.set(model.id[e]!, e);
  return ids.flatMap((id) => found.get(id) ?? []);
}

export function nameOf(model: Model, e: number): string {
  return model.names[model.name[e]!] || model.kinds[model.kindOf[e]!] || "event";
}

export function placeOf(model: Model, e: number): string {
  return model.places[model.place[e]!] ?? "";
}

export function laneName(lane: GraphLane): string {
  const thread = lane.thread ?? lane.process ?? lane.instance ?? lane.service ?? "(unnamed)";
  return lane.row > 0 ? `${thread} ·${lane.row + 1}` : thread;
}
