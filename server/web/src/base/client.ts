// Asking the server: the envelope, the key, and what can go wrong.
import { inBase, Query, searchOf } from "./route";
import { store } from "./store";

/** Why there is no answer, in the server's words where it gave some. */
export class Trouble extends Error {
  constructor(
    readonly status: number, // 0: no server
    message: string,
    readonly requestId: string | null = null,
    readonly retryAfter: number | null = null, // seconds
  ) {
    super(message);
  }

  get unreachable() {
    return this.status === 0;
  }
  /** Worth another attempt by itself. */
  get passing() {
    return this.unreachable || [429, 502, 503, 504].includes(this.status);
  }
}

const place = "raceway-key";

/** The API key of this tab. `asked`: the server wants one, and has not got a good one. */
export const access = store<{ key: string | null; asked: boolean; wrong: boolean }>({
  key: sessionStorage.getItem(place),
  asked: false,
  wrong: false,
});

export function giveKey(key: string) {
  sessionStorage.setItem(place, key);
  access.set({ key, asked: false, wrong: false });
}

function refused() {
  const { key } = access.get();
  access.set({ key, asked: true, wrong: key !== null });
}

interface Envelope<T> {
  success: boolean;
  data: T;
  error: string | null;
}

async function envelope<T>(response: Response): Promise<Envelope<T>> {
  const trouble = (message: string) => {
    const after = Number(response.headers.get("Retry-After"));
    return new Trouble(response.status, message, response.headers.get("X-Request-Id"), after > 0 ? after : null);
  };
  let body: Envelope<T>;
  try {
    body = (await response.json()) as Envelope<T>;
  } catch {
    throw trouble(response.ok ? "The answer was cut off" : `The server answered with status ${response.status}`);
  }
  if (response.ok && body?.success === true) return body;
  throw trouble(body?.error ?? `The server answered with status ${response.status}`);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  const { key } = access.get();
  const headers = { ...(init.headers as Record<string, string>), ...(key === null ? {} : { Authorization: `Bearer ${key}` }) };
  let response: Response;
  try {
    response = await fetch(inBase(path), { ...init, headers, cache: "no-store", credentials: "same-origin" });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Trouble(0, "The server cannot be reached");
  }
  if (response.status === 401) refused();
  return response;
}

export async function ask<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const search = searchOf(query);
  const response = await send(path + (search && "?" + search), signal ? { signal } : {});
  return (await envelope<T>(response)).data;
}

export interface Sent {
  stored: number;
  duplicates: number;
  rejected_count: number;
  rejected: { index: number; id: string; reason: string }[];
}

/** POST /events. */
export async function sendEvents(body: string | Blob): Promise<Sent> {
  const response = await send("/events", { method: "POST", body, headers: { "Content-Type": "application/json" } });
  return (await envelope<string>(response)) as unknown as Sent;
}
