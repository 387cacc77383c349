// A list that comes in numbered pages, each added to the last.
import { useCallback, useEffect, useState } from "react";

import { access, ask, Trouble } from "../base/client";
import { Query } from "../base/route";
import { useStore } from "../base/store";

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
  const [wanted, setWanted] = useState({ key, page: 1, attempt: 0 });
  const [retryIn, setRetryIn] = useState<number | null>(null);
  const page = wanted.key === key ? wanted.page : 1;

  useEffect(() => {
    const control = new AbortController();
    setRetryIn(null);
    ask<Data>(path, { ...(JSON.parse(key.slice(path.length)) as Query), page, page_size: size }, control.signal).then(
      (data) => {
        if (control.signal.aborted) return;
        const found = read(data);
        setState((before) => ({ key, rows: page === 1 || before.key !== key ? found.rows : [...before.rows, ...found.rows], last: data, total: found.total, page, trouble: null }));
      },
      (error: unknown) => {
        if (control.signal.aborted) return;
        const trouble = error instanceof Trouble ? error : new Trouble(-1, String(error));
        setState((before) => ({ ...(before.key === key ? before : { key, rows: [], last: null, total: 0, page: 0 }), trouble }));
        if (trouble.passing) setRetryIn(trouble.retryAfter ?? 2);
      },
    );
    return () => control.abort();
  }, [key, path, page, read, apiKey, wanted.attempt]);

  const again = useCallback(() => setWanted((before) => ({ ...before, attempt: before.attempt + 1 })), []);
  useEffect(() => {
    if (retryIn === null) return;
    const timer = setTimeout(() => (retryIn <= 1 ? again() : setRetryIn(retryIn - 1)), 1000);
    return () => clearTimeout(timer);
  }, [retryIn, again]);

  const own: State<Row, Data> = state.key === key ? state : { key, rows: [], last: null, total: 0, page: 0, trouble: null };
  const more = own.page * size < own.total ? () => setWanted({ key, page: own.page + 1, attempt: 0 }) : null;
  return { ...own, retryIn, again, more };
}
