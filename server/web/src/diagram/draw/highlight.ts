// The middle canvas: the selected event with its direct causes and effects, marks, witnesses, matches.

import { eachEvent, showsEvents } from "../marks";
import { eachApart } from "../rows";
import { type View, scale, xOf } from "../view";
import { drawPairs } from "./arrows";
import { FONT } from "./palette";
import { type Paint, type Picture, TOP, radiusIn, rowHeight, rowMiddle, rowsShown, xOfEvent, yOf } from "./picture";
import { strokeRings } from "./races";
import { drawFrontier } from "./regions";

const DIRECT = 300; // causes or effects that are drawn

export function drawHighlight(paint: Paint, picture: Picture, view: View): void {
  const { palette, sel, marks, pair } = picture;
  paint.clearRect(0, 0, view.width, view.height);
  paint.save();
  paint.beginPath();
  paint.rect(0, TOP, view.width, view.height - TOP);
  paint.clip();
  if (picture.find?.mode === "highlight") drawMatches(paint, picture, view);
  if (pair?.cones) {
    pair.cones.forEach((cones, k) => {
      const shaded = cones.event === sel && picture.shaded.includes("past");
      if (!shaded) drawFrontier(paint, picture, view, cones, sideColours(picture)[k]!);
    });
  }
  for (const chain of pair?.chains ?? []) drawChain(paint, picture, view, chain);
  if (sel >= 0) {
    drawDirect(paint, picture, view);
    ring(paint, picture, view, sel, palette.accent);
  }
  const compared = pair ? [pair.a, pair.b] : marks;
  compared.forEach((e, k) => badge(paint, picture, view, e, k));
  paint.restore();
}

function drawDirect(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette, sel } = picture;
  const { model } = scene;
  const causes: [number, number][] = [];
  const effects: [number, number][] = [];
  for (let k = model.causes.from[sel]!; k < model.causes.from[sel + 1]! && causes.length < DIRECT; k++) causes.push([model.causes.other[k]!, sel]);
  for (let k = model.effects.from[sel]!; k < model.effects.from[sel + 1]! && effects.length < DIRECT; k++) effects.push([sel, model.effects.other[k]!]);
  drawPairs(paint, scene, view, causes, palette.cause, 2);
  drawPairs(paint, scene, view, effects, palette.effect, 2);
}

export function ring(paint: Paint, picture: Picture, view: View, e: number, colour: string): void {
  const { scene } = picture;
  const [x, y] = [xOfEvent(scene, view, e), yOf(scene, view, e)];
  const r = radiusIn(scene, view, scene.layout.rowOf[scene.model.lane[e]!]!) + 5.5;
  paint.beginPath();
  paint.arc(x, y, r, 0, 2 * Math.PI);
  paint.strokeStyle = colour;
  paint.globalAlpha = 0.25;
  paint.lineWidth = 6;
  paint.stroke();
  paint.globalAlpha = 1;
  paint.lineWidth = 2.2;
  paint.stroke();
}

/** Through the events of a witness, along lanes and across. */
function drawChain(paint: Paint, picture: Picture, view: View, chain: readonly number[]): void {
  const { scene, palette } = picture;
  const pairs = chain.slice(1).map((e, k) => [chain[k]!, e] as const);
  paint.globalAlpha = 0.2;
  drawPairs(paint, scene, view, pairs, palette.accent, 7);
  paint.globalAlpha = 1;
  drawPairs(paint, scene, view, pairs, palette.accent, 2.2);
}

/** Of A and of B. */
function sideColours({ palette }: Picture): [string, string] {
  return [palette.cause, palette.concurrent];
}

function badge(paint: Paint, picture: Picture, view: View, e: number, side: number): void {
  const { scene, palette } = picture;
  const r = radiusIn(scene, view, scene.layout.rowOf[scene.model.lane[e]!]!);
  const [x, y] = [xOfEvent(scene, view, e), yOf(scene, view, e)];
  const [bx, by] = [x - r - 8, y + r + 7];
  paint.beginPath();
  paint.arc(x, y, r + 3, 0, 2 * Math.PI);
  paint.strokeStyle = sideColours(picture)[side]!;
  paint.lineWidth = 1.6;
  paint.stroke();
  paint.beginPath();
  paint.arc(bx, by, 8, 0, 2 * Math.PI);
  paint.fillStyle = sideColours(picture)[side]!;
  paint.fill();
  paint.fillStyle = palette.surface;
  paint.font = `700 10.5px ${FONT}`;
  paint.textAlign = "center";
  paint.textBaseline = "middle";
  paint.fillText("AB"[side]!, bx, by + 0.5);
  paint.textAlign = "start";
}

function drawMatches(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette, find } = picture;
  const { some } = find!;
  const [first, end] = rowsShown(scene, view);
  paint.fillStyle = palette.match;
  paint.strokeStyle = palette.match;
  paint.lineWidth = 2;
  const rings: number[] = [];
  for (let row = first; row < end; row++) {
    if (scene.layout.rows[row]!.kind === "heading") continue;
    const y = rowMiddle(scene, view, row);
    const r = radiusIn(scene, view, row) + 4;
    if (showsEvents(scene, view, row)) {
      eachEvent(some, view, row, (_, x) => rings.push(x, y, r));
      continue;
    }
    const height = rowHeight(scene, row) * 0.86;
    eachApart(some.rows, row, view.from, view.to, 3 / scale(view), (place) => {
      paint.fillRect(xOf(view, some.rows.at[place]!) - 1, y - height / 2, 2.5, height);
    });
  }
  strokeRings(paint, rings);
}
