// The list of traces: newest first, filtered, followed as it grows.
import { useEffect } from "react";

import { count } from "../base/format";
import { go, href, Route, withQuery } from "../base/route";
import { useStore } from "../base/store";
import { TroubleNote } from "../parts/trouble";
import { Grid } from "../parts/grid";
import { live } from "../data/live";
import { Filter } from "../data/traces";
import { Filters } from "./traces_filters";
import { Fullness } from "./fullness";
import { useTraceList } from "./traces_list";
import { columnsOfList } from "./traces_columns";
import { useNotes } from "./traces_notes";
import { Send } from "./send";

export const filterOf = (query: URLSearchParams): Filter => ({
  q: query.get("q") ?? "",
  service: query.get("service") ?? "",
  races: query.get("races") === "1",
  errors: query.get("errors") === "1",
  min_events: query.get("min_events") ?? "",
  min_duration: query.get("min_duration") ?? "",
});

export const emptyFilter = (filter: Filter) => Object.values(filter).every((each) => each === "" || each === false);

/** The ids as they stand in the list, for those who step from one trace to the next. */
export let listedIds: string[] = [];

export function Traces({ route }: { route: Route }) {
  const filter = filterOf(route.query);
  const list = useTraceList(filter);
  const notes = useNotes();
  const now = useStore(live);
  useEffect(() => {
    listedIds = list.rows.map((row) => row.trace_id);
  }, [list.rows]);

  const nothing = list.loaded && list.rows.length === 0;
  if (nothing && emptyFilter(filter) && !list.trouble) return <Send first />;
  const compare = route.query.get("compare");
  const open = (row: { trace_id: string }) =>
    go(compare === null ? href(["traces", row.trace_id]) : href(["compare"], { a: compare, b: row.trace_id }));
  return (
    <div className="view fill">
      <div className="title">
        <h1>Traces</h1>
        <Fullness evicted={now.evicted} />
      </div>
      <Filters filter={filter} change={(changes) => go(withQuery(route, changes), "replace")} all={list.filtered} />
      {compare !== null && <p className="note">Choose the trace to compare with. <button className="small" onClick={() => go(withQuery(route, { compare: null }))}>Not now</button></p>}
      {list.trouble && <TroubleNote trouble={list.trouble} retryIn={list.retryIn} again={list.again} />}
      <div className="behind">
        {list.behind > 0 && <button className="primary small" onClick={list.show}>{count(list.behind)} new – show</button>}
      </div>
      {nothing ? (
        <section className="empty">
          <p>No trace is like that{list.scanned !== null && <>, of the newest {count(list.scanned)}</>}.</p>
          <button onClick={() => go("/traces")}>Show all traces</button>
        </section>
      ) : (
        <div className={list.trouble ? "fill stale" : "fill"} ref={list.box}>
          <Grid label="Traces" columns={columnsOfList(notes.of)} rows={{ length: list.rows.length, at: (at) => list.rows[at]! }} keyOf={(row) => row.trace_id}
            total={list.total ?? list.rows.length} onOpen={open} onEnd={list.more} onSight={(from, to) => notes.want(list.rows.slice(from, to))} />
        </div>
      )}
      <p className="count dim" aria-live="off">
        {list.rows.length > 0 && <>{count(list.rows.length)} of {list.total === null ? "the traces" : count(Math.max(list.total, list.rows.length))}{list.next && <> · <button className="small" onClick={list.more}>Older</button></>}</>}
      </p>
    </div>
  );
}
