// Where the events of a witness stand: a line for each thread, further to the right whatever comes later.
import { Relation, Step } from "../base/types";

export interface Dot extends Step {
  lane: number;
  column: number;
}

export interface Edge {
  from: string;
  to: string;
  reason: string | null;
  skipped: number; // events of the way that are not shown
}

export interface Laid {
  lanes: { key: string; thread: string; service: string }[];
  dots: Map<string, Dot>;
  edges: Edge[];
}

const laneKey = (step: Step) => JSON.stringify([step.service, step.thread]);

/** Of a way the two ends and where it goes over to another thread, with how many steps lie before each. */
function told(chain: Step[]): { step: Step; skipped: number }[] {
  let skipped = 0;
  return chain.flatMap((step, at) => {
    const [before, next] = [chain[at - 1], chain[at + 1]];
    if (before && next && laneKey(before) === laneKey(step) && laneKey(next) === laneKey(step)) return (skipped++, []);
    const each = { step, skipped };
    skipped = 0;
    return [each];
  });
}

export function laid(relation: Relation): Laid {
  const chains = [relation.chain ?? [], relation.chain_to_a ?? [], relation.chain_to_b ?? []].filter((chain) => chain.length > 0);
  const lanes: Laid["lanes"] = [];
  const dots = new Map<string, Dot>();
  const edges: Laid["edges"] = [];
  for (const chain of chains) {
    const way = told(chain);
    const before = new Set([...dots.values()].filter((dot) => dot.column > 0).map((dot) => lanes[dot.lane]!.key));
    way.forEach(({ step, skipped }, at) => {
      // What one way has gone through, the other one has not seen: threads of one name are two lines then.
      const key = laneKey(step) + (before.has(laneKey(step)) && !dots.has(step.event_id) ? " 2" : "");
      let lane = lanes.findIndex((each) => each.key === key);
      if (lane < 0) lane = lanes.push({ key, thread: step.thread, service: step.service }) - 1;
      const last = way[at - 1]?.step;
      dots.set(step.event_id, { ...step, lane, column: Math.max(at, dots.get(step.event_id)?.column ?? 0) });
      if (last && !edges.some(({ from, to }) => from === last.event_id && to === step.event_id)) edges.push({ from: last.event_id, to: step.event_id, reason: step.reason, skipped });
    });
  }
  spread(dots, edges);
  return { lanes, dots, edges };
}

/** Two events of one line do not stand at one place, and none stands left of what it follows. */
function spread(dots: Map<string, Dot>, edges: Laid["edges"]) {
  const taken = new Set<string>();
  for (const dot of [...dots.values()].sort((a, b) => a.column - b.column)) {
    for (const { from, to } of edges) if (to === dot.event_id) dot.column = Math.max(dot.column, dots.get(from)!.column + 1);
    while (taken.has(`${dot.lane}/${dot.column}`)) dot.column += 1;
    taken.add(`${dot.lane}/${dot.column}`);
  }
}
