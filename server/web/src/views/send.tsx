// How events get here; also what is shown as long as there are none.
import { useEffect, useRef, useState } from "../base/react";

import { announce } from "../base/announce";
import { sendEvents, Sent, Trouble } from "../base/client";
import { cut, plural, visible } from "../base/format";
import { go, href, Route, routeNow } from "../base/route";
import { useStore } from "../base/store";
import { useAnswer } from "../base/use_answer";
import { live, onChanges } from "../data/live";
import { Copy } from "../parts/copy";
import { Link } from "../parts/link";
import { Tabs } from "../parts/tabs";
import { curl, example } from "./examples";
import { readStorage } from "./fullness";

const ways: Record<string, { label: string; said: string; code: (origin: string) => string; after?: string }> = {
  curl: { label: "curl", said: "Two workers take money from one account, and neither has seen the other:", code: curl },
  otel: {
    label: "OpenTelemetry", said: "Any OpenTelemetry SDK, set by its environment:",
    code: (origin) => `export OTEL_EXPORTER_OTLP_ENDPOINT=${origin}\nexport OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf\nexport OTEL_METRICS_EXPORTER=none\nexport OTEL_LOGS_EXPORTER=none`,
    after: "By HTTP, in protobuf or JSON; gRPC (port 4317), with which some SDKs begin, is not offered, so the protocol is named. Spans alone tell no races: give span events the attributes raceway.variable and raceway.access.",
  },
  sdk: {
    label: "Raceway SDKs", said: "TypeScript, Python, Go or Rust: give the SDK this address as its server. It adds /events by itself:",
    code: (origin) => origin,
  },
};

function Rejected({ sent }: { sent: Sent }) {
  if (sent.rejected_count === 0) return null;
  return (
    <>
      <p className="bad">{plural(sent.rejected_count, "event was", "events were")} rejected:</p>
      <ul className="plain">
        {sent.rejected.slice(0, 20).map((each) => (
          <li key={each.index}><code>{cut(visible(each.id || `number ${each.index}`), 60)}</code> {cut(visible(each.reason), 300)}</li>
        ))}
      </ul>
    </>
  );
}

export function Send({ route, first = false }: { route?: Route; first?: boolean }) {
  const [chosen, choose] = useState("curl");
  const [state, setState] = useState<{ sent?: Sent; trouble?: string; busy?: boolean }>({});
  const now = useStore(live);
  const way = route?.query.get("way") ?? chosen;
  const current = ways[way] ? way : "curl";
  const { data: storage } = useAnswer("listening", readStorage);
  const usual = storage?.listening.find((url) => url.endsWith(":4318"));

  // Whoever waits for the first trace is taken to it.
  const empty = useRef(first);
  useEffect(() => onChanges((changed) => {
    const newest = changed[0];
    if (!newest || !empty.current || routeNow().name !== null) return;
    empty.current = false;
    announce("The first trace has arrived");
    go(href(["traces", newest.trace_id]));
  }), []);

  const send = async (body: string | Blob, then?: string) => {
    setState({ busy: true });
    if (then) empty.current = false;
    try {
      const sent = await sendEvents(body);
      setState({ sent });
      announce(`${plural(sent.stored, "event")} stored`);
      if (then) go(href(["traces", then]));
    } catch (error) {
      setState({ trouble: error instanceof Trouble ? error.message : String(error) });
    }
  };
  const load = () => {
    const { id, body } = example();
    void send(body, id);
  };
  const shown = ways[current]!;
  return (
    <div className="view send" onDragOver={(event) => event.preventDefault()} onDrop={(event) => {
      event.preventDefault();
      if (event.dataTransfer.files[0]) void send(event.dataTransfer.files[0]);
    }}>
      <div className="title"><h1>{first ? "Nothing has been sent yet" : "Send"}</h1></div>
      <p className="lead">
        {first && <>Raceway shows what happened before what in a concurrent program, and what did not. </>}
        Send events, or <button className="primary" disabled={state.busy} onClick={load}>load an example</button> of two small traces: one has a race.
      </p>
      {state.trouble && <p className="bad" role="alert">{cut(visible(state.trouble), 400)}</p>}
      {state.sent && (
        <div className="note" role="status">
          <p>{plural(state.sent.stored, "event")} stored{state.sent.duplicates > 0 && <>, {plural(state.sent.duplicates, "duplicate")}</>}. <Link to="/traces">See the traces</Link></p>
          <Rejected sent={state.sent} />
        </div>
      )}
      {first ? (
        <div role="tablist" aria-label="Ways to send" className="tabs">
          {Object.entries(ways).map(([key, each]) => <button key={key} role="tab" aria-selected={key === current} onClick={() => choose(key)}>{each.label}</button>)}
        </div>
      ) : <Tabs label="Ways to send" current={current} tabs={Object.entries(ways).map(([key, each]) => ({ key, label: each.label, to: href(["send"], { way: key }) }))} />}
      <section role="tabpanel" aria-label={shown.label}>
        <p>{shown.said}</p>
        <div className="code">
          <pre tabIndex={0}>{shown.code(location.origin)}</pre>
          <Copy text={shown.code(location.origin)} />
        </div>
        {shown.after && <p className="dim">{shown.after}</p>}
        {current === "otel" && usual && <p>This server listens on {usual}, too, where SDKs on this machine send by default: they need no endpoint.</p>}
      </section>
      <section>
        <h2>From a file</h2>
        <p>
          JSON, dropped here or chosen: events, as the SDKs send them or in an array, or spans of OpenTelemetry.{" "}
          <input type="file" aria-label="A file of events" accept=".json,.ndjson,application/json" onChange={(event) => event.target.files?.[0] && void send(event.target.files[0])} />
        </p>
      </section>
      <p className="listening" aria-live="off"><span className="lamp" aria-hidden="true" />Listening on {location.host}. {now.state === "away" ? "It cannot be reached." : now.events === 0 ? "Nothing yet." : `${plural(now.events, "event")} in ${plural(now.traces, "trace")} so far.`}</p>
    </div>
  );
}
