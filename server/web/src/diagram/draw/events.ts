// The events: single shapes where there is room, bars elsewhere.

import { type Bar, eachBar, eachEvent, showsEvents } from "../marks";
import { ERROR, RACE } from "../pyramid";
import { KINDS, Kind } from "../kinds";
import { type View, scale } from "../view";
import { type Paint, type Picture, radiusIn, rowHeight, rowMiddle, rowsShown } from "./picture";
import type { Palette } from "./palette";
import { inPaths } from "./paths";
import { shape } from "./shapes";

/** Shapes gathered by kind: few paths instead of one an event. */
class Shapes {
  private readonly xs: number[][] = Array.from({ length: KINDS * 2 }, () => []);

  add(kind: number, open: number, x: number, y: number, r: number): void {
    this.xs[kind * 2 + open]!.push(x, y, r);
  }

  draw(paint: Paint, palette: Palette): void {
    paint.lineWidth = 1.4;
    paint.lineJoin = "round";
    this.xs.forEach((at, which) => {
      if (at.length === 0) return;
      const kind = which >> 1;
      const open = which % 2 === 1;
      paint.fillStyle = open ? palette.surface : palette.fill[kind]!;
      paint.strokeStyle = palette.ink[kind]!;
      const add = (k: number) => shape(paint, kind as Kind, open, at[k * 3]!, at[k * 3 + 1]!, at[k * 3 + 2]!);
      inPaths(paint, at.length / 3, add, () => {
        paint.fill();
        paint.stroke();
      });
    });
  }
}

export function drawEvents(paint: Paint, picture: Picture, view: View): void {
  const { scene, palette } = picture;
  const [first, end] = rowsShown(scene, view);
  const shapes = new Shapes();
  const bars = new Bars();
  for (let row = first; row < end; row++) {
    const kind = scene.layout.rows[row]!.kind;
    if (kind === "heading") continue;
    const y = rowMiddle(scene, view, row);
    if (kind !== "stub" && showsEvents(scene, view, row)) {
      const r = radiusIn(scene, view, row);
      drawDurations(paint, picture, view, row, y, r);
      eachEvent(scene, view, row, (e, x) => shapes.add(scene.model.look[e]!, scene.model.open[e]!, x, y, r));
    } else {
      const most = rowHeight(scene, row) * (kind === "stub" ? 0.4 : 0.62);
      eachBar(scene, view, row, (bar) => bars.add(bar, y, most));
      bars.endRow();
    }
  }
  bars.draw(paint, palette);
  shapes.draw(paint, palette);
}

/** On the time axis, how long what an event closes has lasted. */
function drawDurations(paint: Paint, picture: Picture, view: View, row: number, y: number, r: number): void {
  const { model, axis } = picture.scene;
  if (axis.name !== "time") return;
  paint.globalAlpha = 0.3;
  eachEvent(picture.scene, view, row, (e, x) => {
    const width = Math.min(model.duration[e]! * scale(view), 4 * view.width);
    if (width < r * 2) return;
    paint.fillStyle = picture.palette.fill[model.look[e]!]!;
    paint.fillRect(x - width, y - r * 0.6, width, r * 1.2);
  });
  paint.globalAlpha = 1;
}

/** Bars of a row that are alike and next to each other are one rectangle; all of one colour are drawn together. */
class Bars {
  private readonly rects: number[][] = Array.from({ length: KINDS + 1 }, () => []);
  private readonly races: number[] = [];
  private readonly errors: number[] = [];
  private colour = -1;
  private x = 0;
  private right = 0;
  private top = 0;
  private height = 0;

  add(bar: Bar, y: number, most: number): void {
    const colour = COLOURS[bar.mask & 0xff]!;
    const height = Math.max(3, Math.round(SHARES[Math.min(bar.count, SHARES.length - 1)]! * most));
    const top = y - height / 2;
    if (bar.mask & RACE) this.races.push(bar.x, y - most / 2 - 1);
    if (bar.mask & ERROR) this.errors.push(bar.x, y + most / 2 - 1);
    if (colour !== this.colour || height !== this.height || bar.x > this.right + 0.5) {
      this.endRow();
      this.colour = colour;
      this.x = bar.x;
      this.top = top;
      this.height = height;
    }
    this.right = bar.x + bar.width;
  }

  endRow(): void {
    if (this.colour >= 0) this.rects[this.colour]!.push(this.x, this.top, Math.max(1.5, this.right - this.x - 0.4), this.height);
    this.colour = -1;
  }

  draw(paint: Paint, palette: Palette): void {
    this.rects.forEach((rects, colour) => {
      paint.fillStyle = colour === KINDS ? palette.mixed : palette.fill[colour]!;
      for (let k = 0; k < rects.length; k += 4) paint.fillRect(rects[k]!, rects[k + 1]!, rects[k + 2]!, rects[k + 3]!);
    });
    paint.fillStyle = palette.fill[Kind.error]!;
    for (let k = 0; k < this.errors.length; k += 2) paint.fillRect(this.errors[k]!, this.errors[k + 1]!, 2, 3);
    paint.fillStyle = palette.race;
    for (let k = 0; k < this.races.length; k += 2) paint.fillRect(this.races[k]!, this.races[k + 1]!, 2, 4);
  }
}

/** By the kinds in a bar: the one's, or that of several. */
const COLOURS = Uint8Array.from({ length: 256 }, (_, kinds) => ((kinds & (kinds - 1)) === 0 ? 31 - Math.clz32(kinds) : KINDS));
/** By the events in a bar: the part of a row's height, more slowly than they. */
const SHARES = Float64Array.from({ length: 512 }, (_, count) => Math.min(1, 0.22 + Math.log2(count + 1) * 0.13));
