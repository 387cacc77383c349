// The one function from an event to its place on the axis, and its inverse: drawing, hit testing, zoom and ticks all ask
// it. A value is a column (causal axis) or microseconds (time axis); a position is what is left of it once long gaps are
// folded. Both rise together, so every position has one value.

import type { Model } from "./graph";
import type { AxisName } from "./types";
import { float64, upTo } from "./numbers";
import { duration } from "../base/format";

export interface Axis {
  name: AxisName;
  at: Float64Array; // position of every event
  order: Int32Array; // events by position, those of one position in causal order
  extent: number; // positions go from 0 to here; above 0
  roomiest: number; // pixels that a position has at most when all is shown
  knots: { value: Float64Array; at: Float64Array }; // straight lines between them, of slope 1 outside
  folds: { from: Float64Array; to: Float64Array }; // positions; between them time is folded
}

const FOLD_OVER = 20; // medians
const COLUMN = 220; // pixels

export function makeAxis(model: Model, name: AxisName): Axis {
  return name === "causal" ? causalAxis(model) : timeAxis(model);
}

function causalAxis(model: Model): Axis {
  let last = 0;
  for (const column of model.column) last = Math.max(last, column);
  const knots = { value: Float64Array.of(0, last), at: Float64Array.of(0, last) };
  const folds = { from: new Float64Array(0), to: new Float64Array(0) };
  return { name: "causal", at: new Float64Array(model.column), order: byColumn(model.column, last), extent: Math.max(1, last), roomiest: COLUMN, knots, folds };
}

function byColumn(column: Int32Array, last: number): Int32Array {
  const next = new Int32Array(last + 2);
  for (const at of column) next[at + 1]!++;
  for (let at = 0; at <= last; at++) next[at + 1]! += next[at]!;
  const order = new Int32Array(column.length);
  for (let e = 0; e < column.length; e++) order[next[column[e]!]!++] = e;
  return order;
}

/** A gap longer than twenty medians is as wide as twenty of them: no gap looks shorter than one that is. */
function timeAxis(model: Model): Axis {
  const times = model.t.slice().sort();
  const most = FOLD_OVER * medianGap(times);
  const value = [times[0] ?? 0];
  const at = [0];
  const from: number[] = [];
  const to: number[] = [];
  let folded = 0; // microseconds that were folded away so far
  for (let k = 1; k < times.length; k++) {
    const gap = times[k]! - times[k - 1]!;
    if (gap <= most) continue;
    const begin = times[k - 1]! - times[0]! - folded;
    folded += gap - most;
    from.push(begin);
    to.push(begin + most);
    value.push(times[k - 1]!, times[k]!);
    at.push(begin, begin + most);
  }
  const end = (times[times.length - 1] ?? 0) - (times[0] ?? 0) - folded;
  value.push(times[times.length - 1] ?? 0);
  at.push(end);
  const knots = { value: Float64Array.from(value), at: Float64Array.from(at) };
  const positions = float64(model.count, (e) => between(knots.value, knots.at, model.t[e]!));
  const order = upTo(model.count).sort((a, b) => positions[a]! - positions[b]! || a - b);
  const folds = { from: Float64Array.from(from), to: Float64Array.from(to) };
  return { name: "time", at: positions, order, extent: end > 0 ? end : 1, roomiest: Infinity, knots, folds };
}

/** Of the gaps between times that differ; 0 without any. */
function medianGap(times: Float64Array): number {
  const gaps = new Float64Array(Math.max(0, times.length - 1));
  let size = 0;
  for (let k = 1; k < times.length; k++) if (times[k]! > times[k - 1]!) gaps[size++] = times[k]! - times[k - 1]!;
  return size > 0 ? gaps.subarray(0, size).sort()[size >> 1]! : 0;
}

export function positionOf(axis: Axis, value: number): number {
  return between(axis.knots.value, axis.knots.at, value);
}

export function valueAt(axis: Axis, position: number): number {
  return between(axis.knots.at, axis.knots.value, position);
}

function between(x: Float64Array, y: Float64Array, at: number): number {
  const last = x.length - 1;
  if (at <= x[0]!) return y[0]! + (at - x[0]!);
  if (at >= x[last]!) return y[last]! + (at - x[last]!);
  const k = firstAbove(x, at) - 1;
  const width = x[k + 1]! - x[k]!;
  return width === 0 ? y[k]! : y[k]! + ((at - x[k]!) / width) * (y[k + 1]! - y[k]!);
}

/** The first index of the rising numbers whose number is above `at`, within [low, high). */
export function firstAbove(numbers: Float64Array, at: number, low = 0, high = numbers.length): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The first index whose number is not below `at`. */
export function firstFrom(numbers: Float64Array, at: number, low = 0, high = numbers.length): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! >= at) high = middle;
    else low = middle + 1;
  }
  return low;
}

export interface Tick {
  at: number;
  label: string;
}

export interface Fold {
  from: number;
  to: number;
  label: string;
}

/** Round values at least `apart` positions from each other, none within a fold. */
export function ticks(axis: Axis, from: number, to: number, apart: number): Tick[] {
  const found: Tick[] = [];
  if (!(apart > 0) || !(to > from)) return found;
  const step = Math.max(1, roundUp(apart)); // a column, a microsecond: there is nothing between
  const most = Math.ceil((to - from) / apart) * 2 + 4;
  let value = Math.ceil(valueAt(axis, Math.max(0, from)) / step) * step;
  let last = -Infinity;
  for (let tries = 0; tries < most; tries++) {
    const at = positionOf(axis, value);
    if (at > Math.min(to, axis.extent)) break;
    const fold = foldAround(axis, at);
    const free = fold < 0;
    if (free && at >= from && at - last >= apart * 0.6) {
      found.push({ at, label: axis.name === "causal" ? String(Math.round(value)) : timeLabel(value, step) });
      last = at;
    }
    const next = free ? value + step : Math.ceil(valueAt(axis, axis.folds.to[fold]!) / step) * step;
    value = next > value ? next : value + step;
    if (!Number.isFinite(value)) break;
  }
  return found;
}

/** Folds within the window that are at least `least` positions wide; narrower ones would be drawn over each other. */
export function foldsIn(axis: Axis, from: number, to: number, least: number): Fold[] {
  const found: Fold[] = [];
  for (let k = firstAbove(axis.folds.to, from); k < axis.folds.from.length && axis.folds.from[k]! < to; k++) {
    const begin = axis.folds.from[k]!;
    const end = axis.folds.to[k]!;
    if (end - begin < least) return []; // all are of one width
    found.push({ from: begin, to: end, label: duration((valueAt(axis, end) - valueAt(axis, begin)) / 1000) });
  }
  return found;
}

function foldAround(axis: Axis, at: number): number {
  const k = firstFrom(axis.folds.to, at);
  return k < axis.folds.from.length && axis.folds.from[k]! < at && at < axis.folds.to[k]! ? k : -1;
}

/** 1, 2 or 5 times a power of ten. */
function roundUp(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  for (const factor of [1, 2, 5]) if (factor * power >= least) return factor * power;
  return 10 * power;
}

/** All ticks of one step have as many digits as tell them apart. */
function timeLabel(micros: number, step: number): string {
  const units: [number, string][] = [[3.6e9, "h"], [6e7, "min"], [1e6, "s"], [1e3, "ms"]];
  const [size, unit] = units.find(([at]) => Math.abs(micros) >= at && step >= at / 1000) ?? [1, "µs"];
  const places = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step / size) - 1e-9)));
  return micros === 0 ? "0" : `${(micros / size).toFixed(places)} ${unit}`;
}
