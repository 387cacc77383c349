// What is known of the rows in sight beyond the list: their first event and their races. Asked for afterwards, two at a
// time, so that the list itself never waits.
import { useCallback, useEffect, useRef, useState } from "react";

import { RaceDetail, TraceSummary } from "../base/types";
import { nameOfEvent } from "../data/event_text";
import { traceView } from "../data/trace";

export interface Note {
  name: string | null;
  races: number | null;
  first: RaceDetail | null;
}

const most = 20_000; // events of a trace that is looked into without being asked
const known = new Map<string, Note>();
const keyOf = (row: TraceSummary) => `${row.trace_id} ${row.event_count}`;

export function useNotes() {
  const [, setRound] = useState(0);
  const wanted = useRef<TraceSummary[]>([]);
  const busy = useRef(0);
  const gone = useRef(false);
  useEffect(() => {
    gone.current = false;
    return () => void (gone.current = true);
  }, []);

  const next = useCallback(() => {
    while (busy.current < 2 && !gone.current) {
      const row = wanted.current.shift();
      if (row === undefined) return;
      const key = keyOf(row);
      if (known.has(key)) continue;
      busy.current += 1;
      traceView(row.trace_id)
        .then((view): Note => ({ name: view.events[0] ? nameOfEvent(view.events[0]) : null, races: view.analysis.potential_races, first: view.analysis.race_details[0] ?? null }))
        .catch((): Note => ({ name: null, races: null, first: null }))
        .then((note) => {
          known.set(key, note);
          if (known.size > 5000) known.delete(known.keys().next().value as string);
          busy.current -= 1;
          if (gone.current) return;
          setRound((n) => n + 1);
          next();
        });
    }
  }, []);

  const want = useCallback((rows: TraceSummary[]) => {
    wanted.current = rows.filter((row) => !known.has(keyOf(row)) && row.event_count <= most);
    next();
  }, [next]);
  return { want, of: (row: TraceSummary) => known.get(keyOf(row)) };
}
