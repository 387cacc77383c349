// The diagram's state in the address.
import { Query, Route } from "../base/route";
import { DiagramState } from "../diagram";

const cones = ["past", "future", "concurrent"] as const;

const list = (text: string | null) => (text === null || text === "" ? [] : text.split(",").map(decodeSafely));
const decodeSafely = (text: string) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
// Ids may hold commas, which separate them.
const joined = (items: string[]) => items.map((item) => item.replace(/[%,]/g, encodeURIComponent)).join(",");

const number = (text: string | null) => (text === null || text === "" || !Number.isFinite(Number(text)) ? null : Number(text));

export function diagramState(route: Route): DiagramState {
  const { query } = route;
  return {
    axis: query.get("axis") === "time" ? "time" : "causal",
    sel: query.get("sel"),
    marks: list(query.get("mark")),
    cone: cones.filter((cone) => list(query.get("cone")).includes(cone)),
    x0: number(query.get("x0")),
    x1: number(query.get("x1")),
    hide: list(query.get("hide")),
    q: query.get("q") ?? "",
  };
}

export function queryOf(next: Partial<DiagramState>): Query {
  const query: Query = {};
  if (next.axis !== undefined) query.axis = next.axis === "causal" ? null : next.axis;
  if (next.sel !== undefined) query.sel = next.sel;
  if (next.marks !== undefined) query.mark = joined(next.marks);
  if (next.cone !== undefined) query.cone = next.cone.join(",");
  if (next.x0 !== undefined) query.x0 = next.x0;
  if (next.x1 !== undefined) query.x1 = next.x1;
  if (next.hide !== undefined) query.hide = joined(next.hide);
  if (next.q !== undefined) query.q = next.q;
  return query;
}
