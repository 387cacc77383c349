// The past, the future and what is concurrent, shaded: two lines across the lanes.

import type { Cones } from "../cones";
import { type Gap, futureOf, pastOf } from "../frontiers";
import { type View, xOf } from "../view";
import { type Paint, type Picture, rowMiddle, rowTop, rowsShown } from "./picture";

const OFF = 9; // pixels beside the last event within

/** A line across the rows that are shown: x and y by turns. */
type Line = number[];

export function drawRegions(paint: Paint, picture: Picture, view: View): void {
  const { cones, shaded, palette } = picture;
  if (!cones || shaded.length === 0) return;
  const past = frontier(picture, view, cones, "past");
  const future = frontier(picture, view, cones, "future");
  const alpha = palette.surface === "#ffffff" ? 0.1 : 0.14;
  const fill = (line: Line, other: Line, colour: string) => {
    paint.beginPath();
    trace(paint, line, true);
    trace(paint, backwards(other), false);
    paint.closePath();
    paint.globalAlpha = alpha;
    paint.fillStyle = colour;
    paint.fill();
    paint.globalAlpha = 1;
  };
  if (shaded.includes("past")) fill(edge(past, -20), past, palette.cause);
  if (shaded.includes("future")) fill(future, edge(future, view.width + 20), palette.effect);
  if (shaded.includes("concurrent")) fill(past, future, palette.concurrent);
  if (shaded.includes("past") || shaded.includes("concurrent")) drawLine(paint, past, palette.cause, 0.75);
  if (shaded.includes("future") || shaded.includes("concurrent")) drawLine(paint, future, palette.effect, 0.75);
}

/** Both frontiers of an event that is compared with another. */
export function drawFrontiers(paint: Paint, picture: Picture, view: View, cones: Cones, colour: string): void {
  paint.setLineDash([7, 4]);
  drawLine(paint, frontier(picture, view, cones, "past"), colour, 0.9);
  drawLine(paint, frontier(picture, view, cones, "future"), colour, 0.9);
  paint.setLineDash([]);
}

function frontier(picture: Picture, view: View, cones: Cones, which: "past" | "future"): Line {
  const { scene } = picture;
  const [first, end] = rowsShown(scene, view);
  const line: Line = [];
  for (let row = first; row < end; row++) {
    if (scene.layout.rows[row]!.kind === "heading") continue;
    const gap = which === "past" ? pastOf(scene, cones, row) : futureOf(scene, cones, row);
    const x = clamp(besides(view, gap, which === "past" ? 1 : -1), view.width);
    if (line.length === 0) line.push(x, rowTop(scene, view, row));
    line.push(x, rowMiddle(scene, view, row));
    if (row === end - 1) line.push(x, rowTop(scene, view, row + 1));
  }
  const last = line.length;
  if (last > 0 && line[last - 1] !== rowTop(scene, view, end)) line.push(line[last - 2]!, rowTop(scene, view, end));
  return line;
}

/** Between the last event within and the first without, close to the former. */
function besides(view: View, gap: Gap, side: 1 | -1): number {
  if (!Number.isFinite(gap.from)) return gap.from;
  const x = xOf(view, gap.from);
  const room = Number.isFinite(gap.to) ? Math.abs(xOf(view, gap.to) - x) / 2 : OFF;
  return x + side * Math.min(OFF, room);
}

function clamp(x: number, width: number): number {
  return Math.max(-20, Math.min(width + 20, x));
}

function edge(line: Line, x: number): Line {
  return line.map((value, k) => (k % 2 === 0 ? x : value));
}

function backwards(line: Line): Line {
  const turned: Line = [];
  for (let k = line.length - 2; k >= 0; k -= 2) turned.push(line[k]!, line[k + 1]!);
  return turned;
}

/** Upright at each row, swung between them. */
function trace(paint: Paint, line: Line, begin: boolean): void {
  for (let k = 0; k < line.length; k += 2) {
    const [x, y] = [line[k]!, line[k + 1]!];
    if (k === 0) {
      if (begin) paint.moveTo(x, y);
      else paint.lineTo(x, y);
      continue;
    }
    const middle = (line[k - 1]! + y) / 2;
    paint.bezierCurveTo(line[k - 2]!, middle, x, middle, x, y);
  }
}

function drawLine(paint: Paint, line: Line, colour: string, alpha: number): void {
  paint.beginPath();
  trace(paint, line, true);
  paint.globalAlpha = alpha;
  paint.strokeStyle = colour;
  paint.lineWidth = 1.6;
  paint.stroke();
  paint.globalAlpha = 1;
}
