// From the page's props to what is drawn, each step anew only when what it rests on has changed.

import { useMemo } from "../base/react";
import { type Arrangement, readArrangement } from "./arrangement";
import { type Axis, makeAxis } from "./axis";
import { type Cones, conesOf, sideOf } from "./cones";
import { type Pair, type Picture, TOP } from "./draw/picture";
import { paletteOf } from "./draw/palette";
import { type Found, find } from "./find";
import { type Model, finderOf, readGraph } from "./graph";
import { layRows, stacked } from "./lanes";
import { racesInOrder } from "./races";
import { layScene, rowsOfSome } from "./scene";
import { type Node, arranged, treeOf } from "./tree";
import type { AxisName, DiagramProps } from "./types";

export interface Shown {
  model: Model;
  findEvent(id: string | null | undefined): number;
  axisOf(name: AxisName): Axis;
  arrangement: Arrangement;
  roots: Node[]; // in the order that is shown
  found: Found | null;
  raceOrder: Int32Array;
  pair: readonly [number, number] | null;
  picture: Picture;
}

export function useScene({ graph, state, theme }: DiagramProps, height: number, chains: Pair["chains"]): Shown {
  const model = useMemo(() => readGraph(graph), [graph]);
  const findEvent = useMemo(() => finderOf(model), [model]);
  const axisOf = useMemo(() => {
    const made = new Map<AxisName, Axis>();
    return (name: AxisName) => {
      if (!made.has(name)) made.set(name, makeAxis(model, name));
      return made.get(name)!;
    };
  }, [model]);
  const hide = state.hide.join("\n");
  const arrangement = useMemo(() => readArrangement(hide === "" ? [] : hide.split("\n")), [hide]);
  const tree = useMemo(() => treeOf(model), [model]);
  const roots = useMemo(() => arranged(model, tree, arrangement), [model, tree, arrangement]);
  const lanes = useMemo(() => layRows(model, roots, arrangement), [model, roots, arrangement]);
  const layout = useMemo(() => stacked(lanes, height - TOP), [lanes, height]);
  const found = useMemo(() => find(model, state.q), [model, state.q]);
  const axis = axisOf(state.axis);
  const only = arrangement.find === "filter" ? (found?.matches ?? null) : null;
  const laid = useMemo(() => layScene(model, axis, lanes, only), [model, axis, lanes, only]);
  const scene = useMemo(() => ({ ...laid, layout }), [laid, layout]);
  const some = useMemo(
    () => (found && arrangement.find !== "filter" ? rowsOfSome(laid, lanes, found.matches) : null),
    [found, laid, lanes, arrangement.find],
  );
  const matches = useMemo(() => some && found && { mode: arrangement.find, matches: found.matches, some: { ...scene, ...some } }, [some, found, scene, arrangement.find]);
  const sel = findEvent(state.sel);
  const cones = useMemo(() => (sel < 0 ? null : conesOf(model, sel)), [model, sel]);
  const markIds = state.marks.join("\n");
  const marks = useMemo(() => state.marks.map(findEvent).filter((e) => e >= 0).slice(0, 2), [markIds, findEvent]);
  const a = marks[0] ?? -1;
  const b = marks.length === 2 ? marks[1]! : sel;
  const both = useMemo(() => (a >= 0 && b >= 0 && a !== b ? ([a, b] as const) : null), [a, b]);
  const pair = useMemo(() => both && { a: both[0], b: both[1], chains, cones: frontiersOf(model, both) }, [model, both, chains]);
  const coneNames = state.cone.join();
  const shaded = useMemo(() => state.cone, [coneNames]);
  const raceOrder = useMemo(() => racesInOrder(model, axis), [model, axis]);
  const palette = paletteOf(theme);
  const picture = useMemo(
    () => ({ scene, palette, sel, marks, cones, shaded, pair, find: matches }),
    [scene, palette, sel, marks, cones, shaded, pair, matches],
  );
  return { model, findEvent, axisOf, arrangement, roots, found, raceOrder, pair: both, picture };
}

function frontiersOf(model: Model, [a, b]: readonly [number, number]): readonly [Cones, Cones] | null {
  const first = conesOf(model, a);
  return sideOf(model, first, b) === 0 ? [first, conesOf(model, b)] : null;
}
