// What kinds of events look like: eight classes, each with a shape of its own, so that none is told by its colour alone.
// The colours are those of Okabe and Ito, which people with any colour vision tell apart.

export const enum Kind {
  other,
  access,
  call,
  async,
  http,
  database,
  lock,
  error,
}
export const KINDS = 8;

/** Filled: what begins, writes or acquires. Open: what answers, reads or releases. */
export interface Look {
  kind: Kind;
  open: boolean;
}

const BY_NAME: Record<string, Look> = {
  StateChange: { kind: Kind.access, open: false },
  FunctionCall: { kind: Kind.call, open: false },
  FunctionReturn: { kind: Kind.call, open: true },
  AsyncSpawn: { kind: Kind.async, open: false },
  AsyncAwait: { kind: Kind.async, open: true },
  HttpRequest: { kind: Kind.http, open: false },
  HttpResponse: { kind: Kind.http, open: true },
  DatabaseQuery: { kind: Kind.database, open: false },
  DatabaseResult: { kind: Kind.database, open: true },
  LockAcquire: { kind: Kind.lock, open: false },
  LockRelease: { kind: Kind.lock, open: true },
  Error: { kind: Kind.error, open: false },
};

/** Kinds may come with details, "HttpRequest(GET)". What is not known is "other". */
export function lookOf(kind: string): Look {
  const name = kind.split("(", 1)[0]!;
  return Object.hasOwn(BY_NAME, name) ? BY_NAME[name]! : { kind: Kind.other, open: false };
}

export const KIND_NAMES = ["other", "variable", "call", "async", "HTTP", "database", "lock", "error"] as const;
