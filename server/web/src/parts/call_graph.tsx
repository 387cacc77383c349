// Who calls whom: layers from left to right, beyond fifty services a matrix.
import { count, cut, visible } from "../base/format";
import { go, href, inBase } from "../base/route";
import { Call, layered, Routed } from "./call_layers";

const boxWidth = 168;
const boxHeight = 30;
const gapX = 96;
const gapY = 18;

export function CallGraph({ calls }: { calls: Call[] }) {
  const names = new Set(calls.flatMap((call) => [call.from, call.to]));
  return names.size > 50 ? <CallMatrix calls={calls} names={[...names].sort()} /> : <Layers calls={calls} />;
}

type Point = { x: number; y: number };

/** From the edge of a box to that of another, level where it leaves, arrives and passes between. */
function curve(points: Point[]): string {
  return points.slice(1).reduce((path, to, at) => {
    const from = points[at]!;
    const bend = (to.x - from.x) / 2;
    return `${path}C${from.x + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
  }, `M${points[0]!.x} ${points[0]!.y}`);
}

function Arrow({ route, place, width }: { route: Routed; place: Map<string, Point>; width: number }) {
  const { call, back, through } = route;
  const middle = (key: string): Point => ({ x: place.get(key)!.x, y: place.get(key)!.y + boxHeight / 2 });
  const from = middle(call.from);
  const to = middle(call.to);
  const start = back ? from : { ...from, x: from.x + boxWidth };
  const end = back ? { ...to, x: to.x + boxWidth + 7 } : { ...to, x: to.x - 7 };
  const passed = through.map(middle).flatMap((at) => [at, { ...at, x: at.x + boxWidth }]);
  const label = passed.length > 0 ? { x: passed[0]!.x + boxWidth / 2, y: passed[0]!.y } : { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  return (
    <g className={back ? "call back" : "call"}>
      <path d={curve([start, ...passed, end])} strokeWidth={width} />
      <path className="tip" d={back ? `M${end.x - 7} ${end.y}l8 -4v8z` : `M${end.x + 7} ${end.y}l-8 -4v8z`} />
      <text x={label.x} y={label.y - 5}>{count(call.calls)}</text>
    </g>
  );
}

function Layers({ calls }: { calls: Call[] }) {
  const { layers, routed } = layered(calls);
  const tallest = Math.max(...layers.map((layer) => layer.length));
  const height = tallest * (boxHeight + gapY) + 24;
  const width = layers.length * (boxWidth + gapX) - gapX + 8;
  const place = new Map<string, Point>();
  layers.forEach((layer, column) => {
    const top = (height - layer.length * (boxHeight + gapY) + gapY) / 2;
    layer.forEach(({ key }, row) => place.set(key, { x: 4 + column * (boxWidth + gapX), y: top + row * (boxHeight + gapY) }));
  });
  const most = Math.max(...calls.map((call) => call.calls), 1);
  const services = layers.flat().flatMap(({ service }) => (service === null ? [] : [service]));
  return (
    <div className="call-graph">
      <svg width={width} height={height} role="group" aria-label={cut(calls.map((call) => `${visible(call.from)} calls ${visible(call.to)} ${call.calls} times`).join("; "), 2000)}>
        {routed.map((route) => (
          <Arrow key={JSON.stringify([route.call.from, route.call.to])} route={route} place={place} width={1 + 2 * (Math.log1p(route.call.calls) / Math.log1p(most))} />
        ))}
        {services.map((name) => {
          const at = place.get(name)!;
          return (
            <a key={name} href={inBase(href(["services", name]))} onClick={(event) => (event.preventDefault(), go(href(["services", name])))} className="service-box" aria-label={cut(visible(name), 300)}>
              <title>{cut(visible(name), 300)}</title>
              <rect x={at.x} y={at.y} width={boxWidth} height={boxHeight} rx={4} />
              <text x={at.x + 10} y={at.y + 19.5}>{cut(visible(name), 22)}</text>
            </a>
          );
        })}
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
