// The list of traces: newest first, filtered, followed as it grows.
import { useEffect } from "../base/react";

import { count } from "../base/format";
import { go, href, Route, withQuery } from "../base/route";
import { useStore } from "../base/store";
import { TroubleNote } from "../parts/trouble";
import { Grid } from "../parts/grid";
import { live } from "../data/live";
import { Filter, noFilter } from "../data/traces";
import { Filters } from "./traces_filters";
import { Fullness } from "./fullness";
import { useTraceList } from "./traces_list";
import { columnsOfList } from "./traces_columns";
import { useNotes } from "./traces_notes";
import { Send } from "./send";

const filterOf = (query: URLSearchParams) => Object.fromEntries(Object.entries(noFilter).map(([key, none]) => {
  const text = query.get(key);
  return [key, none === false ? text === "1" : text ?? ""];
})) as Filter;

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

  const empty = Object.values(filter).every((each) => !each);
  const total = empty ? Math.max(now.traces, list.rows.length) : list.next === null ? list.rows.length : null;
  const nothing = list.loaded && list.rows.length === 0;
  if (nothing && empty && !list.trouble) return <Send first />;
  const compare = route.query.get("compare");
  const open = (row: { trace_id: string }) =>
    go(compare === null ? href(["traces", row.trace_id]) : href(["compare"], { a: compare, b: row.trace_id }));
  return (
    <div className="view fill">
      <div className="title">
        <h1>Traces</h1>
        <Fullness evicted={now.evicted} />
      </div>
      <Filters filter={filter} change={(changes) => go(withQuery(route, changes), "replace")} />
      {compare !== null && <p className="note">Choose the trace to compare with. <button className="small" onClick={() => go(withQuery(route, { compare: null }))}>Not now</button></p>}
      {list.trouble && <TroubleNote trouble={list.trouble} retryIn={list.retryIn} again={list.again} />}
      <div className="behind">
        {list.behind > 0 && <button className="primary small" onClick={list.show}>{count(list.behind)} new – show</button>}
      </div>
      {nothing ? (
        <section className="empty">
          <p>No trace is like that{list.next !== null && <>, of the newest {count(list.scanned)}</>}.</p>
          {list.next !== null && <button className="primary" onClick={list.more}>Look further</button>}
          <button onClick={() => go("/traces")}>Show all traces</button>
        </section>
      ) : (
        <div className={list.trouble ? "fill stale" : "fill"} ref={list.box}>
          <Grid label="Traces" columns={columnsOfList(notes.of)} rows={list.rows} keyOf={(row) => row.trace_id}
            total={total ?? -2} onOpen={open} onEnd={list.capped ? undefined : list.more} onSight={(from, to) => notes.want(list.rows.slice(from, to))} />
        </div>
      )}
      <p className="count dim" aria-live="off">
        {list.rows.length > 0 && <>{count(list.rows.length)} {total !== null ? <>of {count(total)}</> : list.capped && <>of {count(list.scanned)} looked at</>}{list.next && <> · <button className="small" onClick={list.more}>Older</button></>}</>}
      </p>
    </div>
  );
}
