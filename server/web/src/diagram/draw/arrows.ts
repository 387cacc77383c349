// Arrows between lanes, and bundles of them where they are too many to be told apart.

import { SINGLY, bundlesAtHand, bundlesFor, bundlesIn, countIn, edgesIn } from "../edges";
import { duration } from "../../base/format";
import type { Scene } from "../scene";
import { type View, scale, xOf } from "../view";
import { FONT } from "./palette";
import { strokeLines } from "./paths";
import { type Paint, type Picture, radiusIn, rowMiddle, rowsShown, xOfEvent, yOf } from "./picture";

/** What was drawn of the arrows: those that may be hit, and what is to be said of the rest. */
export interface Drawn {
  edges: readonly number[];
  arrows: number; // in the window
  bundles: number;
  shown: number; // of them
}

const COLUMN = 96; // pixels of a bundle's column at least
const BUNDLES = 30; // of a column
const HEADS = 1200; // arrows; the heads of more would be all that is seen
const BACKWARDS = 24; // amounts that are written at arrows against time

export function drawArrows(paint: Paint, picture: Picture, view: View): Drawn {
  const { scene, palette } = picture;
  const [first, end] = rowsShown(scene, view);
  const arrows = countIn(scene.edges, view.from, view.to);
  const singly = arrows <= 8 * SINGLY ? edgesIn(scene.edges, view.from, view.to, first, end, SINGLY) : null;
  if (!singly) return drawBundles(paint, picture, view, arrows);
  const strength = singly.length > 1500 ? 0.28 : singly.length > 400 ? 0.55 : 0.95;
  paint.globalAlpha = strength * quiet(picture);
  const forward = singly.filter((k) => !backwards(scene, k));
  arrowsOf(paint, scene, view, forward, palette.edge, 1.1);
  paint.globalAlpha = 1;
  drawBackwards(paint, picture, view, singly.filter((k) => backwards(scene, k)));
  drawWeak(paint, picture, view);
  return { edges: singly, arrows, bundles: 0, shown: 0 };
}

/** Where something else is to be seen, arrows step back. */
function quiet({ sel, find }: Picture): number {
  return (sel >= 0 ? 0.45 : 1) * (find?.mode === "dim" ? 0.4 : 1);
}

/** On the time axis, an effect that is stamped before its cause. */
export function backwards(scene: Scene, k: number): boolean {
  return scene.axis.name === "time" && scene.model.t[scene.edges.effect[k]!]! < scene.model.t[scene.edges.cause[k]!]!;
}

function arrowsOf(paint: Paint, scene: Scene, view: View, edges: readonly number[], colour: string, width: number): void {
  const pairs = edges.map((k) => [scene.edges.cause[k]!, scene.edges.effect[k]!] as const);
  drawPairs(paint, scene, view, pairs, colour, width);
}

/** Straight lines with heads. */
export function drawPairs(paint: Paint, scene: Scene, view: View, pairs: readonly (readonly [number, number])[], colour: string, width: number): void {
  const heads: number[] = [];
  paint.strokeStyle = colour;
  strokeLines(paint, pairs.length, width, (k) => {
    const [c, e] = pairs[k]!;
    const [x1, y1, x2, y2] = [xOfEvent(scene, view, c), yOf(scene, view, c), xOfEvent(scene, view, e), yOf(scene, view, e)];
    const length = Math.hypot(x2 - x1, y2 - y1);
    if (length < 1) return;
    const [dx, dy] = [(x2 - x1) / length, (y2 - y1) / length];
    const from = Math.min(length / 3, radiusIn(scene, view, scene.layout.rowOf[scene.model.lane[c]!]!));
    const to = Math.min(length / 3, radiusIn(scene, view, scene.layout.rowOf[scene.model.lane[e]!]!) + 1.5);
    const [x, y] = [x2 - dx * to, y2 - dy * to];
    paint.moveTo(x1 + dx * from, y1 + dy * from);
    paint.lineTo(x, y);
    if (length > 14 && pairs.length <= HEADS) heads.push(x, y, dx, dy);
  });
  drawHeads(paint, heads, colour, 4 + width * 2);
}

function drawHeads(paint: Paint, heads: readonly number[], colour: string, size: number): void {
  paint.beginPath();
  for (let k = 0; k < heads.length; k += 4) {
    const [x, y, dx, dy] = [heads[k]!, heads[k + 1]!, heads[k + 2]!, heads[k + 3]!];
    paint.moveTo(x + dx, y + dy);
    paint.lineTo(x - dx * size - dy * size * 0.42, y - dy * size + dx * size * 0.42);
    paint.lineTo(x - dx * size + dy * size * 0.42, y - dy * size - dx * size * 0.42);
  }
  paint.fillStyle = colour;
  paint.fill();
}

function drawBackwards(paint: Paint, picture: Picture, view: View, edges: readonly number[]): void {
  if (edges.length === 0) return;
  const { scene, palette } = picture;
  paint.setLineDash([5, 4]);
  arrowsOf(paint, scene, view, edges, palette.warning, 1.4);
  paint.setLineDash([]);
  if (edges.length > BACKWARDS) return;
  paint.font = `11px ${FONT}`;
  paint.textBaseline = "middle";
  for (const k of edges) {
    const [c, e] = [scene.edges.cause[k]!, scene.edges.effect[k]!];
    const x = (xOfEvent(scene, view, c) + xOfEvent(scene, view, e)) / 2;
    const y = (yOf(scene, view, c) + yOf(scene, view, e)) / 2;
    tag(paint, `−${duration((scene.model.t[c]! - scene.model.t[e]!) / 1000)}`, x + 6, y, palette.warning, palette.surface);
  }
}

/** A text with the ground behind it. */
export function tag(paint: Paint, text: string, x: number, y: number, colour: string, ground: string): void {
  paint.lineWidth = 3.5;
  paint.lineJoin = "round";
  paint.strokeStyle = ground;
  paint.strokeText(text, x, y);
  paint.fillStyle = colour;
  paint.fillText(text, x, y);
}

/** Edges that are known by time or by a call's return alone: dotted, where there are few. */
function drawWeak(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  const { model, rows } = scene;
  const [first, end] = rowsShown(scene, view);
  const pairs: [number, number][] = [];
  if (model.weak.other.length === 0 || rows.events.length > 20_000) return;
  for (const e of rows.events) {
    for (let k = model.weak.from[e]!; k < model.weak.from[e + 1]!; k++) {
      const c = model.weak.other[k]!;
      const [a, b] = [scene.layout.rowOf[model.lane[c]!]!, scene.layout.rowOf[model.lane[e]!]!];
      if (a === b || Math.max(a, b) < first || Math.min(a, b) >= end) continue;
      if (Math.max(scene.axis.at[c]!, scene.axis.at[e]!) < view.from || Math.min(scene.axis.at[c]!, scene.axis.at[e]!) > view.to) continue;
      if (pairs.push([c, e]) > 600) return;
    }
  }
  paint.setLineDash([1.5, 3.5]);
  drawPairs(paint, scene, view, pairs, palette.weak, 1.2);
  paint.setLineDash([]);
}

function powerFor(scene: Scene, view: View): number {
  return Math.max(0, Math.floor(Math.log2((scene.axis.extent * scale(view)) / COLUMN)));
}

/** Makes bundles that a nearby zoom will ask for, one set a call, while nothing is drawn; false: all are there. */
export function prepareArrows(scene: Scene, view: View): boolean {
  if (countIn(scene.edges, view.from, view.to) <= SINGLY) return false;
  const power = powerFor(scene, view);
  const missing = [power, power + 1, power - 1, power + 2].find((one) => one >= 0 && !scene.edges.bundled.has(one));
  if (missing !== undefined) bundlesFor(scene.edges, scene.axis, missing);
  return missing !== undefined;
}

function drawBundles(paint: Paint, picture: Picture, view: View, arrows: number): Drawn {
  const { scene, palette } = picture;
  const [first, end] = rowsShown(scene, view);
  const bundles = bundlesAtHand(scene.edges, scene.axis, powerFor(scene, view));
  const seen = bundlesIn(bundles, view.from, view.to, first, end, BUNDLES);
  const byWidth: number[][] = [[], [], [], []];
  for (const slot of seen.slots) byWidth[Math.min(3, Math.floor(Math.log2(bundles.count[slot]!)))]!.push(slot);
  paint.strokeStyle = palette.edge;
  byWidth.forEach((slots, thick) => {
    if (slots.length === 0) return;
    paint.globalAlpha = quiet(picture) * (0.15 + thick * 0.06);
    strokeLines(paint, slots.length, 1 + thick * 0.5, (k) => {
      const slot = slots[k]!;
      paint.moveTo(xOf(view, bundles.from[slot]!), rowMiddle(scene, view, bundles.causeRow[slot]!));
      paint.lineTo(xOf(view, bundles.to[slot]!), rowMiddle(scene, view, bundles.effectRow[slot]!));
    });
  });
  paint.globalAlpha = 1;
  return { edges: [], arrows, bundles: seen.bundles, shown: seen.slots.length };
}
