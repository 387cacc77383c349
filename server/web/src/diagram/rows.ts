// The events of every row from left to right: what drawing and hit testing search in. A lane whose clock goes back, and a
// group of lanes, are sorted as well.

import type { Axis } from "./axis";
import { firstAbove, firstFrom } from "./axis";
import type { Rows } from "./lanes";
import type { Model } from "./graph";

export interface RowEvents {
  from: Int32Array; // events of row r: events[from[r] .. from[r+1])
  events: Int32Array;
  at: Float64Array; // their positions, rising within a row
}

/** With `only`, those events of which it holds not 0. */
export function sortIntoRows(model: Model, axis: Axis, lanes: Rows, only: Uint8Array | null): RowEvents {
  const rows = lanes.rows.length;
  const from = new Int32Array(rows + 1);
  for (let e = 0; e < model.count; e++) if (!only || only[e]) from[lanes.rowOf[model.lane[e]!]! + 1]!++;
  for (let r = 0; r < rows; r++) from[r + 1]! += from[r]!;
  const next = from.slice();
  const events = new Int32Array(from[rows]!);
  const at = new Float64Array(from[rows]!);
  for (const e of axis.order) {
    if (only && !only[e]) continue;
    const to = next[lanes.rowOf[model.lane[e]!]!]!++;
    events[to] = e;
    at[to] = axis.at[e]!;
  }
  return { from, events, at };
}

/** [first, end) of a row's places whose positions are within [low, high]. */
export function placesIn(rows: RowEvents, row: number, low: number, high: number): [number, number] {
  const begin = rows.from[row]!;
  const end = rows.from[row + 1]!;
  const first = firstFrom(rows.at, low, begin, end);
  return [first, firstAbove(rows.at, high, first, end)];
}

/** The place in a row that is nearest to a position; -1 in an empty row. Of several there, the first. */
export function nearest(rows: RowEvents, row: number, at: number): number {
  const begin = rows.from[row]!;
  const end = rows.from[row + 1]!;
  if (begin === end) return -1;
  const after = firstFrom(rows.at, at, begin, end);
  if (after === begin) return begin;
  const closer = after < end && rows.at[after]! - at < at - rows.at[after - 1]! ? after : after - 1;
  return closer === after ? after : firstFrom(rows.at, rows.at[closer]!, begin, end);
}

/** Places of a row within [low, high], each at least `apart` from the one before that was told: no more than fit. */
export function eachApart(rows: RowEvents, row: number, low: number, high: number, apart: number, tell: (place: number) => void): void {
  const [first, end] = placesIn(rows, row, low, high);
  for (let place = first; place < end; ) {
    tell(place);
    const next = rows.at[place]! + apart;
    place++;
    if (place < end && rows.at[place]! < next) place = firstFrom(rows.at, next, place, end);
  }
}
