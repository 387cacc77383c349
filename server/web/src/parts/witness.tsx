// Why two events are ordered, or are not: the threads as lines, what both have seen, and the way to each.
import { cut, plural, visible } from "../base/format";
import { Relation } from "../base/types";
import { Dot, Edge, laid } from "./witness_layout";

const left = 158;
const step = 178;
const high = 48;
const most = 24; // letters between two dots

const x = (dot: Dot) => left + 26 + dot.column * step;
const y = (lane: number) => 26 + lane * high;

/** What an event is about: of "HttpRequest(POST /transfer)" what is in the brackets. */
const about = (dot: Dot) => /^\w+\((.*)\)$/s.exec(dot.kind)?.[1] ?? dot.kind;

function Arrow({ from, to, edge }: { from: Dot; to: Dot; edge: Edge }) {
  const [dx, dy] = [x(to) - x(from), y(to.lane) - y(from.lane)];
  const reach = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / reach, dy / reach];
  const [tx, ty] = [x(to) - ux * 11, y(to.lane) - uy * 11];
  return (
    <g className="edge">
      <title>{edge.reason === null ? "" : visible(`known by: ${edge.reason}`)}</title>
      <line x1={x(from) + ux * 8} y1={y(from.lane) + uy * 8} x2={tx - ux * 6} y2={ty - uy * 6} />
      {edge.skipped > 0 && <text x={(x(from) + tx) / 2} y={(y(from.lane) + ty) / 2 + 15} textAnchor="middle">{plural(edge.skipped, "event")} between</text>}
      <path d={`M${tx} ${ty}l${-ux * 8 - uy * 4} ${-uy * 8 + ux * 4}l${uy * 8} ${-ux * 8}z`} />
    </g>
  );
}

/** Dashed, between two events that nothing orders. */
function Between({ a, b }: { a: Dot; b: Dot }) {
  const bend = a.lane === b.lane ? 34 : 0;
  return <path className="between" d={`M${x(a)} ${y(a.lane)}Q${(x(a) + x(b)) / 2 + (bend ? 0 : 40)} ${(y(a.lane) + y(b.lane)) / 2 + bend} ${x(b)} ${y(b.lane)}`} />;
}

/** `said` is what is written at an event, where more is known of it than its name. */
export function Witness({ relation, said = {} }: { relation: Relation; said?: Record<string, string> }) {
  const { lanes, dots, edges } = laid(relation);
  if (dots.size === 0) return null;
  const every = [...dots.values()];
  const racing = relation.relation === "concurrent";
  const [a, b] = [dots.get(relation.a), dots.get(relation.b)];
  const width = left + 150 + (Math.max(...every.map((dot) => dot.column)) + 1) * step;
  const aloud = every.map((dot) => `${about(dot)} on ${dot.thread}`).join(", then ");
  return (
    <div className="witness" tabIndex={0} role="group" aria-label="Witness">
      <svg width={width} height={(lanes.length - 1) * high + 52} role="img" aria-label={cut(visible(`${relation.relation}: ${aloud}`), 500)}>
        {lanes.map((lane, at) => (
          <g key={lane.key}>
            <title>{cut(visible(`${lane.thread} of ${lane.service}`), 300)}</title>
            <text x={0} y={y(at) + 4} className="lane-name">{cut(visible(lane.thread || lane.service || "–"), 22)}</text>
            <line x1={left} x2={width - 8} y1={y(at)} y2={y(at)} className="lane" />
          </g>
        ))}
        {racing && a && b && <Between a={a} b={b} />}
        {edges.map((edge) => <Arrow key={JSON.stringify([edge.from, edge.to])} from={dots.get(edge.from)!} to={dots.get(edge.to)!} edge={edge} />)}
        {every.map((dot) => {
          const free = !every.some((other) => other.lane === dot.lane && other.column > dot.column);
          const its = racing && (dot.event_id === relation.a || dot.event_id === relation.b);
          return (
            <g key={dot.event_id} className={its ? "dot racing" : "dot"}>
              <title>{cut(visible(`${dot.kind} at ${dot.location}`), 400)}</title>
              {its && <circle cx={x(dot)} cy={y(dot.lane)} r={9.5} className="ring" />}
              <circle cx={x(dot)} cy={y(dot.lane)} r={5} />
              <text x={x(dot) + (its ? 12 : 8)} y={y(dot.lane) - 8}>{cut(said[dot.event_id] ?? visible(about(dot)), free ? 44 : most)}</text>
            </g>
          );
        })}
      </svg>
    </div>
  );
}
