// The strip above: the whole trace with its races, and the window.

import { SLICES } from "../scene";
import { type Size, type View, whole, xOf } from "../view";
import type { Paint, Picture } from "./picture";

export const STRIP = 44; // pixels

/** The strip's own window: always everything. */
export function stripView(axis: Size, width: number): View {
  return { ...whole(axis, width), width, height: STRIP, scroll: 0 };
}

export function drawOverview(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  const { density, axis } = scene;
  const strip = stripView(axis, view.width);
  paint.fillStyle = palette.band;
  paint.fillRect(0, 0, view.width, STRIP);
  const bar = Math.max(1, (axis.extent / SLICES) * (view.width / (strip.to - strip.from)));
  const inner = STRIP - 14;
  paint.fillStyle = palette.mixed;
  for (let slice = 0; slice < SLICES; slice++) {
    const count = density.count[slice]!;
    if (count === 0) continue;
    const height = Math.max(2, Math.sqrt(count / density.most) * inner);
    paint.fillRect(xOf(strip, (slice / SLICES) * axis.extent), STRIP - 2 - height, bar + 0.3, height);
  }
  for (let slice = 0; slice < SLICES; slice++) {
    const x = xOf(strip, ((slice + 0.5) / SLICES) * axis.extent);
    if (density.races[slice]) {
      paint.fillStyle = palette.race;
      paint.fillRect(x - 1, 2, 2, 8);
    } else if (density.errors[slice]) {
      paint.fillStyle = palette.fill[7]!;
      paint.fillRect(x - 1, 4, 2, 4);
    }
  }
  const [from, to] = [Math.max(0, xOf(strip, view.from)), Math.min(view.width, xOf(strip, view.to))];
  paint.fillStyle = palette.surface;
  paint.globalAlpha = 0.62;
  paint.fillRect(0, 0, from, STRIP);
  paint.fillRect(to, 0, view.width - to, STRIP);
  paint.globalAlpha = 1;
  paint.strokeStyle = palette.accent;
  paint.lineWidth = 1.5;
  paint.strokeRect(from + 0.75, 0.75, Math.max(3, to - from - 1.5), STRIP - 1.5);
}
