// Random graphs for the tests of the diagram: chains with messages between them, as /api/traces/:id/graph has them. Each
// test runs with several seeds; a failure names the one that repeats it (RACEWAY_SEED=n), RACEWAY_STRESS=20 tries more.

import { type Graph, type Model, readGraph } from "../../../server/web/src/diagram/graph";
import { type Axis, makeAxis } from "../../../server/web/src/diagram/axis";
import { readArrangement } from "../../../server/web/src/diagram/arrangement";
import { type Layout, layRows, stacked } from "../../../server/web/src/diagram/lanes";
import { arranged, treeOf } from "../../../server/web/src/diagram/tree";
import { type Scene, layScene } from "../../../server/web/src/diagram/scene";
import type { AxisName } from "../../../server/web/src/diagram/types";

export class Chance {
  constructor(private state: number) {}

  real(): number {
    // mulberry32
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  below(size: number): number {
    return Math.floor(this.real() * size);
  }

  one<T>(of: readonly T[]): T {
    return of[this.below(of.length)]!;
  }
}

export function withChance(times: number, test: (chance: Chance) => void): void {
  const given = process.env.RACEWAY_SEED;
  const rounds = given ? 1 : times * Number(process.env.RACEWAY_STRESS ?? 1);
  for (let round = 0; round < rounds; round++) {
    const seed = given ? Number(given) : Math.floor(Math.random() * 2 ** 31);
    try {
      test(new Chance(seed));
    } catch (error) {
      throw new Error(`RACEWAY_SEED=${seed}: ${(error as Error).stack}`);
    }
  }
}

const KINDS = ["HttpRequest", "StateChange", "FunctionCall", "LockAcquire", "Error", "Something"];

export function randomGraph(chance: Chance, events = chance.below(120), lanes = 1 + chance.below(8)): Graph {
  const g: Graph = {
    trace_id: "t", as_of: "", total_events: events, events, t0: 1.7e15,
    lanes: Array.from({ length: lanes }, (_, l) => ({
      service: `s${l % 3}`, instance: chance.below(2) ? `i${l % 2}` : null, process: null, thread: `t${l >> 1}`, row: 0,
    })),
    kinds: [...KINDS], names: ["balance", "POST /transfer", "read"], places: ["a.js:1", "b.js:2"],
    id: [], lane: [], column: [], kind: [], name: [], place: [], t: [], duration: [], flags: [],
    cause_from: [0], cause: [], cause_reason: [], reasons: ["clock", "parent"], weak_from: [], weak: [], races: [], race_pairs: 0,
  };
  let time = 0;
  for (let e = 0; e < events; e++) {
    time += chance.below(10) === 0 ? chance.below(1e6) : chance.below(50);
    g.id.push(`e${e}`);
    g.lane.push(chance.below(lanes));
    g.column.push(0);
    g.kind.push(chance.below(KINDS.length));
    g.name.push(chance.below(3));
    g.place.push(chance.below(3) - 1);
    g.t.push(time - (chance.below(8) === 0 ? chance.below(500) : 0)); // clocks that go back a little
    g.duration.push(chance.below(2) ? chance.real() : null);
    g.flags.push(chance.below(64));
    for (let k = chance.below(3); k > 0 && e > 0; k--) {
      g.cause.push(e - 1 - chance.below(Math.min(e, 30)));
      g.cause_reason.push(chance.below(2));
    }
    g.cause_from.push(g.cause.length);
  }
  for (let k = events > 1 ? chance.below(5) : 0; k > 0; k--) g.races.push([chance.below(events), chance.below(events), 0, 0]);
  return g;
}

export function randomModel(chance: Chance, events?: number, lanes?: number): Model {
  return readGraph(randomGraph(chance, events, lanes));
}

/** Some of the lanes' keys hidden, collapsed, pinned, moved. */
export function randomHide(chance: Chance, model: Model): string[] {
  const keys = allKeys(model);
  if (keys.length === 0) return [];
  const pick = (sign: string, most: number) => Array.from({ length: chance.below(most) }, () => sign + chance.one(keys));
  const move = Array.from({ length: chance.below(3) }, () => `>${chance.one(keys)}>${chance.one(keys)}`);
  return [...pick("", 3), ...pick("~", 3), ...pick("^", 3), ...move, ...(chance.below(3) === 0 ? ["@near"] : [])];
}

export function allKeys(model: Model): string[] {
  const keys: string[] = [];
  const visit = (node: { key: string; children: unknown[] }) => {
    keys.push(node.key);
    node.children.forEach((child) => visit(child as typeof node));
  };
  treeOf(model).forEach(visit);
  return keys;
}

export function layoutOf(model: Model, hide: string[] = [], height = 600): Layout {
  const arrangement = readArrangement(hide);
  return stacked(layRows(model, arranged(model, treeOf(model), arrangement), arrangement), height);
}

export function sceneOf(model: Model, axis: AxisName | Axis, hide: string[] = [], only: Uint8Array | null = null): Scene {
  const layout = layoutOf(model, hide);
  return { ...layScene(model, typeof axis === "string" ? makeAxis(model, axis) : axis, layout, only), layout };
}

export const AXES: readonly AxisName[] = ["causal", "time"];
