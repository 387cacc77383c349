// Who read and wrote a variable, in causal order.
import { useCallback, useMemo, useState } from "../base/react";

import { ask } from "../base/client";
import { clock, count, value } from "../base/format";
import { go, href, Route, withQuery } from "../base/route";
import { useAnswer } from "../base/use_answer";
import { Access } from "../base/types";
import { Columns, variablesOf } from "../data/columns";
import { Grid, GridColumn } from "../parts/grid";
import { Link } from "../parts/link";
import { Racing } from "../parts/race_mark";
import { Foreign, Place } from "../parts/text";
import { Answered } from "../parts/trouble";
import { audit, Audited } from "./audit";

function Value({ json, from, show }: { json: unknown; from: number[]; show: (rows: number[]) => void }) {
  if (json === undefined || json === null) return null;
  const text = value(json, 40);
  if (from.length === 0) return <bdi className="mono">{text}</bdi>;
  return <button className="value-link mono" title="Show the write that it comes from" onClick={() => show(from)}><bdi>{text}</bdi></button>;
}

function Trail({ accesses, trace }: { accesses: Audited[]; trace: string }) {
  const [lit, setLit] = useState<number[]>([]);
  const [at, setAt] = useState(-1);
  const show = useCallback((rows: number[]) => (setLit(rows), setAt(rows[0] ?? -1)), []);
  const columns = useMemo((): GridColumn<Audited>[] => [
    { head: "", width: "16px", cell: (row) => row.run > 0 && <span className="brace" title="Nothing orders these accesses" aria-label="concurrent" /> },
    { head: "time", width: "minmax(100px, 160px)", wide: true, cell: (row) => <time title={row.timestamp}>{clock(row.timestamp)}</time> },
    { head: "thread", width: "minmax(110px, 1.6fr)", cell: (row) => <span title={row.service_name}><Foreign text={row.thread_id} most={36} /></span> },
    { head: "access", width: "96px", cell: (row) => row.access_type },
    { head: "value", width: "minmax(130px, 2fr)", cell: (row) => row.writes
      ? <><Value json={row.old_value} from={row.sources} show={show} />{row.old_value !== null && row.old_value !== undefined && <span className="dim"> → </span>}<Value json={row.new_value} from={[]} show={show} /></>
      : <Value json={row.new_value ?? row.old_value} from={row.sources} show={show} /> },
    { head: "where", width: "minmax(110px, 1.5fr)", cell: (row) => <Place place={row.location} /> },
    { head: "", width: "minmax(90px, 176px)", cell: (row) => <>{row.is_race && <Racing>race</Racing>}{" "}{row.lostUpdate && <span className="bad lost" title="It starts from another value than the write before it has left">lost update</span>}</> },
  ], [show]);
  return (
    <Grid label="Accesses in causal order" columns={columns} rows={accesses} keyOf={(row) => row.event_id} selected={at} rowHeight={28}
      rowClass={(row) => (lit.some((each) => accesses[each] === row) ? "lit" : "")} onOpen={(row) => go(href(["traces", trace], { view: "events", sel: row.event_id }))} />
  );
}

export function VariablesTab({ route, graph }: { route: Route; graph: Columns }) {
  const variables = useMemo(() => variablesOf(graph), [graph]);
  const asked = route.query.get("var");
  const name = asked ?? variables[0]?.name ?? null;
  const path = `/api/traces/${encodeURIComponent(graph.trace_id)}/audit-trail/${encodeURIComponent(name ?? "")}`;
  const answer = useAnswer(name === null || name === "" ? null : `${path} ${graph.total_events}`, (signal: AbortSignal) => ask<{ accesses: Access[] }>(path, {}, signal));
  if (name === null) return <section className="empty"><p>The trace touches no variable that is told of.</p></section>;
  return (
    <div className="side-by-side">
      <nav aria-label="Variables of the trace" className="picks">
        <ul>
          {variables.slice(0, 500).map((variable) => (
            <li key={variable.name}>
              <Link to={withQuery(route, { var: variable.name })} replace aria-current={variable.name === name ? "true" : undefined}>
                <Foreign text={variable.name} most={48} /> <small>{count(variable.accesses)}</small>{variable.races && <span className="racing-dots" title="races" />}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="fill">
        <p className="title-line"><strong><Foreign text={name} most={80} /></strong> <Link to={href(["variables", name])}>in all traces</Link></p>
        <Answered answer={answer}>{(data) => data.accesses.length === 0 ? <p className="quiet">Nobody touches it in this trace.</p> : <Trail accesses={audit(data.accesses)} trace={graph.trace_id} />}</Answered>
      </div>
    </div>
  );
}
