// The place of the diagram.
import { Columns } from "../data/columns";
import { Relation } from "../base/types";

export interface DiagramState {
  axis: "causal" | "time";
  sel: string | null;
  marks: string[];
  cone: ("past" | "future" | "concurrent")[];
  x0: number | null;
  x1: number | null;
  hide: string[];
  q: string;
}

export interface DiagramProps {
  graph: Columns;
  state: DiagramState;
  onState(next: Partial<DiagramState>): void;
  relation(a: string, b: string): Promise<Relation>;
  theme: "light" | "dark";
  announce(text: string): void;
}

export function Diagram({ graph }: DiagramProps) {
  return <p className="quiet">The diagram of {graph.events} events belongs here.</p>;
}
