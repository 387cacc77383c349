// The lanes as a tree of service, process or instance, and thread, and the order in which siblings stand.

import type { GraphLane, Model } from "./graph";
import { laneName } from "./graph";
import { type Arrangement, keysOf } from "./arrangement";

export interface Node {
  key: string;
  label: string;
  level: 0 | 1 | 2; // service, process, thread
  children: Node[]; // of a thread: none
  lanes: number[]; // all below
  events: number;
}

export function treeOf(model: Model): Node[] {
  const roots: Node[] = [];
  const known = new Map<string, Node>();
  const grow = (among: Node[], key: string, label: string, level: Node["level"]): Node => {
    let node = known.get(key);
    if (!node) {
      node = { key, label, level, children: [], lanes: [], events: 0 };
      known.set(key, node);
      among.push(node);
    }
    return node;
  };
  model.lanes.forEach((lane, l) => {
    const [service, process, thread] = keysOf(lane);
    const top = grow(roots, service, lane.service ?? "(no service)", 0);
    const middle = grow(top.children, process, processName(lane), 1);
    const events = model.laneFrom[l + 1]! - model.laneFrom[l]!;
    for (const node of [top, middle, grow(middle.children, thread, laneName({ ...lane, row: 0 }), 2)]) {
      node.lanes.push(l);
      node.events += events;
    }
  });
  return roots;
}

function processName(lane: GraphLane): string {
  return lane.instance ?? lane.process ?? "(one process)";
}

/** The same nodes in the order that was chosen: as the server has them, or near to what they exchange messages with; then
    what was moved by hand. */
export function arranged(model: Model, roots: Node[], arrangement: Arrangement): Node[] {
  const near = arrangement.near ? nearness(model, roots) : null;
  const sort = (nodes: Node[]): Node[] => {
    let order = near ? [...nodes].sort((a, b) => near.get(a)! - near.get(b)!) : [...nodes];
    for (const [key, before] of arrangement.moved) {
      const node = order.find((one) => one.key === key);
      if (!node) continue;
      order = order.filter((one) => one !== node);
      const at = order.findIndex((one) => one.key === before);
      order.splice(at < 0 ? order.length : at, 0, node);
    }
    return order.map((node) => (node.children.length > 0 ? { ...node, children: sort(node.children) } : node));
  };
  return sort(roots);
}

const ROUNDS = 12;

/** A number for each node by which siblings are to be sorted: every node moves to the mean of those that it exchanges
    messages with, again and again, and the round with the shortest arrows counts. */
function nearness(model: Model, roots: Node[]): Map<Node, number> {
  const links = laneLinks(model);
  let place = new Float64Array(model.lanes.length);
  roots.flatMap(inOrder).forEach((l, at) => (place[l] = at));
  let best = placesOf(roots, place);
  let least = lengthOf(links, place);
  for (let round = 0; round < ROUNDS; round++) {
    const pull = pulls(links, place);
    const wanted = placesOf(roots, pull);
    let next = 0;
    const moved = new Float64Array(place.length);
    const lay = (nodes: Node[]) => {
      for (const node of [...nodes].sort((a, b) => wanted.get(a)! - wanted.get(b)!)) {
        if (node.children.length > 0) lay(node.children);
        else for (const l of node.lanes) moved[l] = next++;
      }
    };
    lay(roots);
    place = moved;
    const length = lengthOf(links, place);
    if (length < least) [least, best] = [length, placesOf(roots, place)];
  }
  return best;
}

function inOrder(node: Node): number[] {
  return node.children.length > 0 ? node.children.flatMap(inOrder) : node.lanes;
}

interface Links {
  a: Int32Array;
  b: Int32Array;
}

function laneLinks(model: Model): Links {
  const a = new Int32Array(model.causes.other.length);
  const b = new Int32Array(model.causes.other.length);
  for (let e = 0; e < model.count; e++) {
    for (let k = model.causes.from[e]!; k < model.causes.from[e + 1]!; k++) {
      a[k] = model.lane[model.causes.other[k]!]!;
      b[k] = model.lane[e]!;
    }
  }
  return { a, b };
}

function lengthOf(links: Links, place: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < links.a.length; k++) sum += Math.abs(place[links.a[k]!]! - place[links.b[k]!]!);
  return sum;
}

function pulls(links: Links, place: Float64Array): Float64Array {
  const sum = place.slice();
  const count = new Float64Array(place.length).fill(1);
  for (let k = 0; k < links.a.length; k++) {
    const [a, b] = [links.a[k]!, links.b[k]!];
    sum[a]! += place[b]!;
    sum[b]! += place[a]!;
    count[a]!++;
    count[b]!++;
  }
  return sum.map((value, l) => value / count[l]!);
}

function placesOf(roots: Node[], place: Float64Array): Map<Node, number> {
  const found = new Map<Node, number>();
  const visit = (node: Node) => {
    found.set(node, node.lanes.reduce((sum, l) => sum + place[l]!, 0) / node.lanes.length);
    node.children.forEach(visit);
  };
  roots.forEach(visit);
  return found;
}
