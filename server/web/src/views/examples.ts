// Two small traces to look at: one with a race, one where a lock keeps two workers apart.

interface Example {
  id: string;
  body: string;
}

type Fields = Record<string, unknown>;

function maker(trace: string, began: number, clockOf: Record<string, Record<string, number>>) {
  return (id: string, after: number, thread: string, kind: string, location: string, metadata: Fields) => ({
    event_id: `${trace}-${id}`, trace_id: trace, kind, timestamp: new Date(began + after).toISOString(), location,
    vector_clock: clockOf[id], metadata: { service_name: "bank", thread_id: thread, ...metadata },
  });
}

function racing(trace: string, began: number) {
  const event = maker(trace, began, {
    e1: { web: 1 }, e2: { web: 1, "worker-1": 1 }, e3: { web: 1, "worker-2": 1 }, e4: { web: 1, "worker-1": 2 }, e5: { web: 1, "worker-2": 2 },
    e6: { web: 2, "worker-1": 2, "worker-2": 2 },
  });
  const balance = { variable: "balance", access_type: "Read", new_value: 100 };
  return [
    event("e1", 0, "main", "HttpRequest", "bank.js:3", { method: "POST", url: "/transfer" }),
    event("e2", 1, "worker-1", "StateChange", "bank.js:11", balance),
    event("e3", 2, "worker-2", "StateChange", "bank.js:44", balance),
    event("e4", 4, "worker-1", "StateChange", "bank.js:12", { variable: "balance", access_type: "Write", old_value: 100, new_value: 70 }),
    event("e5", 5, "worker-2", "StateChange", "bank.js:45", { variable: "balance", access_type: "Write", old_value: 100, new_value: 50 }),
    event("e6", 8, "main", "HttpResponse", "bank.js:9", { status: 200 }),
  ];
}

function ordered(trace: string, began: number) {
  const event = maker(trace, began, {
    e1: { web: 1 }, e2: { web: 1, "worker-1": 1 }, e3: { web: 1, "worker-1": 2 }, e4: { web: 1, "worker-1": 3 },
    e5: { web: 1, "worker-1": 3, "worker-2": 1 }, e6: { web: 1, "worker-1": 3, "worker-2": 2 }, e7: { web: 2, "worker-1": 3, "worker-2": 2 },
  });
  const lock = { lock_id: "account", lock_type: "Mutex" };
  return [
    event("e1", 0, "main", "HttpRequest", "bank.js:3", { method: "POST", url: "/transfer-locked" }),
    event("e2", 1, "worker-1", "LockAcquire", "bank.js:10", lock),
    event("e3", 3, "worker-1", "StateChange", "bank.js:12", { variable: "balance", access_type: "Write", old_value: 100, new_value: 70 }),
    event("e4", 4, "worker-1", "LockRelease", "bank.js:14", lock),
    event("e5", 5, "worker-2", "LockAcquire", "bank.js:43", lock),
    event("e6", 6, "worker-2", "StateChange", "bank.js:45", { variable: "balance", access_type: "Write", old_value: 70, new_value: 20 }),
    event("e7", 9, "main", "HttpResponse", "bank.js:9", { status: 200 }),
  ];
}

/** Named by the moment, so that they can be sent again. */
export function example(now = Date.now()): Example {
  const stamp = new Date(now).toISOString().slice(11, 19).replaceAll(":", "");
  const race = `example-race-${stamp}`;
  const events = [...ordered(`example-locked-${stamp}`, now - 60), ...racing(race, now - 20)];
  return { id: race, body: JSON.stringify({ events }) };
}

/** The README's first race, as a command for `origin`. */
export const curl = (origin: string) => `curl -s ${origin}/events -H 'Content-Type: application/json' -d '{"events":[
  {"event_id":"e1","trace_id":"transfer","kind":"HttpRequest","timestamp":"2024-01-01T12:00:00.000Z",
   "vector_clock":{"web":1},"metadata":{"service_name":"bank","thread_id":"main","method":"POST","url":"/transfer"}},
  {"event_id":"e2","trace_id":"transfer","kind":"StateChange","timestamp":"2024-01-01T12:00:00.001Z","location":"bank.js:12",
   "vector_clock":{"web":1,"worker-1":1},
   "metadata":{"service_name":"bank","thread_id":"worker-1","variable":"balance","old_value":100,"new_value":70,"access_type":"Write"}},
  {"event_id":"e3","trace_id":"transfer","kind":"StateChange","timestamp":"2024-01-01T12:00:00.002Z","location":"bank.js:45",
   "vector_clock":{"web":1,"worker-2":1},
   "metadata":{"service_name":"bank","thread_id":"worker-2","variable":"balance","old_value":100,"new_value":50,"access_type":"Write"}}]}'`;
