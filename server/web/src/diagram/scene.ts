// Everything that is laid out once and drawn many times: made anew when the trace, the axis, the lanes or the filter
// change, and never while the window moves.

import { type Axis } from "./axis";
import { type EdgeIndex, indexEdges } from "./edges";
import type { Layout, Rows } from "./lanes";
import { Flag, type Model } from "./graph";
import { type Pyramid, buildPyramid } from "./pyramid";
import { type RowEvents, sortIntoRows } from "./rows";

export interface Scene {
  model: Model;
  axis: Axis;
  layout: Layout;
  rows: RowEvents;
  pyramid: Pyramid;
  edges: EdgeIndex;
  highest: Float64Array; // of each event: the rightmost position on its lane up to it
  lowest: Float64Array; // the leftmost from it on
  density: Density;
}

/** The whole trace in a strip. */
export interface Density {
  count: Float64Array; // events in each of SLICES
  races: Uint8Array;
  errors: Uint8Array;
  most: number;
}

export const SLICES = 320;

/** All but how high the rows are, which changes with the window of the browser. With `only`, of these events alone. */
export function layScene(model: Model, axis: Axis, lanes: Rows, only: Uint8Array | null): Omit<Scene, "layout"> {
  const rows = sortIntoRows(model, axis, lanes, only);
  const pyramid = buildPyramid(model, axis, rows);
  const edges = indexEdges(model, axis, lanes, only);
  return { model, axis, rows, pyramid, edges, ...reaches(model, axis), density: densityOf(model, axis) };
}

/** The rows of these events alone. */
export function rowsOfSome({ model, axis }: Omit<Scene, "layout">, lanes: Rows, only: Uint8Array): Pick<Scene, "rows" | "pyramid"> {
  const rows = sortIntoRows(model, axis, lanes, only);
  return { rows, pyramid: buildPyramid(model, axis, rows) };
}

/** On the causal axis both are the event's own position: columns rise along a lane. */
function reaches(model: Model, axis: Axis): { highest: Float64Array; lowest: Float64Array } {
  if (axis.name === "causal") return { highest: axis.at, lowest: axis.at };
  const highest = axis.at.slice();
  const lowest = axis.at.slice();
  for (let l = 0; l < model.lanes.length; l++) {
    const [from, end] = [model.laneFrom[l]!, model.laneFrom[l + 1]!];
    for (let k = from + 1; k < end; k++) {
      const [last, e] = [model.laneEvents[k - 1]!, model.laneEvents[k]!];
      highest[e] = Math.max(highest[e]!, highest[last]!);
    }
    for (let k = end - 2; k >= from; k--) {
      const [e, next] = [model.laneEvents[k]!, model.laneEvents[k + 1]!];
      lowest[e] = Math.min(lowest[e]!, lowest[next]!);
    }
  }
  return { highest, lowest };
}

function densityOf(model: Model, axis: Axis): Density {
  const count = new Float64Array(SLICES);
  const races = new Uint8Array(SLICES);
  const errors = new Uint8Array(SLICES);
  let most = 0;
  for (let e = 0; e < model.count; e++) {
    const slice = Math.max(0, Math.min(SLICES - 1, Math.floor((axis.at[e]! / axis.extent) * SLICES)));
    most = Math.max(most, ++count[slice]!);
    if (model.flags[e]! & Flag.race) races[slice] = 1;
    if (model.flags[e]! & Flag.error) errors[slice] = 1;
  }
  return { count, races, errors, most };
}
