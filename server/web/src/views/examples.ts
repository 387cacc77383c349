// Two small traces to look at: one with a race, one where a lock keeps two workers apart; and the README's first race.

type Fields = Record<string, unknown>;
type Spec = [after: number, thread: string, kind: string, line: number, clock: Record<string, number>, metadata: Fields];

const events = (trace: string, prefix: string, began: number, specs: Spec[]) => specs.map(([after, thread, kind, line, vector_clock, metadata], at) => ({
  event_id: `${prefix}e${at + 1}`, trace_id: trace, kind, timestamp: new Date(began + after).toISOString(), location: `bank.js:${line}`,
  vector_clock, metadata: { service_name: "bank", thread_id: thread, ...metadata },
}));

const [one, two] = ["worker-1", "worker-2"];
const balance = { variable: "balance" };
const lock = { lock_id: "account", lock_type: "Mutex" };
const write = (old_value: number, new_value: number) => ({ ...balance, old_value, new_value, access_type: "Write" });
const read = { ...balance, new_value: 100, access_type: "Read" };
const request = (url: string): Spec => [0, "main", "HttpRequest", 3, { web: 1 }, { method: "POST", url }];
const response = (after: number, clock: Record<string, number>): Spec => [after, "main", "HttpResponse", 9, { web: 2, ...clock }, { status: 200 }];
const first = write(100, 70);
const lost = write(100, 50);

const racing: Spec[] = [
  request("/transfer"), [1, one, "StateChange", 11, { web: 1, [one]: 1 }, read], [2, two, "StateChange", 44, { web: 1, [two]: 1 }, read],
  [4, one, "StateChange", 12, { web: 1, [one]: 2 }, first], [5, two, "StateChange", 45, { web: 1, [two]: 2 }, lost], response(8, { [one]: 2, [two]: 2 }),
];
const locked: Spec[] = [
  request("/transfer-locked"), [1, one, "LockAcquire", 10, { web: 1, [one]: 1 }, lock], [3, one, "StateChange", 12, { web: 1, [one]: 2 }, first],
  [4, one, "LockRelease", 14, { web: 1, [one]: 3 }, lock], [5, two, "LockAcquire", 43, { web: 1, [one]: 3, [two]: 1 }, lock],
  [6, two, "StateChange", 45, { web: 1, [one]: 3, [two]: 2 }, write(70, 20)], response(9, { [one]: 3, [two]: 2 }),
];

/** Named by the moment, so that they can be sent again. */
export function example(now = Date.now()): { id: string; body: string } {
  const stamp = new Date(now).toISOString().slice(11, 19).replaceAll(":", "");
  const [race, other] = [`example-race-${stamp}`, `example-locked-${stamp}`];
  return { id: race, body: JSON.stringify({ events: [...events(other, `${other}-`, now - 60, locked), ...events(race, `${race}-`, now - 20, racing)] }) };
}

/** As a command for `origin`. */
export function curl(origin: string): string {
  const both: Spec[] = [request("/transfer"), [1, one, "StateChange", 12, { web: 1, [one]: 1 }, first], [2, two, "StateChange", 45, { web: 1, [two]: 1 }, lost]];
  const listed = events("transfer", "", Date.UTC(2024, 0, 1, 12), both).map((event) => "\n  " + JSON.stringify(event));
  return `curl -s ${origin}/events -H 'Content-Type: application/json' -d '{"events":[${listed.join(",")}]}'`;
}
