// What the keys and buttons do. Everything goes through the page's state, so that it is in the address.

import { type Arrangement, writeArrangement } from "./arrangement";
import type { Engine } from "./engine";
import { nextMatch } from "./find";
import { across, along } from "./hit";
import type { Action } from "./keys";
import { nextRace } from "./races";
import type { ConeName, DiagramState } from "./types";
import type { Shown } from "./use_scene";
import { valueAt } from "./axis";
import { whole } from "./view";

export interface Actor {
  act(action: Action): void;
  select(e: number): void;
  arrange(next: Partial<Arrangement>): void;
}

export interface Surroundings {
  engine: Engine;
  shown: Shown;
  state: DiagramState;
  change(next: Partial<DiagramState>): void;
  reveal(events: readonly number[], fit?: boolean): void; // also up and down
  focusFind(): void;
}

const ZOOM = 1.6;

export function actorOf(at: Surroundings): Actor {
  const { engine, shown, state, change } = at;
  const { model, picture } = shown;
  const { scene, sel } = picture;

  const select = (e: number) => {
    if (e < 0) return change({ sel: null });
    change({ sel: model.id[e]! });
    at.reveal([e]);
  };
  const arrange = (next: Partial<Arrangement>) => change({ hide: writeArrangement({ ...shown.arrangement, ...next }) });
  const shade = (cone: ConeName) =>
    change({ cone: state.cone.includes(cone) ? state.cone.filter((one) => one !== cone) : [...state.cone, cone] });
  const start = () => (scene.rows.events.length > 0 ? (scene.axis.order.find((e) => !shown.found || shown.found.matches[e] === 1) ?? -1) : -1);
  const step = (to: (e: number) => number) => select(sel < 0 ? start() : to(sel));
  const neighbour = (edges: typeof model.causes, pick: "first" | "last") => {
    if (sel < 0 || edges.from[sel] === edges.from[sel + 1]) return;
    const its = [...edges.other.subarray(edges.from[sel], edges.from[sel + 1])].sort((a, b) => scene.axis.at[a]! - scene.axis.at[b]!);
    select(pick === "first" ? its[0]! : its[its.length - 1]!);
  };
  const match = (by: 1 | -1) => {
    const e = shown.found ? nextMatch(scene.axis.order, shown.found.matches, sel, by) : -1;
    if (e >= 0) select(e);
  };
  const race = (by: 1 | -1) => {
    const r = nextRace(model, shown.raceOrder, picture.marks, by);
    if (r < 0) return;
    const { a, b } = model.races[r]!;
    change({ sel: model.id[a]!, marks: [model.id[a]!, model.id[b]!] });
    at.reveal([a, b]);
  };
  const mark = () => {
    if (sel < 0) return;
    const id = model.id[sel]!;
    change({ marks: state.marks.includes(id) ? state.marks.filter((one) => one !== id) : [...state.marks.slice(-1), id] });
  };
  const back = () => {
    if (state.sel !== null) change({ sel: null });
    else if (state.marks.length > 0) change({ marks: [] });
    else if (state.q !== "") change({ q: "" });
  };
  const turnAxis = () => {
    const axis = state.axis === "causal" ? "time" : "causal";
    change({ axis, ...otherWindow(at, axis) });
  };
  const doing: Record<Action, () => void> = {
    zoomIn: () => engine.zoom(ZOOM, pivot(engine, sel)),
    zoomOut: () => engine.zoom(1 / ZOOM, pivot(engine, sel)),
    panLeft: () => engine.pan(-engine.view.width / 5),
    panRight: () => engine.pan(engine.view.width / 5),
    fitAll: () => engine.fitAll(),
    fitSelection: () => at.reveal(sel < 0 ? picture.marks : [sel, ...directOf(shown, sel)], true),
    left: () => step((e) => along(scene, e, -1)),
    right: () => step((e) => along(scene, e, 1)),
    up: () => step((e) => across(scene, e, -1)),
    down: () => step((e) => across(scene, e, 1)),
    firstCause: () => neighbour(model.causes, "first"),
    firstEffect: () => neighbour(model.effects, "first"),
    past: () => shade("past"),
    future: () => shade("future"),
    concurrent: () => shade("concurrent"),
    nextMatch: () => match(1),
    previousMatch: () => match(-1),
    nextRace: () => race(1),
    previousRace: () => race(-1),
    mark,
    axis: turnAxis,
    find: at.focusFind,
    back,
  };
  return { act: (action) => doing[action](), select, arrange };
}

/** Zooming goes to the selected event where it is seen, else to the middle. */
function pivot(engine: Engine, sel: number): number {
  const middle = engine.view.width / 2;
  if (sel < 0) return middle;
  const { x } = engine.whereIs(sel);
  return x >= 0 && x <= engine.view.width ? x : middle;
}

function directOf(shown: Shown, e: number): number[] {
  const { causes, effects } = shown.model;
  return [...causes.other.subarray(causes.from[e], causes.from[e + 1]), ...effects.other.subarray(effects.from[e], effects.from[e + 1])].slice(0, 1000);
}

/** On the other axis as narrow a window around the selected event; without one, everything. */
function otherWindow({ engine, shown }: Surroundings, name: DiagramState["axis"]): { x0: number | null; x1: number | null } {
  const { sel, scene } = shown.picture;
  const all = whole(scene.axis, engine.view.width);
  const part = (engine.view.to - engine.view.from) / (all.to - all.from);
  if (sel < 0 || part > 0.95) return { x0: null, x1: null };
  const axis = shown.axisOf(name);
  const half = (axis.extent * part) / 2;
  return { x0: valueAt(axis, axis.at[sel]! - half), x1: valueAt(axis, axis.at[sel]! + half) };
}
