// What is said of events, for the panel, the tooltip and screen readers.

import type { Cones } from "./cones";
import { labelOf } from "./draw/labels";
import { Flag, type Model, laneName, placeOf } from "./graph";
import type { Scene } from "./scene";
import { count, duration, plural } from "../base/format";
import { clean } from "./text";

export function whereOf(model: Model, e: number): string {
  const lane = model.lanes[model.lane[e]!]!;
  return [lane.service, laneName(lane)].filter((part, k, all) => part && all.indexOf(part) === k).join(" / ");
}

/** Lines about an event, after its name. */
export function detailsOf(model: Model, e: number): string[] {
  const lines = [
    [model.kinds[model.kindOf[e]!], placeOf(model, e)].filter(Boolean).join(" · "),
    whereOf(model, e),
    `at ${duration(model.t[e]! / 1000)}${model.duration[e]! > 0 ? `, took ${duration(model.duration[e]! / 1000)}` : ""}`,
  ];
  if (model.flags[e]! & Flag.race) lines.push("part of a race");
  if (model.flags[e]! & Flag.orphan) lines.push("its parent was not received");
  if (model.flags[e]! & Flag.undecided) lines.push("no clock and no link: its order is not known");
  return lines.filter((line) => line !== "");
}

/** An arrow: why, and whether the clocks agree with it. */
export function arrowDetails(scene: Scene, edge: number): { title: string; lines: string[] } {
  const { model, edges } = scene;
  const [c, e] = [edges.cause[edge]!, edges.effect[edge]!];
  let reason = "";
  for (let k = model.causes.from[e]!; k < model.causes.from[e + 1]!; k++) {
    if (model.causes.other[k] === c) reason = model.reasons[model.causes.reason[k]!] ?? "";
  }
  const late = model.t[c]! - model.t[e]!;
  const lines = [`${labelOf(model, c)} on ${whereOf(model, c)}`, `before ${labelOf(model, e)} on ${whereOf(model, e)}`];
  if (late > 0) lines.push(`clock of ${whereOf(model, e)} at least ${duration(late / 1000)} behind that of ${whereOf(model, c)}`);
  return { title: reason ? `known by ${reason}` : "happened before", lines };
}

export function spoken(model: Model, e: number, cones: Cones): string {
  const place = [labelOf(model, e), ...detailsOf(model, e)].join(", ");
  return `${place}. ${plural(cones.before, "event")} before, ${count(cones.after)} after, ${count(cones.concurrent)} concurrent.`;
}

const NAMED = 3;

/** "Saw main 1 of 3, db 2 of 2. Saw nothing of worker-2 (2 events)." */
export function knowledge(model: Model, cones: Cones): string {
  const own = model.lane[cones.event]!;
  const sizes = model.lanes.map((_, l) => model.laneFrom[l + 1]! - model.laneFrom[l]!);
  const others = [...sizes.keys()].filter((l) => l !== own && sizes[l]! > 0);
  const seen = others.filter((l) => cones.past[l]! > 0);
  const unseen = others.filter((l) => cones.past[l] === 0);
  const list = (lanes: number[], tell: (l: number) => string) => {
    const more = lanes.length - NAMED;
    return lanes.slice(0, NAMED).map(tell).join(", ") + (more > 0 ? ` and ${plural(more, "more lane")}` : "");
  };
  const services = new Set(model.lanes.map((lane) => lane.service)).size;
  const name = (l: number) => [services > 1 ? model.lanes[l]!.service : null, laneName(model.lanes[l]!)].filter(Boolean).map((part) => clean(part, 28)).join("/");
  const parts = [];
  if (seen.length > 0) parts.push(`Saw ${list(seen, (l) => `${name(l)} ${cones.past[l]} of ${sizes[l]}`)}.`);
  if (unseen.length > 0) parts.push(`Saw nothing of ${list(unseen, (l) => `${name(l)} (${plural(sizes[l]!, "event")})`)}.`);
  return parts.join(" ");
}
