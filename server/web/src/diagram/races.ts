// The pairs of accesses that nothing orders: their order for stepping through, and what they are called.

import { Flag, type Model } from "./graph";
import type { Axis } from "./axis";
import { upTo } from "./numbers";
import { clean } from "./text";

/** Indexes of the races from left to right. */
export function racesInOrder(model: Model, axis: Axis): Int32Array {
  const left = model.races.map(({ a, b }) => Math.min(axis.at[a]!, axis.at[b]!));
  return upTo(left.length).sort((a, b) => left[a]! - left[b]! || a - b);
}

/** The race after (or before) the one that is marked; -1 without any. */
export function nextRace(model: Model, order: Int32Array, marks: readonly number[], step: 1 | -1): number {
  if (order.length === 0) return -1;
  const at = order.findIndex((r) => joins(model.races[r]!, marks));
  if (at < 0) return order[step === 1 ? 0 : order.length - 1]!;
  return order[(at + step + order.length) % order.length]!;
}

function joins(race: { a: number; b: number }, marks: readonly number[]): boolean {
  return marks.length === 2 && marks.includes(race.a) && marks.includes(race.b);
}

/** "W-W balance" */
export function raceLabel(model: Model, race: Model["races"][number]): string {
  const side = (e: number) => (model.flags[e]! & Flag.writes ? "W" : "R");
  return `${side(race.a)}–${side(race.b)} ${clean(race.variable, 28)}`.trim();
}

/** Races of each event that has any. */
export function racesOf(model: Model): Map<number, number[]> {
  const of = new Map<number, number[]>();
  model.races.forEach((race, r) => {
    for (const e of [race.a, race.b]) {
      const its = of.get(e);
      if (its) its.push(r);
      else of.set(e, [r]);
    }
  });
  return of;
}
