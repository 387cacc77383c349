// Where the events are, how much room they take, and what went. It changes nothing: it shows the commands that would.
import type { ReactNode } from "react";

import { ago, bytes, clock, count, cut, duration, plural, visible } from "../base/format";
import { useStore } from "../base/store";
import { useAnswer } from "../base/use_answer";
import { Storage } from "../base/types";
import { live } from "../data/live";
import { Copy } from "../parts/copy";
import { Answered } from "../parts/trouble";
import { Gauge, limitNames, readStorage } from "./fullness";

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <div><dt>{name}</dt><dd>{children}</dd></div>;
}

function Evicted({ evicted }: { evicted: NonNullable<Storage["evicted"]> }) {
  const went = Object.entries(evicted).filter(([, each]) => each.traces > 0);
  if (went.length === 0) return <>Nothing so far.</>;
  return <>{went.map(([by, each]) => <span key={by} className="warned">{plural(each.traces, "trace")} ({plural(each.events, "event")}) by {limitNames[by]!}. </span>)}</>;
}

const limitsText = ({ bytes: most, traces, age_seconds: age }: NonNullable<Storage["limits"]>) =>
  `${most > 0 ? bytes(most) : "no limit of memory"}, ${traces > 0 ? plural(traces, "trace") : "any number of traces"}, ${age > 0 ? `${duration(age * 1000)} since the last event` : "any age"}`;

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
  const answer = useAnswer("storage", readStorage);
  const now = useStore(live);
  return (
    <div className="view scroll">
      <div className="title"><h1>Storage</h1><button className="small" onClick={answer.again}>Ask again</button></div>
      <Answered answer={answer}>{({ backend, edition, version, bytes: taken, limits, evicted, partition_by: by, partitions, cleanups, listening, rejected_lately: rejected }) => {
        const inMemory = backend === "memory";
        const max = limits?.bytes ?? 0;
        return (
          <>
            <dl className="facts-list big">
              <Fact name="kept">{inMemory ? "In memory: a restart loses it, but for a snapshot" : <>In PostgreSQL, by the {edition === "portable" ? "portable edition" : edition}</>}</Fact>
              <Fact name="holds">{plural(now.events, "event")} in {plural(now.traces, "trace")}; now {count(now.perSecond)} events a second</Fact>
              <Fact name="takes">{max > 0 && <><Gauge part={taken / max} /> </>}{bytes(taken)}{max > 0 && <> of {bytes(max)}, {((100 * taken) / max).toFixed(1)} %</>}</Fact>
              {limits && <Fact name="limits">{limitsText(limits)}</Fact>}
              {evicted && <Fact name="evicted"><Evicted evicted={evicted} /></Fact>}
              {by !== null && <Fact name="partitions">{by === "none" ? "none" : <>{count(partitions ?? 0)}, by the {by}</>}</Fact>}
              <Fact name="listens on">{listening.map(visible).join(", ")}</Fact>
              <Fact name="server">Raceway {version}</Fact>
            </dl>
            {rejected.length > 0 && (
              <section><h2>Rejected lately</h2><ul className="lines">{rejected.map((each, at) => <li key={at}>{clock(each.time)} {plural(each.count, "event")}: {cut(visible(each.reason), 300)}</li>)}</ul></section>
            )}
            {cleanups.length > 0 && (
              <section><h2>Last cleanups</h2><ul className="lines">{cleanups.map((run, at) => <li key={at}>{clock(run.started, 0)} ({ago(run.started)}), {cut(visible(run.rule), 100)}: {plural(run.deleted_traces, "trace")}, {plural(run.deleted_events, "event")}{run.outcome !== "done" && <span className="warned"> ({visible(run.outcome)})</span>}</li>)}</ul></section>
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
