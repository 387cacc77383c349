// The rows of the list, and what waits to become one: nothing pushes away what is being read.
import { useCallback, useEffect, useRef, useState } from "../base/react";

import { access, Trouble } from "../base/client";
import { useStore } from "../base/store";
import { troubleOf, useRetry } from "../base/use_retry";
import { live, onChanges, paused } from "../data/live";
import { Filter, noFilter, tracePage } from "../data/traces";
import { TraceRow } from "./traces_notes";

interface State {
  key: string;
  rows: TraceRow[];
  next: string | null;
  scanned: number;
  capped: boolean;
  loaded: boolean;
}

const nothing = { rows: [], next: null, scanned: 0, capped: false, loaded: false };

export function useTraceList(filter: Filter) {
  const { key: apiKey } = useStore(access);
  const still = useStore(paused);
  const { round, state: liveState } = useStore(live);
  const key = JSON.stringify(filter);
  const [state, setState] = useState<State>({ key, ...nothing });
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const { attempt, retryIn, setRetryIn, again } = useRetry();
  const [waiting, setWaiting] = useState<ReadonlySet<string>>(new Set());
  const box = useRef<HTMLDivElement>(null);
  const loading = useRef(false);
  const latest = useRef(state);
  latest.current = state;

  const failed = useCallback((error: unknown, signal: AbortSignal) => {
    if (signal.aborted) return;
    const its = troubleOf(error);
    setTrouble(its);
    if (its.passing) setRetryIn(its.retryAfter ?? 2);
  }, [setRetryIn]);

  useEffect(() => {
    const control = new AbortController();
    setRetryIn(null);
    tracePage(filter, null, control.signal).then(
      (page) => {
        if (control.signal.aborted) return;
        setState({ key, rows: page.traces, next: page.next, scanned: page.scanned, capped: page.capped, loaded: true });
        setWaiting(new Set());
        setTrouble(null);
      },
      (error: unknown) => failed(error, control.signal),
    );
    return () => control.abort();
    // The filter is its key.
    // eslint-disable-next-line
  }, [key, attempt, apiKey, failed, setRetryIn]);

  // Counts of rows that are there grow in their place; other traces wait.
  useEffect(() => onChanges((changed) => {
    const known = new Set(latest.current.rows.map((row) => row.trace_id));
    const byId = new Map(changed.map((trace) => [trace.trace_id, trace]));
    const grown = (row: TraceRow) => {
      const now = byId.get(row.trace_id);
      return now && now.event_count !== row.event_count ? { ...row, ...now, grown: true } : row;
    };
    if (!paused.get()) setState((before) => ({ ...before, rows: before.rows.map(grown) }));
    const others = changed.map((trace) => trace.trace_id).filter((id) => !known.has(id));
    if (others.length > 0) setWaiting((before) => new Set([...before, ...others]));
  }), []);

  const show = useCallback(() => {
    const grid = box.current?.querySelector(".grid");
    if (grid) grid.scrollTop = 0;
    again();
  }, [again]);

  // Nobody reads a list that is empty, or that is at its top with nobody's pointer or focus in it.
  const filtered = key !== JSON.stringify(noFilter);
  useEffect(() => {
    if (waiting.size === 0 || still) return;
    const at = box.current;
    const grid = at?.querySelector(".grid");
    const read = at && (at.matches(":hover") || at.contains(document.activeElement) || (grid?.scrollTop ?? 0) > 0);
    if (!read && !filtered) again();
  }, [waiting, still, filtered, again]);

  const more = useCallback(() => {
    const { next, key: of } = latest.current;
    if (next === null || loading.current) return;
    loading.current = true;
    const control = new AbortController();
    tracePage(JSON.parse(of) as Filter, next, control.signal)
      .then((page) => setState((before) => {
        if (before.key !== of || before.next !== next) return before;
        const known = new Set(before.rows.map((row) => row.trace_id));
        return { ...before, rows: [...before.rows, ...page.traces.filter((row) => !known.has(row.trace_id))], next: page.next, scanned: before.scanned + page.scanned, capped: page.capped };
      }), (error: unknown) => failed(error, control.signal))
      .finally(() => (loading.current = false));
  }, [failed]);

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
