// The axis above the rows: ticks, and folds with their length.

import { foldsIn, ticks } from "../axis";
import { type View, scale, xOf } from "../view";
import { FONT } from "./palette";
import { type Paint, type Picture, TOP } from "./picture";

const APART = 92; // pixels from tick to tick

/** Lines at the ticks and hatched folds, below everything. */
export function drawGrid(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  paint.fillStyle = palette.rule;
  for (const tick of ticks(scene.axis, view.from, view.to, APART / scale(view))) {
    paint.fillRect(Math.round(xOf(view, tick.at)), TOP, 1, view.height - TOP);
  }
  for (const fold of foldsIn(scene.axis, view.from, view.to, 7 / scale(view))) {
    const [from, to] = [xOf(view, fold.from), xOf(view, fold.to)];
    const inset = Math.min(8, (to - from) * 0.25);
    paint.fillStyle = palette.band;
    paint.fillRect(from + inset, TOP, to - from - 2 * inset, view.height - TOP);
    tear(paint, from + inset, view.height, palette.rule);
    tear(paint, to - inset, view.height, palette.rule);
  }
}

/** A zigzag from top to bottom: here time is left out. */
function tear(paint: Paint, x: number, height: number, colour: string): void {
  paint.beginPath();
  for (let y = TOP, side = 1; y <= height + 8; y += 8, side = -side) paint.lineTo(x + side * 2, y);
  paint.strokeStyle = colour;
  paint.lineWidth = 1;
  paint.stroke();
}

/** The strip with the labels, above everything. */
export function drawAxis(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  paint.fillStyle = palette.surface;
  paint.fillRect(0, 0, view.width, TOP);
  paint.fillStyle = palette.rule;
  paint.fillRect(0, TOP - 1, view.width, 1);
  paint.font = `11px ${FONT}`;
  paint.textBaseline = "middle";
  paint.textAlign = "center";
  const taken: [number, number][] = [];
  for (const fold of foldsIn(scene.axis, view.from, view.to, 7 / scale(view))) {
    const x = xOf(view, (fold.from + fold.to) / 2);
    const text = `⋯ ${fold.label}`;
    const half = paint.measureText(text).width / 2 + 4;
    if (overlaps(taken, x - half, x + half)) continue;
    taken.push([x - half, x + half]);
    paint.fillStyle = palette.warning;
    paint.fillText(text, x, TOP / 2);
  }
  paint.fillStyle = palette.muted;
  for (const tick of ticks(scene.axis, view.from, view.to, APART / scale(view))) {
    const x = xOf(view, tick.at);
    const half = paint.measureText(tick.label).width / 2;
    if (overlaps(taken, x - half, x + half)) continue;
    if (x - half < 2 || x + half > view.width - 2) continue;
    paint.fillText(tick.label, x, TOP / 2);
  }
  paint.textAlign = "start";
}

function overlaps(taken: readonly (readonly [number, number])[], from: number, to: number): boolean {
  return taken.some(([begin, end]) => to > begin && from < end);
}
