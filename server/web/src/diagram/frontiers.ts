// Where, in each row, the past of an event ends and its future begins, as positions: the two lines across the lanes.

import type { Cones } from "./cones";
import type { Scene } from "./scene";

export interface Gap {
  from: number; // all that is certainly within ends here; -Infinity (past) or Infinity (future): nothing is
  to: number; // what is certainly outside begins here
}

/** Of a row of several lanes, what holds for all of them. */
export function pastOf(scene: Scene, cones: Cones, row: number): Gap {
  const { model, highest, lowest } = scene;
  const gap = { from: Infinity, to: Infinity };
  for (const l of scene.layout.rows[row]!.lanes) {
    const [begin, end] = [model.laneFrom[l]!, model.laneFrom[l + 1]!];
    if (begin === end) continue;
    const known = cones.past[l]!;
    gap.from = Math.min(gap.from, known > 0 ? highest[model.laneEvents[begin + known - 1]!]! : -Infinity);
    if (begin + known < end) gap.to = Math.min(gap.to, lowest[model.laneEvents[begin + known]!]!);
  }
  return gap.from === Infinity ? { from: -Infinity, to: -Infinity } : gap;
}

export function futureOf(scene: Scene, cones: Cones, row: number): Gap {
  const { model, highest, lowest } = scene;
  const gap = { from: -Infinity, to: -Infinity };
  for (const l of scene.layout.rows[row]!.lanes) {
    const [begin, end] = [model.laneFrom[l]!, model.laneFrom[l + 1]!];
    if (begin === end) continue;
    const first = cones.future[l]!;
    gap.from = Math.max(gap.from, begin + first < end ? lowest[model.laneEvents[begin + first]!]! : Infinity);
    if (first > 0) gap.to = Math.max(gap.to, highest[model.laneEvents[begin + first - 1]!]!);
  }
  return gap.from === -Infinity ? { from: Infinity, to: Infinity } : gap;
}
