// Who calls whom: layers from left to right, beyond fifty services a matrix.
import { count, cut, visible } from "../base/format";
import { go, href, inBase } from "../base/route";
import { Call, layered } from "./call_layers";

const boxWidth = 168;
const boxHeight = 30;
const gapX = 96;
const gapY = 18;

export function CallGraph({ calls }: { calls: Call[] }) {
  const names = new Set(calls.flatMap((call) => [call.from, call.to]));
  return names.size > 50 ? <CallMatrix calls={calls} names={[...names].sort()} /> : <Layers calls={calls} />;
}

function Layers({ calls }: { calls: Call[] }) {
  const { layers, back } = layered(calls);
  const tallest = Math.max(...layers.map((layer) => layer.length));
  const height = tallest * (boxHeight + gapY) + 24;
  const width = layers.length * (boxWidth + gapX) - gapX + 8;
  const place = new Map<string, { x: number; y: number }>();
  layers.forEach((layer, column) => {
    const top = (height - layer.length * (boxHeight + gapY) + gapY) / 2;
    layer.forEach((name, row) => place.set(name, { x: 4 + column * (boxWidth + gapX), y: top + row * (boxHeight + gapY) }));
  });
  const most = Math.max(...calls.map((call) => call.calls), 1);
  return (
    <div className="call-graph">
      <svg width={width} height={height} role="img" aria-label={cut(calls.map((call) => `${visible(call.from)} calls ${visible(call.to)} ${call.calls} times`).join("; "), 2000)}>
        {calls.filter((call) => call.from !== call.to).map((call) => {
          const a = place.get(call.from)!;
          const b = place.get(call.to)!;
          const y0 = a.y + boxHeight / 2;
          const y1 = b.y + boxHeight / 2;
          const returns = back.has(call);
          const x0 = returns ? a.x : a.x + boxWidth;
          const x1 = returns ? b.x + boxWidth : b.x;
          const bend = (x1 - x0) / 2;
          return (
            <g key={call.from + "\u0000" + call.to} className={returns ? "call back" : "call"}>
              <path d={`M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1 - (returns ? -7 : 7)} ${y1}`} strokeWidth={1 + 2 * (Math.log1p(call.calls) / Math.log1p(most))} />
              <path className="tip" d={returns ? `M${x1} ${y1}l8 -4v8z` : `M${x1} ${y1}l-8 -4v8z`} />
              <text x={(x0 + x1) / 2} y={(y0 + y1) / 2 - 4}>{count(call.calls)}</text>
            </g>
          );
        })}
        {[...place].map(([name, at]) => (
          <a key={name} href={inBase(href(["services", name]))} onClick={(event) => (event.preventDefault(), go(href(["services", name])))} className="service-box">
            <title>{cut(visible(name), 300)}</title>
            <rect x={at.x} y={at.y} width={boxWidth} height={boxHeight} rx={4} />
            <text x={at.x + 10} y={at.y + 19.500}>{cut(visible(name), 22)}</text>
          </a>
        ))}
      </svg>
    </div>
  );
}

function CallMatrix({ calls, names }: { calls: Call[]; names: string[] }) {
  const found = new Map(calls.map((call) => [`${call.from}\u0000${call.to}`, call.calls]));
  const shown = names.slice(0, 200);
  return (
    <div className="scroll">
      <table className="matrix">
        <caption>Calls, from the row to the column</caption>
        <thead><tr><th />{shown.map((name) => <th key={name} scope="col"><span>{cut(visible(name), 24)}</span></th>)}</tr></thead>
        <tbody>
          {shown.map((from) => (
            <tr key={from}><th scope="row">{cut(visible(from), 24)}</th>{shown.map((to) => <td key={to}>{found.get(`${from}\u0000${to}`) ?? ""}</td>)}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
