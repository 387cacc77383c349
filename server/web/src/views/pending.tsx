import { plural } from "../base/format";

/** Answers about all traces are made from digests; some may be missing yet. */
export function Pending({ traces }: { traces: number | undefined }) {
  return traces ? <p className="note">{plural(traces, "trace is", "traces are")} not in yet; ask again in a moment.</p> : null;
}
