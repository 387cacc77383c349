// What the page and the diagram say to each other.

import type { Graph } from "./graph";

export type AxisName = "causal" | "time";
export type ConeName = "past" | "future" | "concurrent";

/** All of it is in the page's address, so that a link shows the same picture. `x0` and `x1` are what the window shows: columns
    on the causal axis, microseconds after the trace's first event on the time axis; null is all. `hide` is written and read by
    lanes.ts: lanes that are hidden, and what else was arranged. */
export interface DiagramState {
  axis: AxisName;
  sel: string | null;
  marks: string[];
  cone: ConeName[];
  x0: number | null;
  x1: number | null;
  hide: string[];
  q: string;
}

export interface ChainStep {
  event_id: string;
  reason: string | null; // why it follows the step before; null in the first
  kind: string;
  service: string | null;
  thread: string | null;
  location: string | null;
}

/** The answer of /api/traces/:id/relation. */
export interface Relation {
  a: string;
  b: string;
  relation: "before" | "after" | "equal" | "concurrent" | "unknown";
  chain?: ChainStep[];
  last_common_id?: string | null;
  chain_to_a?: ChainStep[];
  chain_to_b?: ChainStep[];
}

export interface DiagramProps {
  graph: Graph;
  state: DiagramState;
  onState(next: Partial<DiagramState>): void;
  relation(a: string, b: string): Promise<Relation>;
  theme: "light" | "dark";
  announce(text: string): void;
}
