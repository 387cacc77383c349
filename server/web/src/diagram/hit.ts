// What is under the pointer.

import { nearest } from "./rows";
import type { Scene } from "./scene";
import { eachBar, eachEvent, showsEvents } from "./marks";
import { middleOf, rowAt } from "./lanes";
import { type View, atOf, xOf } from "./view";
import { firstFrom } from "./axis";

export interface Hit {
  row: number;
  event: number; // -1: none is near
  count: number; // events that the mark under the pointer stands for
}

const NEAR = 9; // pixels

/** `y` counts from the top of the first row's canvas area. Null: below the last row or above the first. */
export function hitAt(scene: Scene, view: View, x: number, y: number): Hit | null {
  const row = rowAt(scene.layout, y + view.scroll);
  if (row < 0) return null;
  if (!showsEvents(scene, view, row)) return inBars(scene, view, row, x);
  let event = -1;
  let least = NEAR;
  eachEvent(scene, view, row, (e, at) => {
    if (Math.abs(at - x) >= least) return;
    least = Math.abs(at - x);
    event = e;
  });
  return { row, event, count: event < 0 ? 0 : 1 };
}

function inBars(scene: Scene, view: View, row: number, x: number): Hit {
  const hit: Hit = { row, event: -1, count: 0 };
  let least = NEAR;
  eachBar(scene, view, row, (bar) => {
    const off = Math.max(bar.x - x, x - bar.x - bar.width, 0);
    if (off >= least) return;
    least = off;
    hit.count = bar.count;
    hit.event = bar.first;
  });
  if (hit.count > 1) hit.event = scene.rows.events[nearest(scene.rows, row, atOf(view, x))]!;
  return hit;
}

/** The event on the row above or below (`step` -1 or 1) that is nearest to an event's place; itself where there is none. */
export function across(scene: Scene, event: number, step: 1 | -1): number {
  const { rows, layout, model, axis } = scene;
  for (let r = layout.rowOf[model.lane[event]!]! + step; r >= 0 && r < layout.rows.length; r += step) {
    const place = nearest(rows, r, axis.at[event]!);
    if (place >= 0) return rows.events[place]!;
  }
  return event;
}

/** The event before or after on the same row; itself at the ends. */
export function along(scene: Scene, event: number, step: 1 | -1): number {
  const { rows, layout, model, axis } = scene;
  const row = layout.rowOf[model.lane[event]!]!;
  const end = rows.from[row + 1]!;
  let place = firstFrom(rows.at, axis.at[event]!, rows.from[row]!, end);
  while (place < end && rows.events[place] !== event) place++;
  const next = place + step;
  return place < end && next >= rows.from[row]! && next < end ? rows.events[next]! : event;
}

/** Which of the drawn arrows passes within some pixels of a point; -1 without any. */
export function edgeAt(scene: Scene, view: View, drawn: readonly number[], x: number, y: number): number {
  const { edges, axis, model, layout } = scene;
  let least = 5;
  let found = -1;
  for (const k of drawn) {
    const [c, e] = [edges.cause[k]!, edges.effect[k]!];
    const [x1, x2] = [xOf(view, axis.at[c]!), xOf(view, axis.at[e]!)];
    const y1 = middleOf(layout, layout.rowOf[model.lane[c]!]!) - view.scroll;
    const y2 = middleOf(layout, layout.rowOf[model.lane[e]!]!) - view.scroll;
    const off = distance(x, y, x1, y1, x2, y2);
    if (off < least) [least, found] = [off, k];
  }
  return found;
}

function distance(x: number, y: number, x1: number, y1: number, x2: number, y2: number): number {
  const length = (x2 - x1) ** 2 + (y2 - y1) ** 2;
  const along_ = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length));
  return Math.hypot(x - x1 - along_ * (x2 - x1), y - y1 - along_ * (y2 - y1));
}
