// Variables of all traces, and one of them.
import { useMemo } from "../base/react";

import { ask } from "../base/client";
import { count, plural } from "../base/format";
import { go, href, Route, withQuery } from "../base/route";
import { useAnswer } from "../base/use_answer";
import { RaceGroup, SharedVariable } from "../base/types";
import { Grid } from "../parts/grid";
import { Link } from "../parts/link";
import { Racing } from "../parts/race_mark";
import { Foreign, Id, Narrow, Place } from "../parts/text";
import { Answered } from "../parts/trouble";
import { Pending } from "./pending";

interface Shared {
  total_races: number;
  races: SharedVariable[];
  pending_traces?: number;
}

const most = 1000;
const shared = (signal: AbortSignal) => ask<Shared>("/api/distributed/global-races", { limit: most }, signal);
const racesOf = (signal: AbortSignal) => ask<{ races: RaceGroup[] }>("/api/races", { page: 1, page_size: most }, signal);

export function Variables({ route }: { route: Route }) {
  const answer = useAnswer("variables", shared);
  const races = useAnswer("races of variables", racesOf);
  const text = route.query.get("q") ?? "";
  const raced = useMemo(() => {
    const pairs = new Map<string, number>();
    for (const group of races.data?.races ?? []) pairs.set(group.variable, (pairs.get(group.variable) ?? 0) + group.races);
    return pairs;
  }, [races.data]);
  return (
    <div className="view fill">
      <div className="title"><h1>Variables</h1>{answer.data && <p className="dim">{plural(answer.data.total_races, "variable")} that several traces or threads touch</p>}</div>
      <div className="filters"><Narrow label="name" value={text} change={(q) => go(withQuery(route, { q }), "replace")} /></div>
      <Answered answer={answer}>
        {(data) => {
          const rows = data.races.filter((each) => each.variable.toLowerCase().includes(text.toLowerCase()));
          return (
            <>
              <Pending traces={data.pending_traces} />
              {rows.length === 0 ? <section className="empty"><p>{text === "" ? "No variable is touched by several traces or threads." : "No variable is named like that."}</p></section> : (
                <Grid label="Variables" rows={rows} keyOf={(row) => row.variable} onOpen={(row) => go(href(["variables", row.variable]))}
                  columns={[
                    { head: "variable", width: "minmax(150px, 3fr)", cell: (row) => <Link to={href(["variables", row.variable])} tabIndex={-1}><Foreign text={row.variable} most={80} /></Link> },
                    { head: "accesses", width: "90px", right: true, cell: (row) => count(row.access_count) },
                    { head: "of kind", width: "minmax(90px, 1.500fr)", wide: true, cell: (row) => row.access_types.join(", ") },
                    { head: "traces", width: "80px", right: true, cell: (row) => count(row.trace_count) },
                    { head: "threads", width: "80px", right: true, cell: (row) => count(row.thread_count) },
                    { head: "races within traces", width: "minmax(100px, 1.500fr)", cell: (row) => raced.has(row.variable) ? <Racing>{plural(raced.get(row.variable)!, "pair")}</Racing> : <span className="dim">{races.data ? "none" : "–"}</span> },
                  ]} />
              )}
            </>
          );
        }}
      </Answered>
    </div>
  );
}

export function Variable({ route }: { route: Route }) {
  const name = route.name!;
  const answer = useAnswer("variables", shared);
  const races = useAnswer(`races of ${name}`, (signal: AbortSignal) => ask<{ races: RaceGroup[] }>("/api/races", { page: 1, page_size: most, variable: name }, signal));
  const groups = races.data?.races.filter((group) => group.variable === name) ?? [];
  return (
    <div className="view scroll">
      <div className="title"><h1><Foreign text={name} most={90} /></h1></div>
      <h2>Races</h2>
      <Answered answer={races}>{() => groups.length === 0 ? <p className="dim">None within a trace.</p> : (
        <ul className="lines">
          {groups.map((group) => (
            <li key={group.key}><Link to={href(["races", group.key])}><Place place={group.site1} /> ⟷ <Place place={group.site2} /></Link> <span className="dim">{group.access1}, {group.access2} · {plural(group.races, "pair")} in {plural(group.traces, "trace")}</span></li>
          ))}
        </ul>
      )}</Answered>
      <Answered answer={answer}>{(data) => {
        const found = data.races.find((each) => each.variable === name);
        if (!found) return <p className="dim">It is not among the variables that several traces or threads touch. <Link to={href(["traces"], { q: name })}>Traces with this text</Link></p>;
        return (
          <>
            <Pending traces={data.pending_traces} />
            <h2>{plural(found.access_count, "access", "accesses")} on {plural(found.thread_count, "thread")}: {found.access_types.join(", ")}</h2>
            <p className="dim">Two traces are never taken for ordered, so what they do to one variable has no order between them. Who did what within one:</p>
            <ul className="chips">
              {found.trace_ids.slice(0, 120).map((trace) => (
                <li key={trace}><Link to={href(["traces", trace], { view: "variables", var: name })}><Id id={trace} /></Link></li>
              ))}
            </ul>
            {found.trace_ids.length > 120 && <p className="dim">{count(found.trace_count - 120)} more.</p>}
          </>
        );
      }}</Answered>
    </div>
  );
}
