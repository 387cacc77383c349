// Who sent events, how long things took, and who called whom.
import { useMemo } from "../base/react";

import { ask } from "../base/client";
import { ago, clock, count, duration, plural } from "../base/format";
import { go, href, Route } from "../base/route";
import { useAnswer } from "../base/use_answer";
import { noFilter, tracePage } from "../data/traces";
import { CallGraph } from "../parts/call_graph";
import { Grid } from "../parts/grid";
import { Link } from "../parts/link";
import { Foreign } from "../parts/text";
import { Answered } from "../parts/trouble";
import { Pending } from "./pending";
import { columnsOfList } from "./traces_columns";

interface Service {
  name: string;
  event_count: number;
  trace_count: number;
}
interface Health {
  name: string;
  last_activity: string;
}
interface Edge {
  from_service: string;
  to_service: string;
  call_count: number;
}

const allTime = 60 * 24 * 365 * 1000;

async function everything(signal: AbortSignal) {
  const [listed, health, performance, edges] = await Promise.all([
    ask<{ services: Service[] }>("/api/services", {}, signal),
    ask<Health[]>("/api/services/health", { time_window_minutes: allTime }, signal),
    ask<{ service_latency: { service: string; avg_duration_ms: number }[]; pending_traces?: number }>("/api/performance/metrics", { limit: 1 }, signal),
    ask<{ edges: Edge[] }>("/api/distributed/edges", {}, signal),
  ]);
  return { services: listed.services, health, latency: performance.service_latency, edges: edges.edges, pending: performance.pending_traces };
}

export const callsOf = (edges: Edge[]) => {
  const calls = new Map<string, { from: string; to: string; calls: number }>();
  for (const edge of edges) {
    const key = `${edge.from_service}\u0000${edge.to_service}`;
    const known = calls.get(key) ?? { from: edge.from_service, to: edge.to_service, calls: 0 };
    known.calls += edge.call_count;
    calls.set(key, known);
  }
  return [...calls.values()];
};

export function Services() {
  const answer = useAnswer("all of services", everything);
  return (
    <div className="view fill">
      <div className="title"><h1>Services</h1>{answer.data && <p className="dim">{plural(answer.data.services.length, "service")}</p>}</div>
      <Answered answer={answer}>{(data) => data.services.length === 0 ? <section className="empty"><p>No event has named its service. <Link to="/send">Send some</Link></p></section> : <All data={data} />}</Answered>
    </div>
  );
}

function All({ data }: { data: Awaited<ReturnType<typeof everything>> }) {
  const seen = useMemo(() => new Map(data.health.map((each) => [each.name, each.last_activity])), [data]);
  const took = useMemo(() => new Map(data.latency.map((each) => [each.service, each.avg_duration_ms])), [data]);
  const calls = useMemo(() => callsOf(data.edges), [data]);
  const { services } = data;
  return (
    <>
      <Pending traces={data.pending} />
      {calls.length > 0 && <section><h2>Who calls whom</h2><CallGraph calls={calls} /></section>}
      <Grid label="Services" rows={services} keyOf={(row) => row.name} onOpen={(row) => go(href(["services", row.name]))}
        columns={[
          { head: "service", width: "minmax(140px, 2fr)", cell: (row) => <Link to={href(["services", row.name])} tabIndex={-1}><Foreign text={row.name} most={60} /></Link> },
          { head: "events", width: "90px", right: true, cell: (row) => count(row.event_count) },
          { head: "traces", width: "80px", right: true, cell: (row) => count(row.trace_count) },
          { head: "mean duration", width: "120px", right: true, cell: (row) => duration(took.get(row.name) || null) },
          { head: "last event", width: "minmax(110px, 1fr)", cell: (row) => seen.has(row.name) ? <time title={clock(seen.get(row.name)!)}>{ago(seen.get(row.name)!)}</time> : <span className="dim">–</span> },
        ]} />
    </>
  );
}

interface Calls {
  calls_to: { to: string; total_calls: number; trace_count: number }[];
  called_by: { to: string; total_calls: number; trace_count: number }[];
}

function Neighbours({ title, of }: { title: string; of: Calls["calls_to"] }) {
  return (
    <section>
      <h2>{title}</h2>
      {of.length === 0 ? <p className="dim">Nobody that is known.</p> : (
        <ul className="lines">{of.map((each) => <li key={each.to}><Link to={href(["services", each.to])}><Foreign text={each.to} most={60} /></Link> <span className="dim">{plural(each.total_calls, "call")} in {plural(each.trace_count, "trace")}</span></li>)}</ul>
      )}
    </section>
  );
}

export function ServiceView({ route }: { route: Route }) {
  const name = route.name!;
  const path = `/api/services/${encodeURIComponent(name)}`;
  const calls = useAnswer(path, (signal: AbortSignal) => ask<Calls>(`${path}/dependencies`, {}, signal));
  const traces = useAnswer(`${path} traces`, (signal) => tracePage({ ...noFilter, service: name }, null, signal));
  return (
    <div className="view fill">
      <div className="title"><h1><Foreign text={name} most={80} /></h1></div>
      <Answered answer={calls}>{(data) => <div className="columns"><Neighbours title="Calls" of={data.calls_to} /><Neighbours title="Is called by" of={data.called_by} /></div>}</Answered>
      <Answered answer={traces}>{(data) => data.traces.length === 0 ? <section className="empty"><p>No event has named this service. <Link to="/services">All services</Link></p></section> : (
        <>
          <h2>{data.next !== null && "The newest "}{plural(data.traces.length, "trace")} <Link to={href(["traces"], { service: name })}>in the list</Link></h2>
          <Grid label="Traces of the service" rows={data.traces} keyOf={(row) => row.trace_id} onOpen={(row) => go(href(["traces", row.trace_id]))} columns={columnsOfList((found) => ({ found, first: null }))} />
        </>
      )}</Answered>
    </div>
  );
}
