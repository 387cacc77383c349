// The names of events beside them, last of all and only where they fit.

import { Flag, type Model, nameOf } from "../graph";
import { Kind } from "../kinds";
import { eachEvent, showsEvents } from "../marks";
import type { View } from "../view";
import { FONT } from "./palette";
import { inPaths } from "./paths";
import { type Paint, type Picture, TOP, radiusIn, rowHeight, rowMiddle, rowsShown } from "./picture";

const LEAST = 26; // pixels: less would be an ellipsis and little else
const MOST = 500; // labels of a frame

export function drawLabels(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  const [first, end] = rowsShown(scene, view);
  paint.textBaseline = "middle";
  paint.lineJoin = "round";
  let room = MOST;
  const matches = picture.find?.mode === "dim" ? picture.find.matches : null;
  for (let row = first; row < end && room > 0; row++) {
    const { kind } = scene.layout.rows[row]!;
    const height = rowHeight(scene, row);
    if (kind === "heading" || kind === "stub" || !showsEvents(scene, view, row)) continue;
    const size = height >= 26 ? 12 : 11;
    const above = height >= 40; // over the line, else upon it
    const y = rowMiddle(scene, view, row) - (above ? radiusIn(scene, view, row) + 11 : 0);
    const font = `${size}px ${FONT}`;
    paint.font = font;
    let before = -1;
    let from = 0;
    const put = (to: number) => {
      if (before < 0 || room <= 0 || from > view.width || to < 0) return;
      if (matches && !matches[before]) return;
      const text = fitted(paint, font, labelOf(scene.model, before), to - from - 9);
      if (text === "") return;
      room--;
      paint.strokeStyle = palette.surface;
      paint.lineWidth = 3.5;
      paint.strokeText(text, from, y);
      paint.fillStyle = scene.model.flags[before]! & Flag.race ? palette.race : palette.text;
      paint.fillText(text, from, y);
    };
    const beside = above ? -radiusIn(scene, view, row) : radiusIn(scene, view, row) + 6;
    eachEvent(scene, view, row, (e, x) => {
      put(x - (above ? radiusIn(scene, view, row) : radiusIn(scene, view, row) + 4));
      before = e;
      from = x + beside;
    });
    put(Math.max(view.width, from) + 400);
  }
}

/** "W balance", "POST /transfer" */
export function labelOf(model: Model, e: number): string {
  const name = nameOf(model, e);
  if (model.look[e] !== Kind.access) return name;
  return `${model.flags[e]! & Flag.writes ? "W" : "R"} ${name}`;
}

const widths = new Map<string, Map<string, number>>(); // by font and text
const REMEMBERED = 20_000;

function widthOf(paint: Paint, font: string, text: string): number {
  let known = widths.get(font);
  if (!known || known.size > REMEMBERED) widths.set(font, (known = new Map()));
  let width = known.get(text);
  if (width === undefined) known.set(text, (width = paint.measureText(text).width));
  return width;
}

/** The text, or its beginning with an ellipsis, or nothing. */
function fitted(paint: Paint, font: string, text: string, room: number): string {
  if (room < LEAST) return "";
  const width = widthOf(paint, font, text);
  if (width <= room) return text;
  const letters = Math.floor((text.length * (room - 9)) / width);
  return letters < 3 ? "" : `${text.slice(0, letters).trimEnd()}…`;
}

/** Where a parent is named that was not received: a hollow place before the event. */
export function drawMissing(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  const [first, end] = rowsShown(scene, view);
  const missing: number[] = []; // x and y of the event, its radius, y of the place
  for (let row = first; row < end; row++) {
    const { kind } = scene.layout.rows[row]!;
    if (kind === "heading" || kind === "stub" || !showsEvents(scene, view, row)) continue;
    const r = radiusIn(scene, view, row);
    const y = rowMiddle(scene, view, row);
    const above = Math.max(TOP + 4, y - rowHeight(scene, row) * 0.3);
    eachEvent(scene, view, row, (e, x) => scene.model.flags[e]! & Flag.orphan && missing.push(x, y, r, above));
  }
  paint.strokeStyle = palette.muted;
  paint.lineWidth = 1.2;
  paint.setLineDash([2.5, 2.5]);
  const add = (k: number) => {
    const [x, y, r, above] = missing.slice(k * 4, k * 4 + 4) as [number, number, number, number];
    const px = x - 20;
    paint.moveTo(px + r * 0.8, above);
    paint.arc(px, above, r * 0.8, 0, 2 * Math.PI);
    paint.moveTo(px + r * 0.8 + 1, above + 1);
    paint.lineTo(x - r, y - 1);
  };
  inPaths(paint, missing.length / 4, add, () => paint.stroke());
  paint.setLineDash([]);
}
