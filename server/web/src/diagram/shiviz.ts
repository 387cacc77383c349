// Events as a log for ShiViz, which wants each host's own number to grow by one an event: so hosts are lanes, and their
// events are counted anew.

import { type Model, laneName, nameOf, placeOf } from "./graph";

export const LOG_EVENTS = 5000; // ShiViz draws some hundreds well
const CELLS = 4e7; // numbers of all clocks that are held at once

/** The log of these events, or null where there are too many for it. What happened before what is the model's, also
    where it goes by events that are not in the log. */
export function shivizLog(model: Model, events: readonly number[]): string | null {
  const hosts = [...new Set(events.map((e) => model.lane[e]!))].sort((a, b) => a - b);
  if (events.length > LOG_EVENTS || hosts.length * model.count > CELLS) return null;
  const names = hostNames(model, hosts);
  const clocks = clocksOf(model, events, hosts);
  const sorted = [...events].sort((a, b) => a - b);
  const lines = sorted.map((e) => {
    const clock: string[] = [];
    hosts.forEach((_, h) => {
      const number = clocks[e * hosts.length + h]!;
      if (number > 0) clock.push(`${JSON.stringify(names[h])}:${number}`);
    });
    const text = [nameOf(model, e), placeOf(model, e)].filter(Boolean).join(" ");
    return `${text}\n${names[hosts.indexOf(model.lane[e]!)]} {${clock.join(",")}}`;
  });
  return ["(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})", "", ...lines, ""].join("\n");
}

/** With a "/" in each, so that none is what every JavaScript object has, like "constructor". */
function hostNames(model: Model, hosts: readonly number[]): string[] {
  const taken = new Set<string>();
  return hosts.map((l) => {
    const lane = model.lanes[l]!;
    const plain = `${lane.service ?? ""}/${laneName(lane)}`.replace(/[\s"\\{}]+/g, "_");
    let name = plain;
    for (let k = 2; taken.has(name); k++) name = `${plain}#${k}`;
    taken.add(name);
    return name;
  });
}

function clocksOf(model: Model, events: readonly number[], hosts: readonly number[]): Int32Array {
  const size = hosts.length;
  const place = new Int32Array(model.lanes.length).fill(-1);
  hosts.forEach((l, h) => (place[l] = h));
  const counts = new Uint8Array(model.count);
  for (const e of events) counts[e] = 1;
  const clocks = new Int32Array(model.count * size);
  const take = (e: number, from: number) => {
    for (let h = 0; h < size; h++) clocks[e * size + h] = Math.max(clocks[e * size + h]!, clocks[from * size + h]!);
  };
  for (let e = 0; e < model.count; e++) {
    const lane = model.lane[e]!;
    if (model.rank[e]! > 0) take(e, model.laneEvents[model.laneFrom[lane]! + model.rank[e]! - 1]!);
    for (let k = model.causes.from[e]!; k < model.causes.from[e + 1]!; k++) take(e, model.causes.other[k]!);
    if (counts[e]) clocks[e * size + place[lane]!]!++;
  }
  return clocks;
}
