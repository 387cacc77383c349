// What is known of the rows in sight beyond the list: the first of their races, and of rows that have grown what the list
// said before. Asked for afterwards, two at a time, so that the list itself never waits.
import { useCallback, useEffect, useRef, useState } from "../base/react";

import { FoundTrace, RaceDetail } from "../base/types";
import { foundTrace } from "../data/traces";
import { traceView } from "../data/trace";

/** A row, which may have grown since the list was read. */
export type TraceRow = FoundTrace & { grown?: boolean };

interface Note {
  found: FoundTrace;
  first: RaceDetail | null;
}

const known = new Map<string, Note>();
const keyOf = (row: TraceRow) => `${row.trace_id} ${row.event_count}`;
const open = (row: TraceRow) => (row.grown || row.races) && !known.has(keyOf(row));

async function look(row: TraceRow): Promise<Note> {
  const found = (row.grown && (await foundTrace(row.trace_id))) || row;
  const first = found.races ? (await traceView(row.trace_id)).analysis.race_details[0] : null;
  return { found, first: first ?? null };
}

export function useNotes() {
  const [, setRound] = useState(0);
  const wanted = useRef<TraceRow[]>([]);
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
      if (!open(row)) continue;
      busy.current += 1;
      look(row)
        .catch((): Note => ({ found: row, first: null }))
        .then((note) => {
          known.set(keyOf(row), note);
          if (known.size > 5000) known.delete(known.keys().next().value as string);
          busy.current -= 1;
          if (gone.current) return;
          setRound((n) => n + 1);
          next();
        });
    }
  }, []);

  const want = useCallback((rows: TraceRow[]) => {
    wanted.current = rows.filter(open);
    next();
  }, [next]);
  return { want, of: (row: TraceRow): Note => known.get(keyOf(row)) ?? { found: row, first: null } };
}
