// The rows of the list, and what waits to become one: nothing pushes away what is being read.
import { useCallback, useEffect, useRef, useState } from "react";

import { access, Trouble } from "../base/client";
import { useStore } from "../base/store";
import { TraceSummary } from "../base/types";
import { live, onChanges, paused } from "../data/live";
import { Filter, tracePage } from "../data/traces";

interface State {
  key: string;
  rows: TraceSummary[];
  next: string | null;
  total: number | null;
  filtered: boolean;
  scanned: number | null;
  loaded: boolean;
}

const nothing = { rows: [], next: null, total: null, filtered: false, scanned: null, loaded: false };

export function useTraceList(filter: Filter) {
  const { key: apiKey } = useStore(access);
  const still = useStore(paused);
  const { round, state: liveState } = useStore(live);
  const key = JSON.stringify(filter);
  const [state, setState] = useState<State>({ key, ...nothing });
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const [retryIn, setRetryIn] = useState<number | null>(null);
  const [attempt, setAttempt] = useState(0);
  const [waiting, setWaiting] = useState<Map<string, TraceSummary>>(new Map());
  const box = useRef<HTMLDivElement>(null);
  const loading = useRef(false);
  const latest = useRef(state);
  latest.current = state;

  const failed = useCallback((error: unknown, signal: AbortSignal) => {
    if (signal.aborted) return;
    const its = error instanceof Trouble ? error : new Trouble(-1, String(error));
    setTrouble(its);
    if (its.passing) setRetryIn(its.retryAfter ?? 2);
  }, []);

  useEffect(() => {
    const control = new AbortController();
    setRetryIn(null);
    tracePage(filter, null, control.signal).then(
      (page) => {
        if (control.signal.aborted) return;
        setState({ key, rows: page.traces, next: page.next, total: page.total, filtered: page.filtered, scanned: page.scanned, loaded: true });
        setWaiting(new Map());
        setTrouble(null);
      },
      (error: unknown) => failed(error, control.signal),
    );
    return () => control.abort();
    // The filter is its key.
    // eslint-disable-next-line
  }, [key, attempt, apiKey, failed]);

  useEffect(() => {
    if (retryIn === null) return;
    const timer = setTimeout(() => (retryIn <= 1 ? setAttempt((n) => n + 1) : setRetryIn(retryIn - 1)), 1000);
    return () => clearTimeout(timer);
  }, [retryIn]);

  // Counts of rows that are there grow in their place; other traces wait.
  useEffect(() => onChanges((changed) => {
    const known = new Set(latest.current.rows.map((row) => row.trace_id));
    const byId = new Map(changed.map((trace) => [trace.trace_id, trace]));
    if (!paused.get()) setState((before) => ({ ...before, rows: before.rows.map((row) => ({ ...row, ...byId.get(row.trace_id) })) }));
    const others = changed.filter((trace) => !known.has(trace.trace_id));
    if (others.length > 0) setWaiting((before) => new Map([...others.map((trace): [string, TraceSummary] => [trace.trace_id, trace]), ...before]));
  }), []);

  const show = useCallback(() => {
    const grid = box.current?.querySelector(".grid");
    if (grid) grid.scrollTop = 0;
    setAttempt((n) => n + 1);
  }, []);

  // Nobody reads a list that is empty, or that is at its top with nobody's pointer or focus in it.
  const filtered = key !== JSON.stringify({ q: "", service: "", races: false, errors: false, min_events: "", min_duration: "" });
  useEffect(() => {
    if (waiting.size === 0 || still) return;
    const at = box.current;
    const grid = at?.querySelector(".grid");
    const read = at && (at.matches(":hover") || at.contains(document.activeElement) || (grid?.scrollTop ?? 0) > 0);
    if (!read && !filtered) setAttempt((n) => n + 1);
  }, [waiting, still, filtered]);

  const more = useCallback(() => {
    const { next, key: of } = latest.current;
    if (next === null || loading.current) return;
    loading.current = true;
    const control = new AbortController();
    tracePage(JSON.parse(of) as Filter, next, control.signal)
      .then((page) => setState((before) => {
        if (before.key !== of || before.next !== next) return before;
        const known = new Set(before.rows.map((row) => row.trace_id));
        return { ...before, rows: [...before.rows, ...page.traces.filter((row) => !known.has(row.trace_id))], next: page.next, scanned: page.scanned };
      }), (error: unknown) => failed(error, control.signal))
      .finally(() => (loading.current = false));
  }, [failed]);

  const again = useCallback(() => setAttempt((n) => n + 1), []);
  const own = state.key === key;
  // Reached again after it was away: what happened meanwhile is asked for.
  const wasAway = useRef(false);
  useEffect(() => {
    if (liveState === "away") wasAway.current = true;
    else if (wasAway.current) {
      wasAway.current = false;
      again();
    }
  }, [liveState, round, again]);
  return { ...(own ? state : { key, ...nothing }), behind: waiting.size, trouble, retryIn, again, show, more, box };
}
