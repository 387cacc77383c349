// Finding events by words. Every word must be in the event's name, kind, place, lane, or id; `-word` must be in none.

import { type Model, laneName } from "./graph";

export interface Found {
  matches: Uint8Array; // 1: matches
  count: number;
}

export function find(model: Model, query: string): Found | null {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "" && word !== "-");
  if (words.length === 0) return null;
  const tests = words.map((word) => testOf(model, word));
  const matches = new Uint8Array(model.count);
  let count = 0;
  for (let e = 0; e < model.count; e++) {
    if (tests.every((test) => test(e))) {
      matches[e] = 1;
      count++;
    }
  }
  return { matches, count };
}

function testOf(model: Model, word: string): (e: number) => boolean {
  const without = word.startsWith("-");
  const part = without ? word.slice(1) : word;
  const has = (text: string) => Number(text.toLowerCase().includes(part));
  const [names, kinds, places] = [model.names.map(has), model.kinds.map(has), model.places.map(has)];
  const lanes = model.lanes.map((lane) => has([lane.service, lane.instance, lane.process, laneName(lane)].join(" ")));
  const holds = (e: number) =>
    Boolean(names[model.name[e]!] || kinds[model.kindOf[e]!] || places[model.place[e]!] || lanes[model.lane[e]!] || has(model.id[e]!));
  return without ? (e) => !holds(e) : holds;
}

/** The next match (or, with -1, the one before) from an event on, in the given order; around at the ends; -1 without any. */
export function nextMatch(order: Int32Array, matches: Uint8Array, from: number, step: 1 | -1): number {
  const size = order.length;
  const start = from < 0 ? (step === 1 ? -1 : size) : order.indexOf(from);
  for (let k = 1; k <= size; k++) {
    const e = order[(((start + step * k) % size) + size) % size]!;
    if (matches[e]) return e;
  }
  return -1;
}

/** The how many-th match an event is, from 1; 0 for none. */
export function numberOf(order: Int32Array, matches: Uint8Array, event: number): number {
  if (event < 0 || !matches[event]) return 0;
  let number = 0;
  for (const e of order) {
    number += matches[e]!;
    if (e === event) break;
  }
  return number;
}
