// How many events are where, at every zoom: each row is cut into buckets, and each level has half as many as the one below.
// A frame reads the level whose buckets are at least two pixels wide, so it works by pixels and not by events. Only buckets
// that hold something are kept, so 100,000 rows of one event each cost no more than one row of 100,000.

import type { Axis } from "./axis";
import type { RowEvents } from "./rows";
import { Flag, type Model } from "./graph";

export interface Level {
  power: number; // 2 ** power buckets over the whole axis
  from: Int32Array; // those of row r: from[r] .. from[r+1], rising
  bucket: Int32Array;
  count: Int32Array;
  mask: Uint16Array; // bit k: an event of Kind k; above: RACE and ERROR
  first: Int32Array; // the leftmost event
}

export interface Pyramid {
  extent: number;
  levels: Level[]; // the finest first
}

export const RACE = 1 << 8;
export const ERROR = 1 << 9;
export const COARSEST = 5;
const FINEST = 14;

export function buildPyramid(model: Model, axis: Axis, rows: RowEvents): Pyramid {
  const wanted = Math.ceil(Math.log2(rows.events.length + 1)) + 2;
  const levels = [finest(model, axis, rows, Math.max(COARSEST, Math.min(FINEST, wanted)))];
  for (let last = levels[0]!; last.power > COARSEST; levels.push(last)) last = halved(last);
  return { extent: axis.extent, levels };
}

export function bucketOf(extent: number, power: number, at: number): number {
  const buckets = 2 ** power;
  return Math.max(0, Math.min(buckets - 1, Math.floor((at / extent) * buckets)));
}

function finest(model: Model, axis: Axis, rows: RowEvents, power: number): Level {
  const size = rows.events.length;
  const level = empty(power, rows.from.length - 1, size);
  let used = 0;
  for (let r = 0; r + 1 < rows.from.length; r++) {
    let last = -1;
    for (let place = rows.from[r]!; place < rows.from[r + 1]!; place++) {
      const e = rows.events[place]!;
      const bucket = bucketOf(axis.extent, power, rows.at[place]!);
      if (bucket !== last) {
        level.bucket[used] = last = bucket;
        level.first[used++] = e;
      }
      level.count[used - 1]!++;
      level.mask[used - 1]! |= maskOf(model, e);
    }
    level.from[r + 1] = used;
  }
  return cut(level, used);
}

export function maskOf(model: Model, e: number): number {
  const flags = model.flags[e]!;
  return (1 << model.look[e]!) | (flags & Flag.race ? RACE : 0) | (flags & Flag.error ? ERROR : 0);
}

function halved(below: Level): Level {
  const rows = below.from.length - 1;
  const level = empty(below.power - 1, rows, below.bucket.length);
  let used = 0;
  for (let r = 0; r < rows; r++) {
    let last = -1;
    for (let k = below.from[r]!; k < below.from[r + 1]!; k++) {
      const bucket = below.bucket[k]! >> 1;
      if (bucket !== last) {
        level.bucket[used] = last = bucket;
        level.first[used++] = below.first[k]!;
      }
      level.count[used - 1]! += below.count[k]!;
      level.mask[used - 1]! |= below.mask[k]!;
    }
    level.from[r + 1] = used;
  }
  return cut(level, used);
}

function empty(power: number, rows: number, size: number): Level {
  const from = new Int32Array(rows + 1);
  return { power, from, bucket: new Int32Array(size), count: new Int32Array(size), mask: new Uint16Array(size), first: new Int32Array(size) };
}

function cut(level: Level, used: number): Level {
  const { power, from } = level;
  return {
    power,
    from,
    bucket: level.bucket.slice(0, used),
    count: level.count.slice(0, used),
    mask: level.mask.slice(0, used),
    first: level.first.slice(0, used),
  };
}

/** The finest level with buckets of at least `least` pixels; null where even those of the finest are twice as wide, and
    single events are to be drawn. */
export function levelFor(pyramid: Pyramid, pixelsPerPosition: number, least: number): Level | null {
  const power = Math.floor(Math.log2((pyramid.extent * pixelsPerPosition) / least));
  const finest = pyramid.levels[0]!.power;
  return power > finest ? null : pyramid.levels[Math.min(pyramid.levels.length - 1, finest - power)]!;
}

/** [first, end) of a row's buckets that touch the positions. */
export function bucketsIn(pyramid: Pyramid, level: Level, row: number, low: number, high: number): [number, number] {
  const begin = bucketOf(pyramid.extent, level.power, low);
  const end = bucketOf(pyramid.extent, level.power, high);
  const first = lowerBound(level.bucket, begin, level.from[row]!, level.from[row + 1]!);
  return [first, lowerBound(level.bucket, end + 1, first, level.from[row + 1]!)];
}

function lowerBound(numbers: Int32Array, at: number, low: number, high: number): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! >= at) high = middle;
    else low = middle + 1;
  }
  return low;
}
