// What all layers draw from: the scene, the window, and what is selected in it.

import type { Cones } from "../cones";
import type { Scene } from "../scene";
import type { ConeName } from "../types";
import { middleOf, rowsIn } from "../lanes";
import { type View, scale, xOf } from "../view";
import type { Palette } from "./palette";
import type { FindMode } from "../arrangement";

export interface Picture {
  scene: Scene;
  palette: Palette;
  sel: number; // events; -1: none
  marks: readonly number[];
  cones: Cones | null; // of the selected event
  shaded: readonly ConeName[];
  pair: Pair | null;
  find: { mode: FindMode; matches: Uint8Array; some: Scene } | null; // `some`: the matches alone
}

/** Two events that are compared. */
export interface Pair {
  a: number;
  b: number;
  chains: readonly (readonly number[])[]; // of events, to be drawn through
  cones: readonly [Cones, Cones] | null; // of concurrent ones: their frontiers
}

export const TOP = 26; // pixels of the axis above the rows

export type Paint = CanvasRenderingContext2D;

export function yOf(scene: Scene, view: View, e: number): number {
  return TOP + middleOf(scene.layout, scene.layout.rowOf[scene.model.lane[e]!]!) - view.scroll;
}

export function xOfEvent(scene: Scene, view: View, e: number): number {
  return xOf(view, scene.axis.at[e]!);
}

export function rowTop(scene: Scene, view: View, row: number): number {
  return TOP + scene.layout.top[row]! - view.scroll;
}

export function rowMiddle(scene: Scene, view: View, row: number): number {
  return TOP + middleOf(scene.layout, row) - view.scroll;
}

export function rowHeight(scene: Scene, row: number): number {
  return scene.layout.top[row + 1]! - scene.layout.top[row]!;
}

export function rowsShown(scene: Scene, view: View): [number, number] {
  return rowsIn(scene.layout, view.scroll, view.scroll + view.height - TOP);
}

/** How large an event is drawn in a row. */
export function radiusIn(scene: Scene, view: View, row: number): number {
  const column = scene.axis.name === "causal" ? scale(view) : Infinity;
  return Math.max(3.2, Math.min(6.5, rowHeight(scene, row) * 0.17, column * 0.42));
}
