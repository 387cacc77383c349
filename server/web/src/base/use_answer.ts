// An answer of the server as a component sees it: what there is, what is wrong, and when it is asked for again.
import { useEffect, useRef, useState } from "./react";

import { access, Trouble } from "./client";
import { useStore } from "./store";
import { troubleOf, useRetry } from "./use_retry";

export interface Answer<T> {
  data: T | null; // of this key; stays while it is asked for again in vain
  trouble: Trouble | null;
  retryIn: number | null; // seconds until it is asked for by itself
  again(): void;
}

const patience = [1, 2, 4, 8, 15];

/** `key` says what is asked for: another one begins anew, null asks for nothing. */
export function useAnswer<T>(key: string | null, fetch: (signal: AbortSignal) => Promise<T>): Answer<T> {
  const [state, setState] = useState<{ key: string | null; data: T | null; trouble: Trouble | null }>({ key, data: null, trouble: null });
  const { attempt, retryIn, setRetryIn, again } = useRetry();
  const failures = useRef(0);
  const { key: apiKey } = useStore(access);
  const latest = useRef(fetch);
  latest.current = fetch;

  useEffect(() => {
    if (key === null) return;
    const control = new AbortController();
    setRetryIn(null);
    latest.current(control.signal).then(
      (data) => {
        if (control.signal.aborted) return;
        failures.current = 0;
        setState({ key, data, trouble: null });
      },
      (error: unknown) => {
        if (control.signal.aborted) return;
        const trouble = troubleOf(error);
        setState((before) => ({ key, data: before.key === key ? before.data : null, trouble }));
        if (trouble.passing) setRetryIn(trouble.retryAfter ?? patience[Math.min(failures.current++, patience.length - 1)]!);
      },
    );
    return () => control.abort();
  }, [key, attempt, apiKey, setRetryIn]);

  const own = state.key === key;
  return { data: own ? state.data : null, trouble: own ? state.trouble : null, retryIn, again };
}
