// One trace: its head, and its tabs, each with an address.
import { memo, useEffect, useMemo } from "../base/react";

import { announce } from "../base/announce";
import { Trouble } from "../base/client";
import { clock, count, duration, plural } from "../base/format";
import { go, href, Route, withQuery } from "../base/route";
import { useStore } from "../base/store";
import { Answer, useAnswer } from "../base/use_answer";
import { useKeys } from "../base/use_keys";
import { TraceView } from "../base/types";
import { Columns, variablesOf } from "../data/columns";
import { nameOfEvent } from "../data/event_text";
import { live } from "../data/live";
import { columns, traceView } from "../data/trace";
import { Copy } from "../parts/copy";
import { Link } from "../parts/link";
import { Tabs } from "../parts/tabs";
import { Foreign, Id } from "../parts/text";
import { Answered } from "../parts/trouble";
import { Boundary } from "../parts/boundary";
import { Grown, useGrown } from "./grown";
import { listedIds } from "../views/traces";
import { DiagramTab } from "./diagram_tab";
import { EventsTab } from "./events_tab";
import { PathTab } from "./path_tab";
import { RacesTab } from "./races_tab";
import { ServicesTab } from "./services_tab";
import { VariablesTab } from "./variables_tab";

const tabs = ["diagram", "events", "races", "variables", "path", "services"] as const;
export type TabName = (typeof tabs)[number];

function lastOf(graph: Columns): number {
  return graph.t.reduce((most, t) => Math.max(most, t), 0);
}

/** Rendered only when the trace is another one: it looks at each event. */
const Head = memo(function Head({ id, view, graph }: { id: string; view: TraceView | null; graph: Columns | null }) {
  const root = view?.events[0];
  const at = listedIds.indexOf(id);
  const services = new Set(graph?.lanes.map((lane) => lane.service ?? ""));
  return (
    <div className="trace-head">
      <div className="title">
        <h1>{root ? <Foreign text={nameOfEvent(root)} most={90} /> : "Trace"}</h1>
        <span className="ids"><Id id={id} /> <Copy text={id}>Copy id</Copy></span>
        <span className="steps">
          {at > 0 && <Link to={href(["traces", listedIds[at - 1]!])} title="Previous trace of the list ([)">‹ previous</Link>}
          {at >= 0 && at < listedIds.length - 1 && <Link to={href(["traces", listedIds[at + 1]!])} title="Next trace of the list (])">next ›</Link>}
          <Link to={href(["traces"], { compare: id })}>Compare …</Link>
        </span>
      </div>
      {graph && (
        <p className="facts dim">
          <time title={new Date(graph.t0 / 1000).toISOString()}>{clock(graph.t0 / 1000)}</time> · {duration(lastOf(graph) / 1000)} · {plural(graph.total_events, "event")} on {plural(graph.lanes.length, "thread")} of {plural(services.size, "service")}
          {graph.events < graph.total_events && <strong className="warned"> · shown: the first {count(graph.events)} in causal order</strong>}
        </p>
      )}
    </div>
  );
});

/** Why there is no such trace (any more). */
function Missing({ trouble }: { trouble: Trouble }) {
  const { evicted } = useStore(live);
  if (trouble.status !== 404 && trouble.status !== 400) return null;
  return (
    <>
      {evicted.traces > 0
        ? <>It may have been evicted: {plural(evicted.traces, "trace")} went so far, see <Link to="/storage">storage</Link>. </>
        : <>It has not arrived, or its id is another. </>}
      <Link to="/traces">All traces</Link>
    </>
  );
}

export function Trace({ route }: { route: Route }) {
  const id = route.name!;
  const grown = useGrown(id);
  const graph = useAnswer(`graph ${id} ${grown.shown}`, (signal: AbortSignal) => columns(id, signal));
  const view = useAnswer(`view ${id} ${grown.shown}`, (signal: AbortSignal) => traceView(id, signal));
  useKeys((key) => {
    const step = { "[": -1, "]": 1 }[key];
    const next = step && listedIds[listedIds.indexOf(id) + step];
    if (next && listedIds.includes(id)) go(withQuery({ ...route, name: next }, { sel: null, mark: null, cone: null, x0: null, x1: null }));
  });
  const wanted = route.query.get("view") as TabName;
  const tab: TabName = tabs.includes(wanted) ? wanted : "diagram";
  const races = view.data?.analysis.potential_races;
  useEffect(() => {
    if (races) announce(plural(races, "race"));
  }, [races]);
  const variables = useMemo(() => (graph.data ? variablesOf(graph.data).length : undefined), [graph.data]);
  const labels: Partial<Record<TabName, number | undefined>> = { events: graph.data?.total_events, races, variables };
  return (
    <div className="view fill trace">
      <Head id={id} view={view.data} graph={graph.data} />
      <Grown {...grown} />
      <Tabs label="What is shown of the trace" current={tab} tabs={tabs.map((key) => ({
        key, to: withQuery(route, { view: key === "diagram" ? null : key }),
        label: <>{key[0]!.toUpperCase() + key.slice(1)}{labels[key] !== undefined && <small className={key === "races" && races ? "race" : undefined}>{count(labels[key]!)}</small>}</>,
      }))} />
      <Boundary of={`${id} ${tab}`}>
        <div role="tabpanel" aria-label={tab} className="panel fill">
          <TabBody tab={tab} route={route} graph={graph} view={view} />
        </div>
      </Boundary>
    </div>
  );
}

function TabBody({ tab, route, graph, view }: { tab: TabName; route: Route; graph: Answer<Columns>; view: Answer<TraceView> }) {
  const hint = (trouble: Trouble) => <Missing trouble={trouble} />;
  const trace = route.name!;
  const OfGraph = { diagram: DiagramTab, events: EventsTab, variables: VariablesTab }[tab as string];
  if (OfGraph) return <Answered answer={graph} hint={hint}>{(columns) => <OfGraph route={route} graph={columns} />}</Answered>;
  return (
    <Answered answer={view} hint={hint}>{(data) =>
      tab === "races" ? <RacesTab route={route} trace={trace} view={data} /> : tab === "path" ? <PathTab trace={trace} view={data} graph={graph.data} /> : <ServicesTab view={data} />}</Answered>
  );
}
