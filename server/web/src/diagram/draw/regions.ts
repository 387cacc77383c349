// The past, the future and what is concurrent, shaded: two lines across the lanes.

import type { Cones } from "../cones";
import { type Gap, futureOf, pastOf } from "../frontiers";
import { type View, xOf } from "../view";
import { type Paint, type Picture, rowTop, rowsShown } from "./picture";

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
    trace(paint, line, false);
    trace(paint, other, true);
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

/** What an event that is compared with another had seen. */
export function drawFrontier(paint: Paint, picture: Picture, view: View, cones: Cones, colour: string): void {
  paint.setLineDash([7, 4]);
  drawLine(paint, frontier(picture, view, cones, "past"), colour, 1);
  paint.setLineDash([]);
}

function frontier(picture: Picture, view: View, cones: Cones, which: "past" | "future"): Line {
  const { scene } = picture;
  const [first, end] = rowsShown(scene, view);
  const line: Line = [];
  for (let row = first; row < end; row++) {
    if (scene.rows.from[row] === scene.rows.from[row + 1]) continue; // nothing is there to be in or out
    const gap = which === "past" ? pastOf(scene, cones, row) : futureOf(scene, cones, row);
    const own = scene.layout.rowOf[scene.model.lane[cones.event]!] === row; // the event itself is where they meet
    const x = clamp(own ? xOf(view, gap.from) : besides(view, gap, which === "past" ? 1 : -1), view.width);
    line.push(x, rowTop(scene, view, line.length === 0 ? first : row));
  }
  if (line.length > 0) line.push(line[line.length - 2]!, rowTop(scene, view, end));
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

/** The corners of a line: down each row, then over to where the next has it. */
function corners(line: Line): Line {
  const points: Line = [];
  for (let k = 0; k < line.length; k += 2) {
    if (k > 0) points.push(line[k - 2]!, line[k + 1]!);
    points.push(line[k]!, line[k + 1]!);
  }
  return points;
}

const ROUND = 7; // pixels

function trace(paint: Paint, line: Line, back: boolean): void {
  const points = corners(line);
  const at = (k: number) => (back ? points.length - 2 - k : k);
  for (let k = 0; k < points.length; k += 2) {
    const [x, y] = [points[at(k)]!, points[at(k) + 1]!];
    if (k === 0 && !back) paint.moveTo(x, y);
    else if (k === 0 || k + 2 >= points.length) paint.lineTo(x, y);
    else {
      const [nx, ny, px, py] = [points[at(k + 2)]!, points[at(k + 2) + 1]!, points[at(k - 2)]!, points[at(k - 2) + 1]!];
      const round = Math.min(ROUND, Math.hypot(nx - x, ny - y) / 2, Math.hypot(px - x, py - y) / 2);
      paint.arcTo(x, y, nx, ny, round);
    }
  }
}

function drawLine(paint: Paint, line: Line, colour: string, alpha: number): void {
  paint.beginPath();
  trace(paint, line, false);
  paint.globalAlpha = alpha;
  paint.strokeStyle = colour;
  paint.lineWidth = 1.5;
  paint.stroke();
  paint.globalAlpha = 1;
}
