// Races: a red ring around each access, an arc from one to the other.

import { raceLabel } from "../races";
import { Flag } from "../graph";
import { eachEvent, showsEvents } from "../marks";
import type { View } from "../view";
import { FONT } from "./palette";
import { tag } from "./arrows";
import { inPaths } from "./paths";
import { type Paint, type Picture, TOP, radiusIn, rowMiddle, rowsShown, xOfEvent, yOf } from "./picture";

const ARCS = 40; // more than these would hide what they join
const LABELS = 8;

export function drawRaces(paint: Paint, picture: Picture, view: View): void {
  drawRings(paint, picture, view);
  const { model } = picture.scene;
  const seen: number[] = [];
  for (let r = 0; r < model.races.length && seen.length <= ARCS; r++) if (touches(picture, view, r)) seen.push(r);
  const marked = model.races.findIndex(({ a, b }) => picture.marks.length === 2 && picture.marks.includes(a) && picture.marks.includes(b));
  const labels: Label[] = [];
  const arc = (r: number, strength: number, labelled: boolean) => {
    const label = drawArc(paint, picture, view, r, strength);
    if (label && labelled) labels.push(label);
  };
  if (marked >= 0) arc(marked, 1.5, true);
  if (seen.length <= ARCS) for (const r of seen) if (r !== marked) arc(r, seen.length <= LABELS ? 1 : 0.75, seen.length <= LABELS);
  drawLabels(paint, picture, labels);
}

interface Label {
  text: string;
  x: number;
  y: number;
}

/** Those for which there is room, the first ones first. */
function drawLabels(paint: Paint, { palette }: Picture, labels: readonly Label[]): void {
  paint.font = `600 11px ${FONT}`;
  paint.textBaseline = "middle";
  const drawn: { x: number; y: number; end: number }[] = [];
  for (const { text, x, y } of labels) {
    const end = x + paint.measureText(text).width;
    if (drawn.some((other) => Math.abs(other.y - y) < 13 && x < other.end + 4 && end + 4 > other.x)) continue;
    drawn.push({ x, y, end });
    tag(paint, text, x, y, palette.race, palette.surface);
  }
}

function drawRings(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  const [first, end] = rowsShown(scene, view);
  const rings: number[] = [];
  for (let row = first; row < end; row++) {
    const { kind } = scene.layout.rows[row]!;
    if (kind === "heading" || kind === "stub" || !showsEvents(scene, view, row)) continue;
    const y = rowMiddle(scene, view, row);
    const r = radiusIn(scene, view, row) + 3.2;
    eachEvent(scene, view, row, (e, x) => scene.model.flags[e]! & Flag.race && rings.push(x, y, r));
  }
  paint.strokeStyle = palette.race;
  paint.globalAlpha = picture.find?.mode === "dim" ? 0.35 : 1;
  paint.lineWidth = 1.8;
  strokeRings(paint, rings);
  paint.globalAlpha = 1;
}

/** x, y and radius by turns. */
export function strokeRings(paint: Paint, rings: readonly number[]): void {
  const add = (k: number) => {
    const [x, y, r] = [rings[k * 3]!, rings[k * 3 + 1]!, rings[k * 3 + 2]!];
    paint.moveTo(x + r, y);
    paint.arc(x, y, r, 0, 2 * Math.PI);
  };
  inPaths(paint, rings.length / 3, add, () => paint.stroke());
}

/** Both ends are drawn in rows that are shown, and the arc reaches into the window. */
function touches(picture: Picture, view: View, r: number): boolean {
  const { scene } = picture;
  const { a, b } = scene.model.races[r]!;
  const [x1, x2] = [xOfEvent(scene, view, a), xOfEvent(scene, view, b)];
  const [y1, y2] = [yOf(scene, view, a), yOf(scene, view, b)];
  return Math.max(x1, x2) > 0 && Math.min(x1, x2) < view.width && Math.max(y1, y2) > TOP && Math.min(y1, y2) < view.height;
}

function drawArc(paint: Paint, picture: Picture, view: View, r: number, strength: number): Label | null {
  const { scene, palette } = picture;
  const race = scene.model.races[r]!;
  const [x1, y1, x2, y2] = [xOfEvent(scene, view, race.a), yOf(scene, view, race.a), xOfEvent(scene, view, race.b), yOf(scene, view, race.b)];
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < 4) return null;
  const swing = Math.min(70, 16 + length * 0.22);
  const side = x2 >= x1 === y2 >= y1 ? 1 : -1; // to the right of the line that joins them
  const [mx, my] = [(x1 + x2) / 2 + (Math.abs(y2 - y1) / length) * swing, (y1 + y2) / 2 - (side * Math.abs(x2 - x1) / length) * swing];
  const [from, to] = [leave(x1, y1, mx, my, 9), leave(x2, y2, mx, my, 9)];
  const line = (width: number, alpha: number) => {
    paint.beginPath();
    paint.moveTo(from.x, from.y);
    paint.quadraticCurveTo(mx, my, to.x, to.y);
    paint.globalAlpha = alpha;
    paint.lineWidth = width;
    paint.stroke();
    paint.globalAlpha = 1;
  };
  paint.strokeStyle = palette.race;
  paint.lineCap = "round";
  line(6 * strength, 0.16 * strength);
  line(1.8 * strength, Math.min(1, strength));
  paint.lineCap = "butt";
  return { text: raceLabel(scene.model, race), x: (x1 + x2) / 4 + mx / 2 + 7, y: (y1 + y2) / 4 + my / 2 - 6 };
}

function leave(x: number, y: number, towardX: number, towardY: number, by: number): { x: number; y: number } {
  const length = Math.max(1, Math.hypot(towardX - x, towardY - y));
  return { x: x + ((towardX - x) / length) * by, y: y + ((towardY - y) / length) * by };
}
