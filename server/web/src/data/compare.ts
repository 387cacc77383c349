// Two executions side by side: which events are in both, and which two of those stand otherwise to each other.
import { Columns, kindOf, laneText, nameOf, placeOf } from "./columns";
import { common } from "./differences";

export interface Row {
  lane: string;
  a: number; // the event there, or -1
  b: number;
}

export interface Turned {
  first: Row;
  second: Row;
  inA: "ordered" | "concurrent";
  inB: "ordered" | "concurrent";
}

export interface Comparison {
  rows: Row[];
  both: number;
  onlyA: number;
  onlyB: number;
  turned: Turned[]; // the first of each pair of threads and event, at most `mostTurned`
}

export const mostEvents = 20_000;
const mostTurned = 200;

const laneEvents = (columns: Columns) => {
  const events: number[][] = columns.lanes.map(() => []);
  columns.lane.forEach((lane, event) => events[lane]?.push(event));
  return events;
};

/** Pairs of lanes: of the same service and thread, else of the same service, in their order. */
function lanePairs(a: Columns, b: Columns): [number, number][] {
  const left = new Set(b.lanes.keys());
  const pairs = new Map<number, number>();
  const match = (same: (x: number, y: number) => boolean) => {
    a.lanes.forEach((_, x) => {
      if (pairs.has(x)) return;
      const found = [...left].find((y) => same(x, y));
      if (found === undefined) return;
      pairs.set(x, found);
      left.delete(found);
    });
  };
  match((x, y) => a.lanes[x]!.service === b.lanes[y]!.service && laneText(a.lanes[x]) === laneText(b.lanes[y]) && a.lanes[x]!.row === b.lanes[y]!.row);
  match((x, y) => a.lanes[x]!.service === b.lanes[y]!.service);
  return [...a.lanes.keys()].map((x): [number, number] => [x, pairs.get(x) ?? -1]).concat([...left].map((y): [number, number] => [-1, y]));
}

const keyOf = (columns: Columns, event: number) => JSON.stringify([kindOf(columns, event), placeOf(columns, event), nameOf(columns, event)]);

export function compare(a: Columns, b: Columns): Comparison {
  const [inA, inB] = [laneEvents(a), laneEvents(b)];
  const rows: Row[] = [];
  const pairs = lanePairs(a, b);
  for (const [x, y] of pairs) {
    const [listA, listB] = [x < 0 ? [] : inA[x]!, y < 0 ? [] : inB[y]!];
    const lane = x >= 0 ? laneText(a.lanes[x]) : laneText(b.lanes[y]);
    let [atA, atB] = [0, 0];
    const upTo = (endA: number, endB: number) => {
      for (; atA < endA; atA++) rows.push({ lane, a: listA[atA]!, b: -1 });
      for (; atB < endB; atB++) rows.push({ lane, a: -1, b: listB[atB]! });
    };
    for (const [p, q] of common(listA.map((event) => keyOf(a, event)), listB.map((event) => keyOf(b, event)))) {
      upTo(p, q);
      rows.push({ lane, a: listA[atA++]!, b: listB[atB++]! });
    }
    upTo(listA.length, listB.length);
  }
  const both = rows.filter((row) => row.a >= 0 && row.b >= 0);
  return {
    rows, both: both.length,
    onlyA: rows.filter((row) => row.b < 0).length, onlyB: rows.filter((row) => row.a < 0).length,
    turned: turned(a, b, both),
  };
}

/** Of each event the matched events of every lane that happened before it, as their number: they are the first of the lane. */
function known(columns: Columns, matched: Map<number, number>): Int32Array[] {
  const lanes = columns.lanes.length;
  const last = new Int32Array(lanes).fill(-1);
  const knows: Int32Array[] = [];
  for (let event = 0; event < columns.id.length; event++) {
    const own = new Int32Array(lanes);
    const take = (cause: number) => {
      const its = knows[cause]!;
      for (let lane = 0; lane < lanes; lane++) own[lane] = Math.max(own[lane]!, its[lane]!);
      if (matched.has(cause)) own[columns.lane[cause]!] = Math.max(own[columns.lane[cause]!]!, matched.get(cause)! + 1);
    };
    const lane = columns.lane[event]!;
    if (last[lane]! >= 0) take(last[lane]!);
    for (let at = columns.cause_from[event] ?? 0; at < (columns.cause_from[event + 1] ?? 0); at++) {
      const cause = columns.cause[at]!;
      if (cause < event) take(cause);
    }
    last[lane] = event;
    knows.push(own);
  }
  return knows;
}

function turned(a: Columns, b: Columns, both: Row[]): Turned[] {
  const byLane = new Map<number, Row[]>(); // of lanes of a
  const laneInB = new Map<number, number>();
  const [placeA, placeB] = [new Map<number, number>(), new Map<number, number>()];
  for (const row of both) {
    const lane = a.lane[row.a]!;
    const list = byLane.get(lane) ?? [];
    placeA.set(row.a, list.length);
    placeB.set(row.b, list.length);
    list.push(row);
    byLane.set(lane, list);
    laneInB.set(lane, b.lane[row.b]!);
  }
  const [knowsA, knowsB] = [known(a, placeA), known(b, placeB)];
  const seen = (row: Row, lane: number) => [knowsA[row.a]![lane]!, knowsB[row.b]![laneInB.get(lane)!]!] as const;
  /** By the event before it on its thread. */
  const toldBefore = (row: Row, lane: number) => {
    const before = byLane.get(a.lane[row.a]!)![placeA.get(row.a)! - 1];
    return before !== undefined && String(seen(before, lane)) === String(seen(row, lane));
  };
  const found: Turned[] = [];
  for (const row of [...both].sort((x, y) => x.a - y.a)) {
    for (const [lane, list] of byLane) {
      if (lane === a.lane[row.a]) continue;
      const [seenA, seenB] = seen(row, lane);
      if (seenA === seenB || toldBefore(row, lane)) continue;
      const first = list[Math.max(seenA, seenB) - 1]!;
      found.push({ first, second: row, inA: seenA > seenB ? "ordered" : "concurrent", inB: seenB > seenA ? "ordered" : "concurrent" });
      if (found.length === mostTurned) return found;
    }
  }
  return found;
}
