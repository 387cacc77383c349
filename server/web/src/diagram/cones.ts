// What an event can have known, and who can have known of it. A lane is a chain, so the past of an event is a prefix of
// every lane and its future a suffix: two numbers a lane. Between them is what is concurrent.

import type { Edges, Model } from "./graph";

export interface Cones {
  event: number;
  past: Int32Array; // of each lane: how many events, from its beginning, happened before `event` (on its own lane: it too)
  future: Int32Array; // the place of the first that happened after it (on its own lane: its own place)
  before: number;
  after: number;
  concurrent: number;
}

export function conesOf(model: Model, event: number): Cones {
  const past = walk(model, event, model.causes, -1);
  const future = walk(model, event, model.effects, 1);
  let [before, after] = [-1, -1];
  for (let l = 0; l < model.lanes.length; l++) {
    before += past[l]!;
    after += model.laneFrom[l + 1]! - model.laneFrom[l]! - future[l]!;
  }
  return { event, past, future, before, after, concurrent: model.count - 1 - before - after };
}

/** To the end of every lane that is reached; each event is looked at once. What is known of a lane is a prefix that grows
    (side -1), or a suffix (side 1) that does. */
function walk(model: Model, event: number, edges: Edges, side: -1 | 1): Int32Array {
  const { lane, rank, laneFrom, laneEvents } = model;
  const known = new Int32Array(model.lanes.length);
  if (side === 1) for (let l = 0; l < known.length; l++) known[l] = laneFrom[l + 1]! - laneFrom[l]!;
  const waiting = [event];
  while (waiting.length > 0) {
    const e = waiting.pop()!;
    const l = lane[e]!;
    const [from, end] = side === -1 ? [known[l]!, rank[e]! + 1] : [rank[e]!, known[l]!];
    if (from >= end) continue;
    known[l] = side === -1 ? end : from;
    for (let at = laneFrom[l]! + from; at < laneFrom[l]! + end; at++) {
      const one = laneEvents[at]!;
      for (let k = edges.from[one]!; k < edges.from[one + 1]!; k++) waiting.push(edges.other[k]!);
    }
  }
  return known;
}

/** -1: e happened before, 1: after, 0: neither; the event itself is 2. */
export function sideOf(model: Model, cones: Cones, e: number): -1 | 0 | 1 | 2 {
  if (e === cones.event) return 2;
  const [lane, rank] = [model.lane[e]!, model.rank[e]!];
  if (rank < cones.past[lane]!) return -1;
  return rank >= cones.future[lane]! ? 1 : 0;
}
