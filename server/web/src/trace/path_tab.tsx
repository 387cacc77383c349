// Where the time went: the pieces of the elapsed time, and the chain of events that took longest.
import { count, cut, duration, visible } from "../base/format";
import { href } from "../base/route";
import { CriticalPath, TraceView } from "../base/types";
import { Columns, find, kindOf, nameOf } from "../data/columns";
import { Grid } from "../parts/grid";
import { Link } from "../parts/link";
import { Foreign, Place } from "../parts/text";

function Elapsed({ elapsed }: { elapsed: NonNullable<CriticalPath["elapsed"]> }) {
  const services = elapsed.by_service.map((each) => each.service);
  return (
    <section>
      <h2>From the first event to the last: {duration(elapsed.elapsed_ms)}</h2>
      <div className="strip" role="img" aria-label={elapsed.by_service.map((each) => `${cut(visible(each.service), 40)} ${each.percent.toFixed(0)} %`).join(", ")}>
        {elapsed.pieces.slice(0, 400).map((piece, at) => (
          <span key={at} className={`piece tone-${services.indexOf(piece.service) % 6}`} style={{ flexGrow: Math.max(piece.ms, elapsed.elapsed_ms / 2000) }} title={cut(visible(`${piece.service}, ${piece.thread}: ${duration(piece.ms)}`), 300)} />
        ))}
      </div>
      <ul className="legend">
        {elapsed.by_service.map((each) => (
          <li key={each.service}><span className={`chip tone-${services.indexOf(each.service) % 6}`} aria-hidden="true" /> <Foreign text={each.service} most={40} /> {duration(each.ms)} <span className="dim">{each.percent.toFixed(1)} %</span></li>
        ))}
      </ul>
      {elapsed.detached > 0 && <p className="dim">{count(elapsed.detached)} requests were not waited for by anybody.</p>}
    </section>
  );
}

/** As the columns have it, which name what the path calls "Other". */
function Named({ graph, id, otherwise }: { graph: Columns | null; id: string; otherwise: string }) {
  const at = graph === null ? -1 : find(graph, id);
  if (graph === null || at < 0) return <Foreign text={otherwise} />;
  return <><span className="kind">{kindOf(graph, at)}</span> <Foreign text={nameOf(graph, at)} /></>;
}

export function PathTab({ trace, view, graph }: { trace: string; view: TraceView; graph: Columns | null }) {
  const path = view.critical_path;
  if (!path || path.path.length === 0) return <section className="empty"><p>No chain of events is known here.</p></section>;
  const timed = path.trace_total_duration_ms > 0;
  const rows = path.path;
  return (
    <div className="fill">
      {path.elapsed && path.elapsed.pieces.length > 0 && <Elapsed elapsed={path.elapsed} />}
      <section className="fill">
        <h2>{timed ? <>The longest chain of causes: {duration(path.total_duration_ms)}, {path.percentage_of_total.toFixed(0)} % of all that took time</> : "The chain of causes; no event tells how long it took"}</h2>
        <Grid label="Critical path" rowHeight={28} rows={rows} keyOf={(row) => row.id}
          columns={[
            { head: "what", width: "minmax(160px, 2fr)", cell: (row) => <Link to={href(["traces", trace], { view: "events", sel: row.id })}><Named graph={graph} id={row.id} otherwise={row.kind} /></Link> },
            { head: "where", width: "minmax(120px, 1.500fr)", cell: (row) => <Place place={row.location === "unknown" ? "" : row.location} /> },
            { head: "took", width: "90px", right: true, cell: (row) => duration(row.duration_ms) },
            { head: "share", width: "minmax(80px, 1fr)", cell: (row) => <span className="bar" style={{ inlineSize: `${path.total_duration_ms > 0 ? (100 * row.duration_ms) / path.total_duration_ms : 0}%` }} /> },
          ]} />
      </section>
    </div>
  );
}
