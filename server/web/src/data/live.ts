// What is new on the server, asked for once a second while somebody can see it.
import { access, ask, Trouble } from "../base/client";
import { store } from "../base/store";
import { TraceSummary } from "../base/types";

export interface Live {
  state: "starting" | "live" | "away";
  retryIn: number; // seconds, while away
  events: number;
  traces: number;
  perSecond: number;
  evicted: { traces: number; events: number };
  round: number; // how often it has answered
}

export const live = store<Live>({ state: "starting", retryIn: 0, events: 0, traces: 0, perSecond: 0, evicted: { traces: 0, events: 0 }, round: 0 });
/** The picture stands still; the data go on. */
export const paused = store(false);

type Listener = (changed: TraceSummary[]) => void;
const listeners = new Set<Listener>();

/** Calls `listener` with traces that are new or have grown, newest first. */
export function onChanges(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

interface Changes {
  cursor: string;
  traces: TraceSummary[];
  events_captured: number;
  traces_active: number;
  evicted_traces: number;
  evicted_events: number;
  events_per_second: number;
}

let cursor: string | null = null;

async function look(): Promise<number> {
  if (access.get().asked) return 1;
  try {
    const found = await ask<Changes>("/api/changes", { since: cursor });
    cursor = found.cursor;
    live.set({
      state: "live", retryIn: 0, events: found.events_captured, traces: found.traces_active, perSecond: found.events_per_second,
      evicted: { traces: found.evicted_traces, events: found.evicted_events }, round: live.get().round + 1,
    });
    if (found.traces.length > 0) listeners.forEach((listener) => listener(found.traces));
    return 1;
  } catch (error) {
    const wait = error instanceof Trouble && error.retryAfter !== null ? error.retryAfter : 2;
    if (!(error instanceof Trouble) || error.status !== 401) live.set({ ...live.get(), state: "away", retryIn: wait });
    return wait;
  }
}

let running = false;

/** Once; it ends with the page. */
export function startLive() {
  if (running) return;
  running = true;
  let timer = 0;
  let busy = false;
  const tick = async () => {
    if (busy || document.hidden) return;
    busy = true;
    const wait = await look();
    busy = false;
    timer = window.setTimeout(tick, wait * 1000);
  };
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    void tick();
  });
  void tick();
}
