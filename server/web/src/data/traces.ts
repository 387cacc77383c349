// The list of traces, a page after the other.
import { ask } from "../base/client";
import { millis } from "../base/format";
import { TraceSummary } from "../base/types";

export interface Filter {
  q: string;
  service: string;
  races: boolean;
  errors: boolean;
  min_events: string;
  min_duration: string;
}

export interface TracePage {
  traces: TraceSummary[];
  next: string | null; // cursor of the page behind
  total: number | null;
  filtered: boolean; // the server knows all filters
  scanned: number | null; // of how many, where it stopped before it had a whole page
}

interface Listed {
  traces: TraceSummary[];
  total_traces?: number;
  total_pages?: number;
  page?: number;
  next?: string | null;
  scanned?: number;
  capped?: boolean;
}

const size = 50;
const numbered = "page:"; // cursor of a server that counts pages

export async function tracePage(filter: Filter, cursor: string | null, signal?: AbortSignal): Promise<TracePage> {
  const page = cursor?.startsWith(numbered) ? Number(cursor.slice(numbered.length)) : null;
  const listed = await ask<Listed>("/api/traces", {
    limit: size,
    page: page ?? (cursor === null ? 1 : null),
    page_size: size,
    after: page === null ? cursor : null,
    q: filter.q,
    service: filter.service,
    races: filter.races ? 1 : null,
    errors: filter.errors ? 1 : null,
    min_events: filter.min_events,
    min_duration: filter.min_duration,
  }, signal);
  const byCursor = listed.next !== undefined;
  const at = listed.page ?? 1;
  return {
    traces: listed.traces,
    next: byCursor ? listed.next ?? null : at < (listed.total_pages ?? 1) ? `${numbered}${at + 1}` : null,
    total: listed.total_traces ?? null,
    filtered: byCursor,
    scanned: listed.capped ? listed.scanned ?? null : null,
  };
}

export const lasted = (trace: TraceSummary) => millis(trace.last_timestamp) - millis(trace.first_timestamp);
