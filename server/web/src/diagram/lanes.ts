// The rows of the diagram, from top to bottom: headings, lanes, groups that are collapsed into one row, and stubs, which
// stand for what is hidden and say how much that is. Every lane belongs to exactly one row.

import { type Model, laneName } from "./graph";
import type { Arrangement } from "./arrangement";
import type { Node } from "./tree";
import { firstAbove } from "./axis";

export type RowKind = "heading" | "lane" | "group" | "stub";

export interface Row {
  kind: RowKind;
  key: string; // of the node; of a stub, that of the group it stands in
  label: string;
  detail: string; // after the label, fainter
  depth: number;
  lanes: number[]; // those drawn in this row; of a heading none
  events: number;
  node: Node | null; // null: a stub
  pinned: boolean;
  hidden: string[]; // of a stub: what is to be shown again
}

/** Which rows there are: all that arrows and events need to know. */
export interface Rows {
  rows: Row[];
  rowOf: Int32Array; // of each lane
}

export interface Layout extends Rows {
  top: Float64Array; // of row r; top[rows.length] is the height of all
}

const HEADING = 24;
const STUB = 24;
const LANE_LEAST = 24; // what a finger can hit
const LANE_MOST = 58;

export function layRows(model: Model, roots: Node[], arrangement: Arrangement): Rows {
  const rows = rowsOf(model, roots, arrangement);
  const rowOf = new Int32Array(model.lanes.length);
  rows.forEach((row, r) => {
    for (const l of row.lanes) rowOf[l] = r;
  });
  return { rows, rowOf };
}

/** Rows share the height that there is, and are scrolled where they would be too narrow to read. */
export function stacked({ rows, rowOf }: Rows, height: number): Layout {
  const fixed = (row: Row) => (row.kind === "heading" ? HEADING : row.kind === "stub" ? STUB : 0);
  const wide = rows.filter((row) => fixed(row) === 0).length;
  const share = wide > 0 ? Math.floor((height - rows.reduce((sum, row) => sum + fixed(row), 0) - 12) / wide) : LANE_MOST;
  const lane = Math.max(LANE_LEAST, Math.min(LANE_MOST, share));
  const top = new Float64Array(rows.length + 1);
  rows.forEach((row, r) => (top[r + 1] = top[r]! + (fixed(row) || lane)));
  return { rows, rowOf, top };
}

function rowsOf(model: Model, roots: Node[], arrangement: Arrangement): Row[] {
  const pinned = pinnedOf(roots, arrangement);
  const rows: Row[] = [];
  for (const key of pinned) emit(model, findNode(roots, key)!, arrangement, new Set(), rows, true);
  const stub = new Stub("", 0);
  for (const root of roots) place(model, root, arrangement, pinned, rows, stub);
  stub.end(rows);
  return rows;
}

/** What is pinned neither together with what it is in, nor hidden. */
function pinnedOf(roots: Node[], arrangement: Arrangement): Set<string> {
  const shown = new Set(arrangement.pinned.filter((key) => findNode(roots, key) && !arrangement.hidden.has(key)));
  return new Set([...shown].filter((key) => ![...shown].some((other) => key.startsWith(`${other}/`))));
}

/** What is hidden among siblings. */
class Stub {
  private readonly nodes: Node[] = [];
  constructor(
    private readonly key: string,
    private readonly depth: number,
  ) {}

  add(node: Node): void {
    this.nodes.push(node);
  }

  end(rows: Row[]): void {
    if (this.nodes.length === 0) return;
    const lanes = this.nodes.flatMap((node) => node.lanes);
    const events = this.nodes.reduce((sum, node) => sum + node.events, 0);
    const hidden = this.nodes.map((node) => node.key);
    rows.push({ kind: "stub", key: this.key, label: "", detail: "", depth: this.depth, lanes, events, node: null, pinned: false, hidden });
  }
}

function place(model: Model, node: Node, arrangement: Arrangement, pinned: ReadonlySet<string>, rows: Row[], stub: Stub): void {
  if (arrangement.hidden.has(node.key)) stub.add(withoutPinned(node, pinned, arrangement.hidden));
  else if (!pinned.has(node.key)) emit(model, node, arrangement, pinned, rows, false);
}

/** Of a hidden node, what was pinned is shown above and so not in the stub. */
function withoutPinned(node: Node, pinned: ReadonlySet<string>, hidden: ReadonlySet<string>): Node {
  const children = node.children
    .filter((child) => !pinned.has(child.key) || hidden.has(child.key))
    .map((child) => withoutPinned(child, pinned, hidden));
  if (node.level === 2) return node;
  return { ...node, children, lanes: children.flatMap((child) => child.lanes), events: children.reduce((sum, child) => sum + child.events, 0) };
}

function emit(model: Model, node: Node, arrangement: Arrangement, pinned: ReadonlySet<string>, rows: Row[], isPinned: boolean): void {
  const mine = node.level === 2 ? node : withoutPinned(node, pinned, arrangement.hidden);
  const base = { key: node.key, depth: node.level, node, pinned: isPinned, hidden: [] as string[], events: mine.events };
  const path = isPinned && node.level > 0 ? (model.lanes[node.lanes[0]!]!.service ?? "") : "";
  if (node.level === 2) {
    for (const l of node.lanes) {
      const events = model.laneFrom[l + 1]! - model.laneFrom[l]!;
      rows.push({ ...base, kind: "lane", label: laneName(model.lanes[l]!), detail: path, lanes: [l], events });
    }
    return;
  }
  if (mine.lanes.length === 0 && node.lanes.length > 0) return; // all of it is pinned
  if (arrangement.collapsed.has(node.key)) {
    rows.push({ ...base, kind: "group", label: node.label, detail: path, lanes: mine.lanes });
    return;
  }
  const single = onlyThread(node);
  if (single && node.level === 0 && !arrangement.hidden.has(single.key) && !arrangement.hidden.has(node.children[0]!.key)) {
    const l = single.lanes[0]!;
    rows.push({ ...base, kind: "lane", label: node.label, detail: threadName(model, l), lanes: [l] });
    return;
  }
  rows.push({ ...base, kind: "heading", label: node.label, detail: path, lanes: [] });
  const stub = new Stub(node.key, node.level + 1);
  const process = node.children.length === 1 && node.level === 0 ? node.children[0]! : null; // has no heading of its own
  const inner = process && !blocked(process, arrangement, pinned) ? process.children : node.children;
  for (const child of inner) place(model, child, arrangement, pinned, rows, stub);
  stub.end(rows);
}

function blocked(process: Node, arrangement: Arrangement, pinned: ReadonlySet<string>): boolean {
  return arrangement.hidden.has(process.key) || arrangement.collapsed.has(process.key) || pinned.has(process.key);
}

function onlyThread(node: Node): Node | null {
  return node.lanes.length === 1 ? node.children[0]!.children[0]! : null;
}

function threadName(model: Model, l: number): string {
  return model.lanes[l]!.thread ?? "";
}

export function findNode(roots: Node[], key: string): Node | null {
  for (const node of roots) {
    if (node.key === key) return node;
    if (key.startsWith(`${node.key}/`)) return findNode(node.children, key);
  }
  return null;
}

export function siblingsOf(roots: Node[], key: string): Node[] {
  const cut = key.lastIndexOf("/");
  return cut < 0 ? roots : (findNode(roots, key.slice(0, cut))?.children ?? []);
}

/** The row at a height, or -1. */
export function rowAt(layout: Layout, y: number): number {
  if (y < 0 || y >= layout.top[layout.rows.length]!) return -1;
  return firstAbove(layout.top, y) - 1;
}

export function middleOf(layout: Layout, row: number): number {
  return (layout.top[row]! + layout.top[row + 1]!) / 2;
}

/** [first, end) of the rows between two heights. */
export function rowsIn(layout: Layout, from: number, to: number): [number, number] {
  const first = Math.max(0, firstAbove(layout.top, from) - 1);
  const end = Math.min(layout.rows.length, firstAbove(layout.top, to));
  return [Math.min(first, end), end];
}
