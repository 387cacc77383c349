// The arrows between rows: which are in a window, found without looking at all of them, and, where they are too many to be
// told apart, bundles of those that go from one row to another in one column.

import { type Axis, firstAbove } from "./axis";
import type { Rows } from "./lanes";
import type { Model } from "./graph";
import { float64, upTo } from "./numbers";

/** Sorted by their left end. Arrows within one row, a collapsed group's own, are not in it. */
export interface EdgeIndex {
  left: Float64Array;
  right: Float64Array;
  cause: Int32Array;
  effect: Int32Array;
  causeRow: Int32Array;
  effectRow: Int32Array;
  upper: Int32Array; // of the two rows
  lower: Int32Array;
  reach: Float64Array; // the furthest right end within each block of BLOCK arrows
  ends: Float64Array; // all right ends, rising
  bundled: Map<number, Bundles>;
}

/** `count` arrows from a row to another whose left ends are in one column, drawn as one of them. Column by
    column, the thickest first. */
export interface Bundles {
  column: Int32Array;
  causeRow: Int32Array;
  effectRow: Int32Array;
  from: Float64Array; // positions of that one's cause and effect
  to: Float64Array;
  count: Int32Array;
}

export const SINGLY = 4000;
const BLOCK = 64;

export function indexEdges(model: Model, axis: Axis, lanes: Rows, only: Uint8Array | null): EdgeIndex {
  const causes = model.causes;
  const cause = new Int32Array(causes.other.length);
  const effect = new Int32Array(causes.other.length);
  let size = 0;
  for (let e = 0; e < model.count; e++) {
    if (only && !only[e]) continue;
    for (let k = causes.from[e]!; k < causes.from[e + 1]!; k++) {
      const c = causes.other[k]!;
      if ((only && !only[c]) || lanes.rowOf[model.lane[c]!] === lanes.rowOf[model.lane[e]!]) continue;
      cause[size] = c;
      effect[size++] = e;
    }
  }
  const lefts = float64(size, (k) => Math.min(axis.at[cause[k]!]!, axis.at[effect[k]!]!));
  const order = upTo(size).sort((a, b) => lefts[a]! - lefts[b]! || a - b);
  return fill(model, axis, lanes, cause, effect, order);
}

function fill(model: Model, axis: Axis, lanes: Rows, cause: Int32Array, effect: Int32Array, order: Int32Array): EdgeIndex {
  const size = order.length;
  const index: EdgeIndex = {
    left: new Float64Array(size),
    right: new Float64Array(size),
    cause: new Int32Array(size),
    effect: new Int32Array(size),
    causeRow: new Int32Array(size),
    effectRow: new Int32Array(size),
    upper: new Int32Array(size),
    lower: new Int32Array(size),
    reach: new Float64Array(Math.ceil(size / BLOCK)).fill(-Infinity),
    ends: new Float64Array(0),
    bundled: new Map(),
  };
  order.forEach((from, k) => {
    const [c, e] = [cause[from]!, effect[from]!];
    const [x, y] = [axis.at[c]!, axis.at[e]!];
    const [a, b] = [lanes.rowOf[model.lane[c]!]!, lanes.rowOf[model.lane[e]!]!];
    index.left[k] = Math.min(x, y);
    index.right[k] = Math.max(x, y);
    index.cause[k] = c;
    index.effect[k] = e;
    index.causeRow[k] = a;
    index.effectRow[k] = b;
    index.upper[k] = Math.min(a, b);
    index.lower[k] = Math.max(a, b);
    const block = Math.floor(k / BLOCK);
    index.reach[block] = Math.max(index.reach[block]!, index.right[k]!);
  });
  index.ends = index.right.slice().sort();
  return index;
}

/** How many arrows touch the positions, whichever rows they join. */
export function countIn(index: EdgeIndex, low: number, high: number): number {
  const begun = firstAbove(index.left, high);
  let ended = 0;
  for (let end = index.ends.length; ended < end; ) {
    const middle = (ended + end) >> 1;
    if (index.ends[middle]! < low) ended = middle + 1;
    else end = middle;
  }
  return begun - ended;
}

/** The arrows that touch the positions and the rows [first, end), at most `most` of them, or null where there are more. */
export function edgesIn(index: EdgeIndex, low: number, high: number, first: number, end: number, most: number): number[] | null {
  const found: number[] = [];
  const begun = firstAbove(index.left, high);
  for (let block = 0; block * BLOCK < begun; block++) {
    if (index.reach[block]! < low) continue;
    const stop = Math.min(begun, (block + 1) * BLOCK);
    for (let k = block * BLOCK; k < stop; k++) {
      if (index.right[k]! < low || index.upper[k]! >= end || index.lower[k]! < first) continue;
      if (found.length === most) return null;
      found.push(k);
    }
  }
  return found;
}

/** All arrows in bundles, for columns of extent / 2 ** power. Kept once made. */
export function bundlesFor(index: EdgeIndex, axis: Axis, power: number): Bundles {
  const known = index.bundled.get(power);
  if (known) return known;
  const made = bundle(index, axis, axis.extent / 2 ** power);
  index.bundled.set(power, made);
  return made;
}

/** The bundles of that power where they are made already, else of the nearest that are. */
export function bundlesAtHand(index: EdgeIndex, axis: Axis, power: number): Bundles {
  const made = [...index.bundled.keys()].sort((a, b) => Math.abs(a - power) - Math.abs(b - power));
  return bundlesFor(index, axis, made[0] ?? power);
}

function bundle(index: EdgeIndex, axis: Axis, width: number): Bundles {
  const size = index.left.length;
  const rows = 1 + index.lower.reduce((most, row) => Math.max(most, row), 0);
  const edge = new Int32Array(size);
  const count = new Int32Array(size);
  const column = new Int32Array(size);
  const here = new Map<number, number>(); // of the column at hand, by row and row; arrows come column by column
  let used = 0;
  let at = -1;
  for (let k = 0; k < size; k++) {
    const now = Math.floor(index.left[k]! / width);
    if (now !== at) {
      at = now;
      here.clear();
    }
    const key = index.causeRow[k]! * rows + index.effectRow[k]!;
    let slot = here.get(key);
    if (slot === undefined) {
      here.set(key, (slot = used++));
      column[slot] = at;
    }
    // Drawn as any of them, lest all bundles of a column stand in its middle.
    if (scattered(k) % ++count[slot]! === 0) edge[slot] = k;
  }
  const order = upTo(used).sort((a, b) => column[a]! - column[b]! || count[b]! - count[a]! || a - b);
  return {
    column: order.map((slot) => column[slot]!),
    causeRow: order.map((slot) => index.causeRow[edge[slot]!]!),
    effectRow: order.map((slot) => index.effectRow[edge[slot]!]!),
    from: float64(used, (k) => axis.at[index.cause[edge[order[k]!]!]!]!),
    to: float64(used, (k) => axis.at[index.effect[edge[order[k]!]!]!]!),
    count: order.map((slot) => count[slot]!),
  };
}

/** A number that looks random, the same each time. */
function scattered(k: number): number {
  const mixed = Math.imul(k ^ (k >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 12)) >>> 0;
}

export interface InView {
  slots: number[]; // of each column at most as many as asked for, the thickest
  bundles: number; // that touch the window
}

/** The bundles that touch the positions and the rows [first, end). */
export function bundlesIn(bundles: Bundles, low: number, high: number, first: number, end: number, mostOfColumn: number): InView {
  const slots: number[] = [];
  let all = 0;
  let column = -1;
  let taken = 0;
  for (let slot = 0; slot < bundles.count.length; slot++) {
    const [x, y, a, b] = [bundles.from[slot]!, bundles.to[slot]!, bundles.causeRow[slot]!, bundles.effectRow[slot]!];
    if ((x < low && y < low) || (x > high && y > high) || (a < first && b < first) || (a >= end && b >= end)) continue;
    all++;
    if (bundles.column[slot] !== column) [column, taken] = [bundles.column[slot]!, 0];
    if (taken++ < mostOfColumn) slots.push(slot);
  }
  return { slots, bundles: all };
}
