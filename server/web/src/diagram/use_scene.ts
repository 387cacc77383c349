// From the page's props to what is drawn, each step anew only when what it rests on has changed.

import { useMemo } from "react";
import { type Arrangement, readArrangement } from "./arrangement";
import { type Axis, makeAxis } from "./axis";
import { type Cones, conesOf, sideOf } from "./cones";
import { type Pair, type Picture, TOP } from "./draw/picture";
import { paletteOf } from "./draw/palette";
import { type Found, find } from "./find";
import { type Model, finderOf, readGraph } from "./graph";
import { layOut } from "./lanes";
import { racesInOrder } from "./races";
import { makeScene, someOf } from "./scene";
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
  const layout = useMemo(() => layOut(model, roots, arrangement, height - TOP), [model, roots, arrangement, height]);
  const found = useMemo(() => find(model, state.q), [model, state.q]);
  const axis = axisOf(state.axis);
  const only = arrangement.find === "filter" ? (found?.matches ?? null) : null;
  const scene = useMemo(() => makeScene(model, axis, layout, only), [model, axis, layout, only]);
  const matches = useMemo(
    () => (found && arrangement.find !== "filter" ? { mode: arrangement.find, some: someOf(scene, found.matches) } : null),
    [found, scene, arrangement.find],
  );
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
