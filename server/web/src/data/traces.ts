// The list of traces, a page after the other.
import { ask } from "../base/client";
import { millis } from "../base/format";
import { FoundTrace, TraceSummary } from "../base/types";

export const noFilter = { q: "", service: "", variable: "", min_events: "", min_duration: "", races: false, errors: false };
export type Filter = typeof noFilter;

export interface TracePage {
  traces: FoundTrace[];
  next: string | null; // cursor of the page behind
  scanned: number; // traces that were looked at
  capped: boolean; // that was as much as one search may, and there are more
}

export const tracePage = (filter: Filter, after: string | null, signal?: AbortSignal) =>
  ask<TracePage>("/api/traces", { ...filter, races: filter.races ? 1 : null, errors: filter.errors ? 1 : null, limit: 50, after }, signal);

/** One trace as lists have it; null where it is gone. */
export async function foundTrace(id: string): Promise<FoundTrace | null> {
  const { traces } = await ask<TracePage>("/api/traces", { q: id, limit: 1 });
  return traces.find((trace) => trace.trace_id === id) ?? null;
}

export const lasted = (trace: TraceSummary) => millis(trace.last_timestamp) - millis(trace.first_timestamp);
