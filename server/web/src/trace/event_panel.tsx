// Everything that is known of one event, and how it stands to a second one that is marked.
import { clock, cut, duration, value, visible } from "../base/format";
import { relationSentence } from "../base/relation";
import { go, Route, withQuery } from "../base/route";
import { useAnswer } from "../base/use_answer";
import { WireEvent } from "../base/types";
import { Columns, find, nameOf } from "../data/columns";
import { fields, nameOfEvent, placeOfEvent, variant } from "../data/event_text";
import { event as readEvent, relation } from "../data/trace";
import { Copy } from "../parts/copy";
import { Link } from "../parts/link";
import { Foreign, Id, Place } from "../parts/text";
import { Answered } from "../parts/trouble";
import { Witness } from "../parts/witness";

function Value({ json }: { json: unknown }) {
  const text = typeof json === "string" ? json : JSON.stringify(json, null, 1) ?? "";
  if (text.length <= 120 && !text.includes("\n")) return <bdi className="mono">{typeof json === "string" ? visible(json) : value(json, 400)}</bdi>;
  return <pre className="value" tabIndex={0}>{cut(text.split("\n").map(visible).join("\n"), 20_000)}</pre>;
}

function Rows({ of }: { of: [string, unknown][] }) {
  return (
    <dl className="facts-list">
      {of.filter(([, json]) => json !== null && json !== undefined && json !== "" && !(Array.isArray(json) && json.length === 0) && !(typeof json === "object" && Object.keys(json as object).length === 0)).map(([key, json]) => (
        <div key={key}><dt>{cut(visible(key), 40)}</dt><dd><Value json={json} /></dd></div>
      ))}
    </dl>
  );
}

function Details({ event }: { event: WireEvent }) {
  const { metadata } = event;
  const clockText = event.causality_vector.map(([component, n]) => `${component}: ${n}`).join(", ");
  return (
    <div className="details">
      <Rows of={Object.entries(fields(event))} />
      <Rows of={[["id", event.id], ["parent", event.parent_id], ["time", event.timestamp], ["clock", clockText || "none"], ["locks", event.lock_set], ...Object.entries(metadata)]} />
    </div>
  );
}

/** Below the diagram, which says itself what the event is and how it stands to the other, `details` are enough. */
export function EventPanel({ graph, id, mark, route, details = false }: { graph: Columns; id: string; mark: string | null; route: Route; details?: boolean }) {
  const trace = graph.trace_id;
  const answer = useAnswer(`event ${trace} ${id}`, (signal: AbortSignal) => readEvent(trace, id, signal));
  const related = useAnswer(details || mark === null ? null : `relation ${trace} ${id} ${mark}`, (signal: AbortSignal) => relation(trace, id, mark!, signal));
  const other = find(graph, mark);
  return (
    <section className="event-panel" aria-label="The selected event">
      <Answered answer={answer}>
        {(event) => event === null ? <p className="quiet">The trace has no event <Foreign text={id} most={60} mono />.</p> : (
          details ? <Details event={event} /> : <>
            <header>
              <h2><span className="kind">{visible(variant(event))}</span> <Foreign text={nameOfEvent(event)} most={120} /></h2>
              <p className="dim"><Place place={placeOfEvent(event)} /> · <Foreign text={event.metadata.thread_id} most={40} /> of <Foreign text={event.metadata.service_name} most={40} /> · {clock(event.timestamp)}{event.metadata.duration_ns !== null && <> · {duration(event.metadata.duration_ns / 1e6)}</>}</p>
              <span className="actions">
                <Copy text={JSON.stringify(event, null, 2)}>Copy JSON</Copy>
                {mark !== id && <button className="small" title="Select another event then, to see how they stand to each other" onClick={() => go(withQuery(route, { mark: id }), "replace")}>Mark</button>}
                <button className="small" onClick={() => go(withQuery(route, { sel: null }), "replace")} aria-label="Close the details">✕</button>
              </span>
            </header>
            {mark !== null && mark !== id && (
              <div className="relation">
                <Answered answer={related}>{(found) => (
                  <>
                    <p>{relationSentence(found.relation, nameOfEvent(event), other < 0 ? "the marked event" : nameOf(graph, other))}{found.last_common_id && <> Both follow <Link to={withQuery(route, { sel: found.last_common_id })}><Id id={found.last_common_id} /></Link>.</>}</p>
                    <Witness relation={found} />
                  </>
                )}</Answered>
                <button className="small" onClick={() => go(withQuery(route, { mark: null }), "replace")}>Unmark</button>
              </div>
            )}
            <Details event={event} />
          </>
        )}
      </Answered>
    </section>
  );
}
