// How full the memory is, and what had to go for that.
import { ask } from "../base/client";
import { bytes, count } from "../base/format";
import { Memory, Status } from "../base/types";
import { useAnswer } from "../base/use_answer";
import { Link } from "../parts/link";

export function Gauge({ part, label }: { part: number; label: string }) {
  return <meter min={0} max={1} low={0.8} high={0.95} optimum={0} value={Math.min(1, part)} aria-label={label} />;
}

export const limitNames: Record<string, string> = { bytes: "the limit of memory", traces: "the limit of traces", age: "their age" };

/** "12 traces by the limit of memory" */
export function evictedBy(memory: Memory): string {
  return Object.entries(memory.evicted_by).filter(([, went]) => went.traces > 0)
    .map(([limit, went]) => `${count(went.traces)} by ${limitNames[limit] ?? limit}`).join(", ");
}

export function Fullness({ evicted }: { evicted: { traces: number; events: number } }) {
  const status = useAnswer(`status after ${evicted.traces}`, (signal) => ask<Status>("/status", {}, signal));
  const memory = status.data?.memory;
  if (!memory) return null;
  const part = memory.max_bytes > 0 ? memory.bytes / memory.max_bytes : 0;
  const went = evictedBy(memory);
  return (
    <Link to="/storage" className="fullness">
      <Gauge part={part} label="Memory" /> {Math.round(part * 100)} % of {bytes(memory.max_bytes)}
      {went === "" ? <span className="dim"> · nothing evicted</span> : <span className="warned"> · evicted: {went}</span>}
    </Link>
  );
}
