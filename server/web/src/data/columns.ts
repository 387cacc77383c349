// A trace as columns, for what is no diagram.

import { Flag, Graph as Columns, GraphLane } from "../diagram/graph";

export { Columns, Flag };

export const has = (columns: Columns, event: number, bit: number) => ((columns.flags[event] ?? 0) & bit) !== 0;

export const nameOf = (columns: Columns, event: number) => columns.names[columns.name[event]!] ?? "";
export const placeOf = (columns: Columns, event: number) => columns.places[columns.place[event]!] ?? "";
export const kindOf = (columns: Columns, event: number) => columns.kinds[columns.kind[event]!] ?? "";
export const laneOf = (columns: Columns, event: number) => columns.lanes[columns.lane[event]!];

export function laneText(lane: GraphLane | undefined): string {
  if (!lane) return "";
  return lane.thread ?? lane.process ?? lane.instance ?? lane.service ?? "";
}

/** The place of an event in the columns, or -1. */
export const find = (columns: Columns, id: string | null) => (id === null ? -1 : columns.id.indexOf(id));

/** The variables that the trace touches, those of races first. */
export function variablesOf(columns: Columns): { name: string; accesses: number; races: boolean }[] {
  const found = new Map<string, { name: string; accesses: number; races: boolean }>();
  for (let event = 0; event < columns.id.length; event++) {
    if (!has(columns, event, Flag.reads | Flag.writes)) continue;
    const name = nameOf(columns, event);
    const known = found.get(name) ?? { name, accesses: 0, races: false };
    known.accesses += 1;
    known.races ||= has(columns, event, Flag.race);
    found.set(name, known);
  }
  return [...found.values()].sort((a, b) => Number(b.races) - Number(a.races) || b.accesses - a.accesses || (a.name < b.name ? -1 : 1));
}
