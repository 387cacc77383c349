// Why two events are ordered, or are not: the threads as lines, what both have seen, and the way to each.
import { cut, visible } from "../base/format";
import { Relation, Step } from "../base/types";

interface Dot extends Step {
  lane: number;
  column: number;
}

const lanesOf = (steps: Step[]) => [...new Set(steps.map((step) => `${step.service}\u0000${step.thread}`))];

function laid(relation: Relation) {
  const chains = [relation.chain ?? [], relation.chain_to_a ?? [], relation.chain_to_b ?? []].filter((chain) => chain.length > 0);
  const lanes = lanesOf(chains.flat());
  const dots = new Map<string, Dot>();
  const edges: [string, string, string | null][] = [];
  for (const chain of chains) {
    chain.forEach((step, at) => {
      const lane = lanes.indexOf(`${step.service}\u0000${step.thread}`);
      const column = Math.max(at, dots.get(step.event_id)?.column ?? 0);
      dots.set(step.event_id, { ...step, lane, column });
      if (at > 0) edges.push([chain[at - 1]!.event_id, step.event_id, step.reason]);
    });
  }
  // A lane is one line: who stands on it stands one behind the other.
  const taken = new Map<string, string>();
  for (const dot of [...dots.values()].sort((a, b) => a.column - b.column)) {
    while (taken.has(`${dot.lane}/${dot.column}`)) dot.column += 1;
    taken.set(`${dot.lane}/${dot.column}`, dot.event_id);
  }
  return { lanes, dots, edges };
}

const named = (step: Step) => cut(visible(step.kind.replace(/^StateChange\((.*)\)$/s, "$1")), 30);

export function Witness({ relation }: { relation: Relation }) {
  const { lanes, dots, edges } = laid(relation);
  if (dots.size === 0) return <p className="dim">Nothing is known that both follow.</p>;
  const step = 190;
  const left = 150;
  const high = 46;
  const x = (dot: Dot) => left + 24 + dot.column * step;
  const y = (lane: number) => 26 + lane * high;
  const width = left + 60 + (Math.max(...[...dots.values()].map((dot) => dot.column)) + 1) * step;
  const said = [...dots.values()].map((dot) => `${dot.kind} on ${dot.thread}`).join(", then ");
  const racing = relation.relation === "concurrent";
  return (
    <div className="witness">
      <svg width={width} height={lanes.length * high + 12} role="img" aria-label={cut(visible(`${relation.relation}: ${said}`), 500)}>
        {lanes.map((lane, at) => (
          <g key={lane}>
            <text x={0} y={y(at) + 4} className="lane-name">{cut(visible(lane.split("\u0000")[1] || lane.split("\u0000")[0] || "–"), 20)}</text>
            <line x1={left} x2={width - 8} y1={y(at)} y2={y(at)} className="lane" />
          </g>
        ))}
        {edges.map(([from, to, reason]) => {
          const a = dots.get(from)!;
          const b = dots.get(to)!;
          const reach = Math.hypot(x(b) - x(a), y(b.lane) - y(a.lane)) || 1;
          const ux = ((x(b) - x(a)) / reach) * 9;
          const uy = ((y(b.lane) - y(a.lane)) / reach) * 9;
          const [tx, ty] = [x(b) - ux, y(b.lane) - uy];
          return (
            <g key={from + to} className="edge">
              <title>{reason ?? ""}</title>
              <line x1={x(a) + ux} y1={y(a.lane) + uy} x2={tx} y2={ty} />
              <path d={`M${tx} ${ty}l${-ux * 0.8 - uy * 0.45} ${-uy * 0.8 + ux * 0.45}l${uy * 0.9} ${-ux * 0.9}z`} />
            </g>
          );
        })}
        {[...dots.values()].map((dot) => {
          const its = racing && (dot.event_id === relation.a || dot.event_id === relation.b);
          return (
            <g key={dot.event_id} className={its ? "dot racing" : "dot"}>
              <title>{cut(visible(`${dot.kind} at ${dot.location}, ${dot.service}`), 400)}</title>
              {its && <circle cx={x(dot)} cy={y(dot.lane)} r={9} className="ring" />}
              <circle cx={x(dot)} cy={y(dot.lane)} r={5} />
              <text x={x(dot) + (its ? 13 : 10)} y={y(dot.lane) - 7}>{named(dot)}</text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}
