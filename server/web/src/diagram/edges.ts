// The arrows between rows: which are in a window, found without looking at all of them, and, where they are too many to be
// told apart, bundles of those that go from one row to another in one column.

import { type Axis, firstAbove } from "./axis";
import type { Layout } from "./lanes";
import type { Model } from "./graph";

/** Sorted by their left end. Arrows within one row, a collapsed group's own, are not in it. */
export interface EdgeIndex {
  left: Float64Array;
  right: Float64Array;
  cause: Int32Array;
  effect: Int32Array;
  upper: Int32Array; // rows
  lower: Int32Array;
  reach: Float64Array; // the furthest right end within each block of BLOCK arrows
  ends: Float64Array; // all right ends, rising
  bundled: Map<number, Bundles>;
}

/** `count` arrows from a row to another whose left ends are in one column, at their mean place. */
export interface Bundles {
  causeRow: Int32Array;
  effectRow: Int32Array;
  from: Float64Array; // mean position of the causes
  to: Float64Array;
  count: Int32Array;
}

export const SINGLY = 4000;
const BLOCK = 64;

export function indexEdges(model: Model, axis: Axis, layout: Layout, only: Uint8Array | null): EdgeIndex {
  const causes = model.causes;
  const cause = new Int32Array(causes.other.length);
  const effect = new Int32Array(causes.other.length);
  let size = 0;
  for (let e = 0; e < model.count; e++) {
    if (only && !only[e]) continue;
    for (let k = causes.from[e]!; k < causes.from[e + 1]!; k++) {
      const c = causes.other[k]!;
      if ((only && !only[c]) || layout.rowOf[model.lane[c]!] === layout.rowOf[model.lane[e]!]) continue;
      cause[size] = c;
      effect[size++] = e;
    }
  }
  const lefts = Float64Array.from({ length: size }, (_, k) => Math.min(axis.at[cause[k]!]!, axis.at[effect[k]!]!));
  const order = Int32Array.from(lefts.keys()).sort((a, b) => lefts[a]! - lefts[b]! || a - b);
  return fill(model, axis, layout, cause, effect, order);
}

function fill(model: Model, axis: Axis, layout: Layout, cause: Int32Array, effect: Int32Array, order: Int32Array): EdgeIndex {
  const size = order.length;
  const index: EdgeIndex = {
    left: new Float64Array(size),
    right: new Float64Array(size),
    cause: new Int32Array(size),
    effect: new Int32Array(size),
    upper: new Int32Array(size),
    lower: new Int32Array(size),
    reach: new Float64Array(Math.ceil(size / BLOCK)).fill(-Infinity),
    ends: new Float64Array(0),
    bundled: new Map(),
  };
  order.forEach((from, k) => {
    const [c, e] = [cause[from]!, effect[from]!];
    const [x, y] = [axis.at[c]!, axis.at[e]!];
    const [a, b] = [layout.rowOf[model.lane[c]!]!, layout.rowOf[model.lane[e]!]!];
    index.left[k] = Math.min(x, y);
    index.right[k] = Math.max(x, y);
    index.cause[k] = c;
    index.effect[k] = e;
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
export function bundlesFor(index: EdgeIndex, model: Model, axis: Axis, layout: Layout, power: number): Bundles {
  const known = index.bundled.get(power);
  if (known) return known;
  const made = bundle(index, model, axis, layout, axis.extent / 2 ** power);
  index.bundled.set(power, made);
  return made;
}

function bundle(index: EdgeIndex, model: Model, axis: Axis, layout: Layout, width: number): Bundles {
  const size = index.left.length;
  const rows = layout.rows.length;
  const of = new Map<number, number>(); // row and row to the bundle of the column at hand; arrows come column by column
  const causeRow = new Int32Array(size);
  const effectRow = new Int32Array(size);
  const from = new Float64Array(size);
  const to = new Float64Array(size);
  const count = new Int32Array(size);
  let used = 0;
  let column = -1;
  for (let k = 0; k < size; k++) {
    const [c, e] = [index.cause[k]!, index.effect[k]!];
    const here = Math.floor(index.left[k]! / width);
    if (here !== column) {
      column = here;
      of.clear();
    }
    const [a, b] = [layout.rowOf[model.lane[c]!]!, layout.rowOf[model.lane[e]!]!];
    let slot = of.get(a * rows + b);
    if (slot === undefined) {
      of.set(a * rows + b, (slot = used++));
      causeRow[slot] = a;
      effectRow[slot] = b;
    }
    from[slot]! += axis.at[c]!;
    to[slot]! += axis.at[e]!;
    count[slot]!++;
  }
  for (let slot = 0; slot < used; slot++) {
    from[slot]! /= count[slot]!;
    to[slot]! /= count[slot]!;
  }
  return {
    causeRow: causeRow.slice(0, used),
    effectRow: effectRow.slice(0, used),
    from: from.slice(0, used),
    to: to.slice(0, used),
    count: count.slice(0, used),
  };
}

export interface InView {
  slots: number[]; // at most as many as asked for, those of the most arrows
  bundles: number; // that touch the window
  least: number; // arrows in the thinnest that is drawn
}

/** The bundles that touch the positions and rows; of too many the thickest. */
export function bundlesIn(bundles: Bundles, low: number, high: number, first: number, end: number, most: number): InView {
  const all: number[] = [];
  const sizes = new Map<number, number>();
  for (let slot = 0; slot < bundles.count.length; slot++) {
    const [x, y, a, b] = [bundles.from[slot]!, bundles.to[slot]!, bundles.causeRow[slot]!, bundles.effectRow[slot]!];
    if ((x < low && y < low) || (x > high && y > high) || (a < first && b < first) || (a >= end && b >= end)) continue;
    all.push(slot);
    sizes.set(bundles.count[slot]!, (sizes.get(bundles.count[slot]!) ?? 0) + 1);
  }
  if (all.length <= most) return { slots: all, bundles: all.length, least: 1 };
  let least = Infinity;
  let room = most;
  for (const [size, times] of [...sizes].sort((a, b) => b[0] - a[0])) {
    if (times > room && least !== Infinity) break;
    least = size;
    room -= times;
    if (room <= 0) break;
  }
  const thick = all.filter((slot) => bundles.count[slot]! >= least);
  const every = Math.ceil(thick.length / most); // all alike: every so many
  return { slots: every > 1 ? thick.filter((_, k) => k % every === 0) : thick, bundles: all.length, least };
}
