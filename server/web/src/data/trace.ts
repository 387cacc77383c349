// One trace: its columns, what is said about it, single events of it.
import { ask } from "../base/client";
import { Relation, TraceView, WireEvent } from "../base/types";
import { Columns } from "./columns";

const path = (id: string, rest = "") => `/api/traces/${encodeURIComponent(id)}${rest}`;

export const traceView = (id: string, signal?: AbortSignal) => ask<TraceView>(path(id), { limit: 1 }, signal);

export const columns = (id: string, signal?: AbortSignal) => ask<Columns>(path(id, "/graph"), {}, signal);

export async function event(trace: string, id: string, signal?: AbortSignal): Promise<WireEvent | null> {
  const { events } = await ask<{ events: WireEvent[] }>(path(trace, "/events"), { ids: id }, signal);
  return events[0] ?? null;
}

export const relation = (trace: string, a: string, b: string, signal?: AbortSignal) => ask<Relation>(path(trace, "/relation"), { a, b }, signal);
