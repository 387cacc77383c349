// What a row shows in a window: single events where there is room for them, else bars that say how many are there.
// Drawing and hit testing both ask here, so what is hit is what was drawn.

import { bucketsIn, levelFor, maskOf } from "./pyramid";
import { eachApart, placesIn } from "./rows";
import type { Scene } from "./scene";
import { type View, atOf, scale, xOf } from "./view";

export const ROOM = 12; // pixels that an event needs, on average, to be drawn by itself
const BAR = 2; // pixels of the narrowest bar

export interface Bar {
  x: number;
  width: number;
  count: number;
  mask: number;
  first: number; // the leftmost event
}

/** Whether the row's events in the window are drawn one by one. */
export function showsEvents(scene: Scene, view: View, row: number): boolean {
  const [first, end] = placesIn(scene.rows, row, view.from, view.to);
  return (end - first) * ROOM <= view.width;
}

/** Events to be drawn singly, from left to right, also those whose shape reaches into the window; of several at one pixel
    the first. */
export function eachEvent(scene: Scene, view: View, row: number, tell: (e: number, x: number) => void): void {
  const rim = ROOM / scale(view);
  eachApart(scene.rows, row, view.from - rim, view.to + rim, 1 / scale(view), (place) => {
    tell(scene.rows.events[place]!, xOf(view, scene.rows.at[place]!));
  });
}

/** Bars from left to right. The same object is told again and again. */
export function eachBar(scene: Scene, view: View, row: number, tell: (bar: Bar) => void): void {
  const bar: Bar = { x: 0, width: BAR, count: 0, mask: 0, first: -1 };
  const level = levelFor(scene.pyramid, scale(view), BAR);
  if (!level) return eachClose(scene, view, row, bar, tell);
  const [first, end] = bucketsIn(scene.pyramid, level, row, view.from, view.to);
  const size = scene.pyramid.extent / 2 ** level.power;
  bar.width = size * scale(view);
  for (let k = first; k < end; k++) {
    bar.x = xOf(view, level.bucket[k]! * size);
    bar.count = level.count[k]!;
    bar.mask = level.mask[k]!;
    bar.first = level.first[k]!;
    tell(bar);
  }
}

/** Below the finest level: many events within few of its buckets. */
function eachClose(scene: Scene, view: View, row: number, bar: Bar, tell: (bar: Bar) => void): void {
  const { rows, model } = scene;
  const [, stop] = placesIn(rows, row, view.from, view.to);
  let before = -1;
  const end = (next: number) => {
    if (before < 0) return;
    bar.x = xOf(view, rows.at[before]!);
    bar.count = next - before;
    bar.first = rows.events[before]!;
    bar.mask = 0;
    for (let place = before; place < Math.min(next, before + 64); place++) bar.mask |= maskOf(model, rows.events[place]!);
    tell(bar);
  };
  eachApart(rows, row, view.from, view.to, BAR / scale(view), (place) => {
    end(place);
    before = place;
  });
  end(stop);
}

/** Positions of the window's edges, a little wider, so that what reaches in is drawn. */
export function reachOf(view: View, pixels: number): [number, number] {
  return [atOf(view, -pixels), atOf(view, view.width + pixels)];
}
