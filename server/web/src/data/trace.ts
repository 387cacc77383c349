// One trace: its columns, what is said about it, single events of it.
import { ask, Trouble } from "../base/client";
import { Relation, TraceView, WireEvent } from "../base/types";
import { Columns } from "./columns";
import { columnsOf } from "./columns_of_events";

const path = (id: string, rest = "") => `/api/traces/${encodeURIComponent(id)}${rest}`;

/** A route that this server does not have, unlike a trace that it does not have. */
const noRoute = (error: unknown) => error instanceof Trouble && error.status === 404 && error.message.startsWith("Not found: ");

export const traceView = (id: string, signal?: AbortSignal) => ask<TraceView>(path(id), { limit: 1 }, signal);

export async function columns(id: string, signal?: AbortSignal): Promise<Columns> {
  try {
    return await ask<Columns>(path(id, "/graph"), {}, signal);
  } catch (error) {
    if (!noRoute(error)) throw error;
    return columnsOf(await ask<TraceView>(path(id), {}, signal));
  }
}

export async function event(trace: string, id: string, signal?: AbortSignal): Promise<WireEvent | null> {
  try {
    const { events } = await ask<{ events: WireEvent[] }>(path(trace, "/events"), { ids: id }, signal);
    return events[0] ?? null;
  } catch (error) {
    if (!noRoute(error)) throw error;
    const { events } = await ask<TraceView>(path(trace), {}, signal);
    return events.find((each) => each.id === id) ?? null;
  }
}

export const relation = (trace: string, a: string, b: string, signal?: AbortSignal) => ask<Relation>(path(trace, "/relation"), { a, b }, signal);
