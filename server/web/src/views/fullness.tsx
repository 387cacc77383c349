// How full the memory is, and what had to go for that.
import { ask } from "../base/client";
import { bytes, count } from "../base/format";
import { Storage } from "../base/types";
import { useAnswer } from "../base/use_answer";
import { Link } from "../parts/link";

export function Gauge({ part }: { part: number }) {
  return <meter min={0} max={1} low={0.8} high={0.95} optimum={0} value={Math.min(1, part)} aria-label="Memory" />;
}

export const limitNames: Record<string, string> = { bytes: "the limit of memory", traces: "the limit of traces", age: "their age" };

export const readStorage = (signal: AbortSignal) => ask<Storage>("/api/storage", {}, signal);

export function Fullness({ evicted }: { evicted: { traces: number } }) {
  const { data } = useAnswer(`storage after ${evicted.traces}`, readStorage);
  if (!data?.limits || !data.evicted) return null;
  const part = data.limits.bytes > 0 ? data.bytes / data.limits.bytes : 0;
  const went = Object.entries(data.evicted).filter(([, each]) => each.traces > 0).map(([limit, each]) => `${count(each.traces)} by ${limitNames[limit]!}`).join(", ");
  return (
    <Link to="/storage" className="fullness">
      {part > 0 && <><Gauge part={part} /> {Math.round(part * 100)} % of {bytes(data.limits.bytes)}</>}
      {went === "" ? <span className="dim"> · nothing evicted</span> : <span className="warned"> · evicted: {went}</span>}
    </Link>
  );
}
