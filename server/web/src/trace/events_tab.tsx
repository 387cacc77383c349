// The same events as in the diagram, with the same selection, as a table that reads well aloud.
import { useMemo, useState } from "../base/react";

import { duration } from "../base/format";
import { go, Route, withQuery } from "../base/route";
import { Columns, Flag, find, has, kindOf, laneOf, laneText, nameOf, placeOf } from "../data/columns";
import { Grid, GridColumn } from "../parts/grid";
import { Racing } from "../parts/race_mark";
import { Foreign, Narrow, Place } from "../parts/text";
import { diagramState } from "./diagram_state";
import { EventPanel } from "./event_panel";

const marks = (graph: Columns, event: number) => [
  has(graph, event, Flag.race) && <Racing key="race" title="Part of a race">race</Racing>,
  has(graph, event, Flag.error) && <span key="error" className="bad">error</span>,
  has(graph, event, Flag.orphan) && <span key="orphan" className="dim" title="Its parent is named, but has not been received">no parent</span>,
  has(graph, event, Flag.undecided) && <span key="undecided" className="dim" title="It has no clock and no link: its order is not known">undecided</span>,
];

const columnsOf = (graph: Columns): GridColumn<number>[] => [
  { head: "after", width: "84px", right: true, cell: (e) => duration((graph.t[e] ?? 0) / 1000) },
  { head: "thread", width: "minmax(90px, 1fr)", cell: (e) => <span title={laneOf(graph, e)?.service ?? undefined}><Foreign text={laneText(laneOf(graph, e))} most={40} /></span> },
  { head: "kind", width: "minmax(96px, 130px)", cell: (e) => <span className="kind">{kindOf(graph, e)}</span> },
  { head: "what", width: "minmax(120px, 2.5fr)", cell: (e) => <Foreign text={nameOf(graph, e)} /> },
  { head: "where", width: "minmax(110px, 1.5fr)", wide: true, cell: (e) => <Place place={placeOf(graph, e)} /> },
  { head: "took", width: "80px", right: true, wide: true, cell: (e) => graph.duration[e] !== null && duration(graph.duration[e]) },
  { head: "", width: "110px", cell: (e) => marks(graph, e) },
];

/** The events that hold the text in what they are about, where they are, or their thread. */
function matching(graph: Columns, text: string): number[] {
  const wanted = text.toLowerCase();
  const every = Array.from({ length: graph.id.length }, (_, event) => event);
  if (wanted === "") return every;
  const holds = (each: string) => each.toLowerCase().includes(wanted);
  const names = graph.names.map(holds);
  const places = graph.places.map(holds);
  const kinds = graph.kinds.map(holds);
  const lanes = graph.lanes.map((lane) => holds(laneText(lane)) || holds(lane.service ?? ""));
  return every.filter((e) => names[graph.name[e]!] || places[graph.place[e]!] || kinds[graph.kind[e]!] || lanes[graph.lane[e]!] || holds(graph.id[e]!));
}

export function EventsTab({ route, graph }: { route: Route; graph: Columns }) {
  const state = diagramState(route);
  const [text, setText] = useState(state.q);
  const events = useMemo(() => matching(graph, text), [graph, text]);
  const columns = useMemo(() => columnsOf(graph), [graph]);
  const selected = events.indexOf(find(graph, state.sel));
  const search = (next: string) => (setText(next), go(withQuery(route, { q: next }), "replace"));
  return (
    <div className="with-panel">
      <div className="filters">
        <Narrow label="find in the trace" value={text} change={search} />
        <span className="dim">{text !== "" && `${events.length} of ${graph.id.length}`}</span>
      </div>
      <Grid label="Events in causal order" columns={columns} rows={events} keyOf={(e) => graph.id[e]!} total={text === "" ? graph.total_events : events.length} selected={selected} rowHeight={28}
        onOpen={(e) => go(withQuery(route, { sel: graph.id[e] }), "replace")} />
      {state.sel !== null && <EventPanel graph={graph} id={state.sel} mark={state.marks.find((each) => each !== state.sel) ?? null} route={route} />}
    </div>
  );
}
