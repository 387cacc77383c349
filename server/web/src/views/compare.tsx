// Two executions side by side: what only one of them did, and which two events stand otherwise to each other.
import { useMemo } from "../base/react";

import { plural } from "../base/format";
import { go, href, Route, withQuery } from "../base/route";
import { useAnswer } from "../base/use_answer";
import { Columns, kindOf, nameOf, placeOf } from "../data/columns";
import { compare, Comparison, mostEvents, Row, Turned } from "../data/compare";
import { columns } from "../data/trace";
import { Grid } from "../parts/grid";
import { Link } from "../parts/link";
import { Foreign, Id, Place } from "../parts/text";
import { Answered } from "../parts/trouble";

type Sides = [a: Columns, b: Columns];

const its = ([a, b]: Sides, row: Row): [Columns, number] => (row.a >= 0 ? [a, row.a] : [b, row.b]);

function Name({ sides, row }: { sides: Sides; row: Row }) {
  const [graph, event] = its(sides, row);
  return <><Foreign text={nameOf(graph, event)} most={80} /> <span className="dim">on <Foreign text={row.lane} most={30} /></span></>;
}

function TurnedList({ sides, found }: { sides: Sides; found: Turned[] }) {
  const open = (graph: Columns, first: number, second: number, label: string) => (
    <Link to={href(["traces", graph.trace_id], { sel: graph.id[first], mark: graph.id[second] })}>{label}</Link>
  );
  return (
    <section>
      <h2>The same two events, another relation</h2>
      <ul className="lines">
        {found.map((each, at) => (
          <li key={at}>
            <Name sides={sides} row={each.first} /> and <Name sides={sides} row={each.second} />:{" "}
            <span className={each.inA === "concurrent" ? "race" : ""}>{each.inA} in {open(sides[0], each.first.a, each.second.a, "A")}</span>,{" "}
            <span className={each.inB === "concurrent" ? "race" : ""}>{each.inB} in {open(sides[1], each.first.b, each.second.b, "B")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Result({ route, sides }: { route: Route; sides: Sides }) {
  const result = useMemo((): Comparison => compare(...sides), [sides]);
  const all = route.query.get("all") === "1";
  const rows = useMemo(() => (all ? result.rows : result.rows.filter((row) => row.a < 0 || row.b < 0)), [result, all]);
  return (
    <>
      <p className="facts">{plural(result.both, "event")} in both · <span className="only-a">{result.onlyA} only in A</span> · <span className="only-b">{result.onlyB} only in B</span> · {plural(result.turned.length, "pair")} with another relation</p>
      {result.turned.length > 0 && <TurnedList sides={sides} found={result.turned} />}
      <div className="filters"><label className="check"><input type="checkbox" checked={all} onChange={(event) => go(withQuery(route, { all: event.target.checked ? 1 : null }), "replace")} /> also what is in both</label></div>
      {rows.length === 0 ? <section className="empty"><p>Both did the same on every thread.</p></section> : (
        <Grid label="Events of both" rowHeight={28} rows={rows} keyOf={(row) => `${row.a}/${row.b}`}
          rowClass={(row) => (row.a < 0 ? "in-b" : row.b < 0 ? "in-a" : "")} onOpen={(row) => go(href(["traces", its(sides, row)[0].trace_id], { view: "events", sel: its(sides, row)[0].id[its(sides, row)[1]] }))}
          columns={[
            { head: "in", width: "64px", cell: (row) => (row.b < 0 ? <span className="only-a">only A</span> : row.a < 0 ? <span className="only-b">only B</span> : <span className="dim">both</span>) },
            { head: "thread", width: "minmax(90px, 1fr)", cell: (row) => <Foreign text={row.lane} most={40} /> },
            { head: "kind", width: "minmax(96px, 130px)", cell: (row) => <span className="kind">{kindOf(...its(sides, row))}</span> },
            { head: "what", width: "minmax(120px, 2.5fr)", cell: (row) => <Foreign text={nameOf(...its(sides, row))} /> },
            { head: "where", width: "minmax(110px, 1.5fr)", cell: (row) => <Place place={placeOf(...its(sides, row))} /> },
          ]} />
      )}
    </>
  );
}

export function Compare({ route }: { route: Route }) {
  const [a, b] = [route.query.get("a") ?? "", route.query.get("b") ?? ""];
  const answer = useAnswer(a === "" || b === "" ? null : `compare ${a} ${b}`, (signal): Promise<Sides> => Promise.all([columns(a, signal), columns(b, signal)]));
  return (
    <div className="view fill">
      <div className="title">
        <h1>Compare</h1>
        {a !== "" && b !== "" && (
          <>
            <span><span className="only-a">A</span> <Link to={href(["traces", a])}><Id id={a} /></Link></span>
            <span><span className="only-b">B</span> <Link to={href(["traces", b])}><Id id={b} /></Link></span>
            <button className="small" onClick={() => go(href(["compare"], { a: b, b: a }))}>Swap</button>
          </>
        )}
      </div>
      {a === "" || b === "" ? (
        <section className="empty"><p>Two traces are compared: open one of them, and choose “Compare …” there. <Link to="/traces">Traces</Link></p></section>
      ) : (
        <Answered answer={answer}>{(sides) => Math.max(sides[0].events, sides[1].events) > mostEvents
          ? <p className="quiet">Traces of up to {plural(mostEvents, "event")} are compared; these have {plural(sides[0].events, "event")} and {plural(sides[1].events, "event")}.</p>
          : <Result route={route} sides={sides} />}</Answered>
      )}
    </div>
  );
}
