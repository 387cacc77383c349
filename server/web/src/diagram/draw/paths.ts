// How many shapes are drawn at once. Without a graphics processor a path of 4,000 lines takes 900 ms to fill where lines
// are wider than a device pixel, and 4 ms where they are not; the same lines a few at a time take 40 ms.

import type { Paint } from "./picture";

const FEW = 24; // shapes of a path
const MANY = 300; // lines from which on they are hairlines

/** One path for every few of `count` shapes. */
export function inPaths(paint: Paint, count: number, add: (k: number) => void, draw: () => void, few = FEW): void {
  for (let from = 0; from < count; from += few) {
    paint.beginPath();
    for (let k = from; k < Math.min(count, from + few); k++) add(k);
    draw();
  }
}

/** Strokes `count` lines: as wide as wanted where they are few, else as fine as the screen has it. */
export function strokeLines(paint: Paint, count: number, width: number, add: (k: number) => void): void {
  const hair = count > MANY;
  paint.lineWidth = hair ? 1 / paint.getTransform().a : width;
  inPaths(paint, count, add, () => paint.stroke(), hair ? count : 4);
}
