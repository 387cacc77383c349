// A list that comes in numbered pages, each added to the last.
import { useEffect, useRef, useState } from "../base/react";

import { access, ask, Trouble } from "../base/client";
import { Query } from "../base/route";
import { useStore } from "../base/store";
import { troubleOf, useRetry } from "../base/use_retry";

interface State<Row, Data> {
  key: string;
  rows: Row[];
  last: Data | null;
  total: number;
  page: number;
  trouble: Trouble | null;
}

const size = 100;

export function useLoaded<Row, Data>(path: string, read: (data: Data) => { rows: Row[]; total: number }, query: Query = {}) {
  const key = path + JSON.stringify(query);
  const { key: apiKey } = useStore(access);
  const [state, setState] = useState<State<Row, Data>>({ key, rows: [], last: null, total: 0, page: 0, trouble: null });
  const [wanted, setWanted] = useState({ key, page: 1 });
  const { attempt, retryIn, setRetryIn, again } = useRetry();
  const latest = useRef(read);
  latest.current = read;
  const page = wanted.key === key ? wanted.page : 1;

  useEffect(() => {
    const control = new AbortController();
    setRetryIn(null);
    ask<Data>(path, { ...(JSON.parse(key.slice(path.length)) as Query), page, page_size: size }, control.signal).then(
      (data) => {
        if (control.signal.aborted) return;
        const found = latest.current(data);
        setState((before) => ({ key, rows: page === 1 || before.key !== key ? found.rows : [...before.rows, ...found.rows], last: data, total: found.total, page, trouble: null }));
      },
      (error: unknown) => {
        if (control.signal.aborted) return;
        const trouble = troubleOf(error);
        setState((before) => ({ ...(before.key === key ? before : { key, rows: [], last: null, total: 0, page: 0 }), trouble }));
        if (trouble.passing) setRetryIn(trouble.retryAfter ?? 2);
      },
    );
    return () => control.abort();
  }, [key, path, page, apiKey, attempt, setRetryIn]);

  const own: State<Row, Data> = state.key === key ? state : { key, rows: [], last: null, total: 0, page: 0, trouble: null };
  const more = own.page * size < own.total ? () => setWanted({ key, page: own.page + 1 }) : null;
  return { ...own, retryIn, again, more };
}
