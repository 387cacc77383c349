// The shapes of the kinds of events, as parts of a path: many of one kind are filled and stroked at once.

import { Kind } from "../kinds";
import type { Paint } from "./picture";

export function shape(paint: Paint, kind: Kind, open: boolean, x: number, y: number, r: number): void {
  switch (kind) {
    case Kind.access:
      paint.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
      return;
    case Kind.call: // points into the call, and back out of it
      return open ? polygon(paint, x, y, r * 1.15, LEFTWARD) : polygon(paint, x, y, r * 1.15, RIGHTWARD);
    case Kind.async:
      return polygon(paint, x, y, r * 1.15, open ? UPWARD : DOWNWARD);
    case Kind.database:
      return polygon(paint, x, y, r * 1.08, HEXAGON);
    case Kind.lock:
      return polygon(paint, x, y, r * 1.2, DIAMOND);
    case Kind.error:
      return polygon(paint, x, y, r * 1.15, CROSS);
    default:
      paint.moveTo(x + r, y);
      paint.arc(x, y, kind === Kind.other ? r * 0.8 : r, 0, 2 * Math.PI);
  }
}

const turn = (corners: number, from: number) =>
  Array.from({ length: corners }, (_, k) => {
    const angle = ((from + k / corners) * 2 * Math.PI);
    return [Math.cos(angle), Math.sin(angle)] as const;
  });

type Outline = readonly (readonly [number, number])[];
const RIGHTWARD = turn(3, 0);
const LEFTWARD = turn(3, 0.5);
const DOWNWARD = turn(3, 0.25);
const UPWARD = turn(3, 0.75);
const HEXAGON = turn(6, 0);
const DIAMOND = turn(4, 0);
const CROSS: Outline = [
  [0, -0.38], [0.55, -0.93], [0.93, -0.55], [0.38, 0], [0.93, 0.55], [0.55, 0.93],
  [0, 0.38], [-0.55, 0.93], [-0.93, 0.55], [-0.38, 0], [-0.93, -0.55], [-0.55, -0.93],
];

function polygon(paint: Paint, x: number, y: number, r: number, outline: Outline): void {
  outline.forEach(([dx, dy], k) => (k === 0 ? paint.moveTo(x + dx * r, y + dy * r) : paint.lineTo(x + dx * r, y + dy * r)));
  paint.closePath();
}
