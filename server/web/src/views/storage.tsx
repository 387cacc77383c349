// Where the events are, how much room they take, and what went. It changes nothing: it shows the commands that would.
import { ReactNode } from "react";

import { ask, Trouble } from "../base/client";
import { ago, bytes, clock, count, cut, duration, plural, visible } from "../base/format";
import { useStore } from "../base/store";
import { useAnswer } from "../base/use_answer";
import { Status } from "../base/types";
import { live } from "../data/live";
import { Copy } from "../parts/copy";
import { Answered } from "../parts/trouble";
import { Gauge, limitNames } from "./fullness";

interface Storage {
  backend: string;
  edition: string | null;
  version: string;
  bytes: number | null;
  limits: Record<string, unknown>;
  evicted?: Record<string, { traces: number; events: number }>;
  partitions?: unknown;
  retention?: Record<string, unknown> | null;
  cleanups?: { started: string; finished: string | null; deleted_traces: number; deleted_events: number; error: string | null }[];
  listening?: string[];
  rejected_lately?: { time: string; reason: string; count: number }[];
}

async function read(signal: AbortSignal): Promise<{ storage: Storage; status: Status }> {
  const status = await ask<Status>("/status", {}, signal);
  try {
    return { status, storage: await ask<Storage>("/api/storage", {}, signal) };
  } catch (error) {
    if (!(error instanceof Trouble) || error.status !== 404) throw error;
    const { memory } = status;
    const storage: Storage = { backend: memory ? "memory" : "postgres", edition: null, version: status.version, bytes: memory?.bytes ?? null, limits: memory ? { max_bytes: memory.max_bytes, max_traces: memory.max_traces, max_age_seconds: memory.max_age_seconds } : {} };
    return { status, storage: memory ? { ...storage, evicted: memory.evicted_by } : storage };
  }
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

const limit = (storage: Storage, key: string) => Number(storage.limits[key] ?? 0);

function Evicted({ storage }: { storage: Storage }) {
  const went = Object.entries(storage.evicted ?? {}).filter(([, each]) => each.traces > 0);
  if (went.length === 0) return <>Nothing so far.</>;
  return <>{went.map(([by, each]) => <span key={by} className="warned">{plural(each.traces, "trace")} ({plural(each.events, "event")}) by {limitNames[by] ?? by}. </span>)}</>;
}

function Limits({ storage }: { storage: Storage }) {
  const traces = limit(storage, "max_traces");
  const age = limit(storage, "max_age_seconds");
  return <>{limit(storage, "max_bytes") > 0 ? bytes(limit(storage, "max_bytes")) : "no limit of memory"}, {traces > 0 ? plural(traces, "trace") : "any number of traces"}, {age > 0 ? `${duration(age * 1000)} since the last event` : "any age"}</>;
}

function Command({ said, code }: { said: string; code: string }) {
  return (
    <>
      <p>{said}</p>
      <div className="code"><pre tabIndex={0}>{code}</pre><Copy text={code} /></div>
    </>
  );
}

const dryRun = "build/raceway cleanup --older-than '30 days' --dry-run";
const memoryLimits = "[storage.memory]\nmax_bytes = 4_000_000_000\nmax_traces = 100_000\nmax_age_seconds = 86_400";

export function StorageView() {
  const answer = useAnswer("storage", read);
  const now = useStore(live);
  return (
    <div className="view scroll">
      <div className="title"><h1>Storage</h1><button className="small" onClick={answer.again}>Ask again</button></div>
      <Answered answer={answer}>{({ storage, status }) => {
        const inMemory = storage.backend === "memory";
        const max = limit(storage, "max_bytes");
        return (
          <>
            <dl className="facts-list big">
              <Fact name="kept">{inMemory ? "In memory: a restart loses it, but for a snapshot" : <>In PostgreSQL{storage.edition && `, by the ${storage.edition}${storage.edition === "portable" ? " edition" : ""}`}</>}</Fact>
              <Fact name="holds">{plural(status.events_captured, "event")} in {plural(status.traces_active, "trace")}; now {count(now.perSecond)} events a second</Fact>
              {storage.bytes !== null && <Fact name="takes">{max > 0 && <><Gauge part={storage.bytes / max} label="Memory" /> </>}{bytes(storage.bytes)}{max > 0 && <> of {bytes(max)}, {((100 * storage.bytes) / max).toFixed(1)} %</>}</Fact>}
              {inMemory && <Fact name="limits"><Limits storage={storage} /></Fact>}
              {inMemory && <Fact name="evicted"><Evicted storage={storage} /></Fact>}
              {storage.listening && <Fact name="listens on">{storage.listening.map((each) => visible(each)).join(", ")}</Fact>}
              <Fact name="server">Raceway {status.version}, up for {duration(status.uptime_seconds * 1000)}</Fact>
            </dl>
            {(storage.rejected_lately?.length ?? 0) > 0 && (
              <section><h2>Rejected lately</h2><ul className="lines">{storage.rejected_lately!.map((each, at) => <li key={at}>{clock(each.time)} {plural(each.count, "event")}: {cut(visible(each.reason), 300)}</li>)}</ul></section>
            )}
            {(storage.cleanups?.length ?? 0) > 0 && (
              <section><h2>Last cleanups</h2><ul className="lines">{storage.cleanups!.map((run, at) => <li key={at}>{clock(run.started, 0)} ({ago(run.started)}): {run.error ? <span className="bad">{cut(visible(run.error), 300)}</span> : <>{plural(run.deleted_traces, "trace")}, {plural(run.deleted_events, "event")} removed</>}</li>)}</ul></section>
            )}
            <section>
              <h2>What goes when</h2>
              {inMemory ? <Command said="The limits stand in raceway.toml; the trace that has not grown for longest goes first:" code={memoryLimits} />
                : <Command said="Nothing goes by itself. What a cleanup would remove, without removing it:" code={dryRun} />}
            </section>
          </>
        );
      }}</Answered>
    </div>
  );
}
