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
  const lanes = model.lanes.length;
  const past = new Int32Array(lanes);
  walk(model, event, model.causes, (lane, rank) => {
    const known = past[lane]!;
    if (rank < known) return null;
    past[lane] = rank + 1;
    return [known, rank];
  });
  const future = Int32Array.from({ length: lanes }, (_, l) => model.laneFrom[l + 1]! - model.laneFrom[l]!);
  walk(model, event, model.effects, (lane, rank) => {
    const known = future[lane]!;
    if (rank >= known) return null;
    future[lane] = rank;
    return [rank, known - 1];
  });
  const before = past.reduce((sum, size) => sum + size, 0) - 1;
  const after = future.reduce((sum, from, l) => sum + model.laneFrom[l + 1]! - model.laneFrom[l]! - from, 0) - 1;
  return { event, past, future, before, after, concurrent: model.count - 1 - before - after };
}

/** Every event that is reached is looked at once. `take` says which ranks of its lane are new by an event there. */
function walk(model: Model, event: number, edges: Edges, take: (lane: number, rank: number) => [number, number] | null): void {
  const waiting = [event];
  while (waiting.length > 0) {
    const e = waiting.pop()!;
    const lane = model.lane[e]!;
    const range = take(lane, model.rank[e]!);
    if (!range) continue;
    for (let rank = range[0]; rank <= range[1]; rank++) {
      const one = model.laneEvents[model.laneFrom[lane]! + rank]!;
      for (let k = edges.from[one]!; k < edges.from[one + 1]!; k++) waiting.push(edges.other[k]!);
    }
  }
}

/** -1: e happened before, 1: after, 0: neither; the event itself is 2. */
export function sideOf(model: Model, cones: Cones, e: number): -1 | 0 | 1 | 2 {
  if (e === cones.event) return 2;
  const [lane, rank] = [model.lane[e]!, model.rank[e]!];
  if (rank < cones.past[lane]!) return -1;
  return rank >= cones.future[lane]! ? 1 : 0;
}
